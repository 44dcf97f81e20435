"""Fine-tuning by our own XLA programs where there is no TensorFlow: on a GPU with JAX alone.

    python -m benchmarks.transformers_finetuning write ... --out FOLDER
    python -m benchmarks.finetuning_programs export FOLDER --section squad --init data/models/imported
    python -m benchmarks.finetuning_programs run FOLDER
    python -m benchmarks.transformers_finetuning answer FOLDER ...

`export` traces the gradient, the norm, the update and the forward pass of the stage's training step and leaves them as
StableHLO in FOLDER/programs; `run` needs jax and safetensors, and nothing of this project but this file. It trains on
the rows and the batches in FOLDER and leaves logits.npy, as `transformers_finetuning train` does.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

PREDICT_ROWS = 64
DTYPES = {"f32": np.float32, "i32": np.int32, "i64": np.int64, "i1": np.bool_}
INPUTS = ("input_ids", "input_mask", "segment_ids")


def export(folder: Path, section_name: str, init: Path) -> None:
    """Leave programs/*.mlir, order.json and start.npz."""
    import tensorflow as tf

    from bert.checkpoints.folder import load_model
    from bert.model.fused import compile_by
    from bert.model.parameters import make_parameters
    from bert.pipeline.params import section, top_level
    from bert.tasks.glue.run import objective as glue_objective
    from bert.tasks.glue.tasks import TASKS
    from bert.tasks.settings import OF_THE_DAG, FinetuneSettings
    from bert.training.objectives import spans
    from bert.training.precision import set_precision
    from bert.training.settings import ComputeSettings
    from bert.training.step import TrainStep
    from bert.training.world import Split, World

    out = folder / "programs"
    out.mkdir()
    shared, seed = section(FinetuneSettings, "finetune", without=OF_THE_DAG), section(int, "seed")
    start = load_model(init, f"dvc repro {init.name}")
    objective = spans() if section_name == "squad" else glue_objective(TASKS[section_name.partition(".")[2]])
    config = start.config.with_dropout(shared.dropout, shared.attention_dropout)
    encoder = {name: w for name, w in start.weights.items() if name.startswith("bert/")}
    parameters = make_parameters(objective.shapes(config), config, seed, encoder)
    with np.load(folder / "rows.npz") as stored:
        batch_rows = stored["order"].shape[1]
        names = sorted(n.removeprefix("train_") for n in stored.files if n.startswith("train_"))
        batch = {n: tf.constant(stored[f"train_{n}"][:batch_rows].astype(np.int32)) for n in names}
    precision = set_precision(top_level(ComputeSettings), config.hidden_size)
    tf.random.set_seed(seed)  # which determinism asks for; nothing here draws from it
    step = TrainStep(
        objective, config, parameters, shared, lambda at: tf.constant(0.0),
        precision=precision, split=Split(1, 1, batch_rows), world=World(), seed=seed,
    )  # fmt: skip
    step.compile(True)
    by_handle = {id(variable.handle): name for name, variable in step.variables.items()}
    captured: dict[str, list[str | None]] = {}

    def program(name: str, function: Any, *args: Any) -> None:
        captured[name] = [by_handle.get(id(x)) for x in function.get_concrete_function(*args).captured_inputs]
        (out / f"{name}.mlir").write_text(function.experimental_get_compiler_ir(*args)(stage="stablehlo"))

    one, at = tf.constant(1.0), tf.constant(0, tf.int64)
    totals = objective.weigh(batch)
    gradients = [tf.zeros_like(p) for p in parameters.values()]
    program("gradient", step._gradients, batch, totals, at, one)
    program("norm", step._norm, gradients)
    program("update", compile_by(True, step.update_all), gradients, one, one, one, at)
    rows = {n: tf.constant(np.zeros((PREDICT_ROWS, *batch[n].shape[1:]), np.int32)) for n in INPUTS}
    forward = compile_by(True, lambda x: tf.cast(objective.forward(parameters, config, x, precision.dtype), tf.float32))
    program("forward", forward, rows)
    described = {
        "captured": captured,
        "parameters": list(parameters),
        "slots": [name for name in step.variables if name not in parameters],
        "inputs": names,
        "precision": precision.name,
    }
    (out / "order.json").write_text(json.dumps(described) + "\n")
    fresh = {n: p.numpy() for n, p in parameters.items()}
    halves = {n: w.astype(np.float16) for n, w in fresh.items()}
    # What is float16 without loss travels as that: a checkpoint's own dtype.
    is_half = {n: bool((h.astype(np.float32) == fresh[n]).all()) for n, h in halves.items()}
    np.savez(out / "start.npz", **{n: halves[n] if is_half[n] else fresh[n] for n in fresh})


def _arguments(text: str) -> list[tuple[tuple[int, ...], Any]]:
    """(shape, dtype) of each argument of a program."""
    found = re.search(r"func\.func (?:public )?@main\((.*?)\)\s*->", text, re.S)
    assert found is not None
    kinds = [match.group(1).split("x") for match in re.finditer(r"%arg\d+: tensor<([^>]*)>", found.group(1))]
    return [(tuple(map(int, kind[:-1])), DTYPES[kind[-1]]) for kind in kinds]


class Program:
    """A StableHLO program compiled by JAX's XLA. Float32 products are computed as such, and not by TF32."""

    def __init__(self, path: Path, precision: str) -> None:
        import jax
        from jax._src import compiler, xla_bridge
        from jax._src.interpreters import mlir
        from jax._src.lib import xla_client
        from jax._src.lib.mlir import ir

        text = path.read_text().replace("mhlo.copy %", "stablehlo.optimization_barrier %")
        if precision == "fp32":
            text = text.replace("precision = [DEFAULT, DEFAULT]", "precision = [HIGHEST, HIGHEST]")
        self.name, self.arguments, self._put = path.stem, _arguments(text), jax.device_put
        backend = xla_bridge.get_backend()
        devices = xla_client.DeviceList(tuple(backend.local_devices()[:1]))
        options = compiler.get_compile_options(num_replicas=1, num_partitions=1)
        with mlir.make_ir_context():
            module = ir.Module.parse(text)
            self._run = compiler.backend_compile_and_load(backend, module, devices, options, [])

    def __call__(self, *inputs: Any) -> list[Any]:
        shapes = [(tuple(x.shape), np.dtype(x.dtype)) for x in inputs]
        wanted = [(shape, np.dtype(kind)) for shape, kind in self.arguments]
        assert shapes == wanted, f"{self.name}: given {shapes}, expected {wanted}"
        found = self._run.execute_sharded([x if hasattr(x, "devices") else self._put(x) for x in inputs])
        return [x[0] if isinstance(x, list | tuple) else x for x in found.disassemble_into_single_device_arrays()]


def run(folder: Path) -> None:
    """Train and predict; leave ours.npy, logits of dev."""
    import jax

    from benchmarks.transformers_finetuning import rate

    jax.config.update("jax_enable_x64", True)
    order_of = json.loads((folder / "programs" / "order.json").read_text())
    settings = json.loads((folder / "settings.json").read_text())
    programs = {p.stem: Program(p, order_of["precision"]) for p in (folder / "programs").glob("*.mlir")}
    captured = order_of["captured"]
    with np.load(folder / "programs" / "start.npz") as stored:
        variables = {n: jax.device_put(stored[n].astype(np.float32)) for n in stored.files}
    for slot in order_of["slots"]:
        if slot.startswith(("m/", "v/")):
            variables[slot] = jax.numpy.zeros_like(variables[slot[2:]])
    rows = {n: a.astype(np.int32) for n, a in np.load(folder / "rows.npz").items() if n != "order"}
    order = np.load(folder / "rows.npz")["order"]
    one, losses = np.float32(1), []
    for step, numbers in enumerate(order):
        batch = [rows[f"train_{name}"][numbers] for name in order_of["inputs"]]
        found = programs["gradient"](
            *batch, np.float32(len(numbers)), np.int64(step), one, *(variables[n] for n in captured["gradient"])
        )
        gradients = dict(zip(order_of["parameters"], found, strict=False))
        losses.append(found[len(gradients)])
        (norm,) = programs["norm"](*gradients.values())
        learning_rate = np.float32(rate(step, settings["learning_rate"], settings["warmup"], settings["steps"]))
        new = programs["update"](
            *(gradients[n] for n in order_of["parameters"]), norm, learning_rate, one, np.int64(step + 1),
            *(variables[n] for n in captured["update"]),
        )  # fmt: skip
        variables.update(zip(captured["update"][-len(new) :], new, strict=True))
    last = [float(np.asarray(x)) for x in losses[-max(1, len(losses) // 10) :]]
    count = len(rows["dev_input_ids"])
    found_logits = []
    for first in range(0, count, PREDICT_ROWS):
        chosen = np.minimum(np.arange(first, first + PREDICT_ROWS), count - 1)
        batch = [rows[f"dev_{name}"][chosen] for name in INPUTS]
        (logits,) = programs["forward"](*batch, *(variables[n] for n in captured["forward"]))
        found_logits.append(logits)
    logits = np.concatenate([np.asarray(x) for x in found_logits])[:count]
    np.save(folder / "ours.npy", logits.astype(np.float16))
    figures: dict[str, Any] = {"steps": len(order), "train_loss": round(float(np.mean(last)) / order.shape[1], 4)}
    if "dev_labels" in rows:
        figures["accuracy"] = round(100 * float((logits.argmax(-1) == rows["dev_labels"]).mean()), 2)
    print(json.dumps(figures))


def main(argv: Sequence[str] | None = None) -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = p.add_subparsers(dest="command", required=True)
    of_export = commands.add_parser("export", help="the programs, by TensorFlow")
    of_export.add_argument("folder", type=Path)
    of_export.add_argument("--section", default="squad", help="of params.yaml: squad (default), glue.mrpc, ...")
    of_export.add_argument("--init", type=Path, required=True, help="model folder that the stage starts from")
    of_run = commands.add_parser("run", help="train and predict, by JAX")
    of_run.add_argument("folder", type=Path)
    args = p.parse_args(argv)
    if args.command == "export":
        export(args.folder, args.section, args.init)
    else:
        run(args.folder)


if __name__ == "__main__":
    main()
