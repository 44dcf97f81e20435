"""A training step's XLA programs, by TensorFlow on a CPU, for benchmarks/gpu_step.py to run where there is none.

    python -m benchmarks.gpu_export programs --cells large:64x128 large:16x512 --precision bf16 tf32 \\
        --attention plain fused --attention-dropout 0 --update
    python -m benchmarks.gpu_export checks --check --precision bf16 fp32 --attention plain fused

Leaves, for each cell, the gradient of one micro-batch, and for each model the gradient's global norm and the update, as
StableHLO with a JSON beside it that names the arguments. With --check, small programs beside what TensorFlow computed
of the same inputs by plain attention: in the program's precision and in float32.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.gpu_step import PRECISIONS, VOCAB_SIZE, Arrays, cell_of, predictions_of, random_rows

if TYPE_CHECKING:
    from bert.model.cudnn_attention import Attention
    from bert.training.settings import PrecisionName

CHECK_CELL = ("tiny", 6, 128)
CHECK_VOCAB = 1000


class Exporter:
    """Of one cell: model, rows x length, precision, attention."""

    def __init__(
        self,
        model: str,
        rows: int,
        length: int,
        precision: PrecisionName,
        attention: Attention,
        dropout: float | None,
        check: bool,
    ) -> None:
        """dropout: of the attention weights, None for the model's own. check: a small model without any dropout."""
        import tensorflow as tf

        from bert.benchmark.flops import encoder, pretraining_heads, training
        from bert.model.config import BertConfig
        from bert.model.parameters import make_parameters, pretraining_shapes
        from bert.optim.settings import LossScaleSettings, OptimizerSettings, UpdateSettings
        from bert.pipeline.params import section
        from bert.training.objectives import pretraining
        from bert.training.precision import Precision
        from bert.training.step import TrainStep
        from bert.training.world import Split, World

        self.name = f"{model}-{rows}x{length}-{precision}-{attention}"
        config = BertConfig.named(model, CHECK_VOCAB if check else VOCAB_SIZE, dropout=0.0 if check else None)
        if dropout is not None and not check:
            config = config.model_copy(update={"attention_probs_dropout_prob": dropout})
            self.name += f"-drop{dropout:g}"
        if check:  # weights at which tokens attend to some others rather than to all alike
            config = config.model_copy(update={"initializer_range": 0.1})
        if attention == "fused" and config.attention_probs_dropout_prob:
            raise SystemExit("fused attention drops nothing: add --attention-dropout 0")
        dtype = {"bf16": tf.bfloat16, "fp16": tf.float16}.get(precision, tf.float32)
        update = UpdateSettings(
            optimizer=section(OptimizerSettings, "pretrain.optimizer"),
            loss_scale=section(LossScaleSettings, "pretrain.loss_scale"),
        )
        shapes = pretraining_shapes(config)
        # What is only traced is not drawn: of a large model that would take longer.
        zeros = None if check else {name: np.zeros(shape, np.float32) for name, shape in shapes.items()}
        self.parameters = make_parameters(shapes, config, 0, zeros)
        self.step = TrainStep(
            pretraining(), config, self.parameters, update, lambda at: tf.constant(1e-4),
            precision=Precision(precision, precision, dtype, precision == "fp16", True, attention=attention),
            split=Split(1, 1, rows), world=World(), seed=0,
        )  # fmt: skip
        self.batch = random_rows(rows, length, config.vocab_size, padded=check)
        body = encoder(
            sequence_length=length, hidden_size=config.hidden_size,
            intermediate_size=config.intermediate_size, num_layers=config.num_hidden_layers,
        )  # fmt: skip
        heads = pretraining_heads(
            hidden_size=config.hidden_size, vocab_size=config.vocab_size, num_predictions=predictions_of(length)
        )
        self.facts: dict[str, Any] = {
            "model": model, "rows": rows, "length": length, "precision": precision, "attention": attention,
            "attention_dropout": config.attention_probs_dropout_prob, "dropout": config.hidden_dropout_prob,
            "flops_a_sequence": training(body + heads),
        }  # fmt: skip

    def gradient_inputs(self) -> tuple[Any, ...]:
        import tensorflow as tf

        batch = {name: tf.constant(values) for name, values in self.batch.items()}
        return batch, self.step.objective.weigh(batch), tf.constant(0, tf.int64), tf.constant(1.0)

    def gradient(self, folder: Path) -> None:
        batch, totals, *_ = args = self.gradient_inputs()
        names = [*(f"batch/{n}" for n in sorted(batch)), *(f"total/{n}" for n in sorted(totals)), "step", "scale"]
        self._leave(folder, "gradient", self.step._gradients, args, names, self.name)

    def norm_and_update(self, folder: Path) -> None:
        import tensorflow as tf

        from bert.model.fused import compile_by

        gradients = {name: tf.zeros_like(p) for name, p in self.parameters.items()}
        one, number = tf.constant(1.0), tf.constant(1, tf.int64)
        every = [f"gradient/{n}" for n in gradients]
        model = self.facts["model"]
        self._leave(folder, "norm", self.step._norm, (list(gradients.values()),), every, model)
        update = compile_by(True, self.step.update_all)
        args = list(gradients.values()), one, one, one, number
        self._leave(folder, "update", update, args, [*every, "norm", "rate", "scale", "update"], model)

    def _leave(self, folder: Path, part: str, function: Any, args: Any, names: list[str], stem: str) -> None:
        """<stem>.<part>.mlir.gz and .json. names: of the arguments that are no variables."""
        from bert.model.fused import for_gpu

        by_handle = {id(variable.handle): name for name, variable in self.step.variables.items()}
        with for_gpu():
            captured = function.get_concrete_function(*args).captured_inputs
        names = [*names, *(by_handle[id(x)] for x in captured)]
        device = self.parameters["bert/pooler/dense/bias"].device
        text = function.experimental_get_compiler_ir(*args)("stablehlo", device)
        arguments = arguments_of(text)
        assert len(arguments) == len(names), f"{len(arguments)} arguments, {len(names)} names"
        described = [[name, *kind] for name, kind in zip(names, arguments, strict=True)]
        facts = self.facts if part == "gradient" else {"model": self.facts["model"]}
        parameters = list(self.parameters)
        (folder / f"{stem}.{part}.json").write_text(
            json.dumps({"part": part, **facts, "arguments": described, "parameters": parameters}) + "\n"
        )
        (folder / f"{stem}.{part}.mlir.gz").write_bytes(gzip.compress(text.encode(), mtime=0))
        print(f"{stem}.{part}: {len(text) / 1e6:.1f} MB of text", flush=True)

    def leave_values(self, folder: Path, exact: Arrays | None) -> Arrays:
        """<name>.npz: inputs, TensorFlow's gradients by plain attention, and in float32. Returns its own."""
        batch, totals, step, scale = self.gradient_inputs()
        parameters = {f"parameter/{n}": p.numpy() for n, p in self.parameters.items()}
        self.step.compile(False)
        gradients, sums = self.step._gradients(batch, totals, step, scale)
        own = {f"gradient/{n}": g.numpy() for n, g in zip(self.parameters, gradients, strict=True)}
        own |= {f"sum/{n}": x.numpy() for n, x in sums.items()}
        values: Arrays = {f"batch/{n}": v for n, v in self.batch.items()} | parameters
        values |= {f"total/{n}": x.numpy() for n, x in totals.items()} | {"step": step.numpy(), "scale": scale.numpy()}
        values |= {f"tensorflow/{n}": v for n, v in own.items()}
        values |= {f"float32/{n}": v for n, v in (exact or own).items()}
        np.savez_compressed(folder / f"{self.name}.npz", **values)
        return own


def export(args: argparse.Namespace) -> None:
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
    args.folder.mkdir(parents=True, exist_ok=True)
    if args.check:
        exact = Exporter(*CHECK_CELL, "fp32", "plain", None, check=True).leave_values(args.folder, None)
        for precision, attention in ((p, a) for p in args.precision for a in args.attention):
            if attention == "fused" and precision not in ("bf16", "fp16"):
                continue
            one = Exporter(*CHECK_CELL, precision, attention, None, check=True)
            one.gradient(args.folder)
            plain = Exporter(*CHECK_CELL, precision, "plain", None, check=True)
            plain.name = one.name
            plain.leave_values(args.folder, exact)
        return
    for model, rows, length in args.cells:
        for precision, attention in ((p, a) for p in args.precision for a in args.attention):
            one = Exporter(model, rows, length, precision, attention, args.attention_dropout, check=False)
            one.gradient(args.folder)
            if args.update and not (args.folder / f"{model}.update.json").exists():
                one.norm_and_update(args.folder)
            del one
            gc.collect()  # gigabytes of variables, in cycles with the functions that were traced over them


def arguments_of(text: str) -> list[tuple[list[int], str]]:
    """(shape, type) of each argument of a program's main function."""
    found = re.search(r"func\.func (?:public )?@main\((.*?)\)\s*->", text, re.S)
    assert found is not None
    kinds = [match.group(1).split("x") for match in re.finditer(r"%arg\d+: tensor<([^>]*)>", found.group(1))]
    return [([int(n) for n in kind[:-1]], kind[-1]) for kind in kinds]


def main(argv: Sequence[str] | None = None) -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folder", type=Path)
    p.add_argument("--cells", nargs="+", type=cell_of, default=[], metavar="MODEL:ROWSxLENGTH")
    p.add_argument("--precision", nargs="+", choices=PRECISIONS, default=["bf16"])
    p.add_argument("--attention", nargs="+", choices=("plain", "fused"), default=["plain"])
    p.add_argument("--attention-dropout", type=float, help="default: the model's own; fused takes 0 only")
    p.add_argument("--update", action="store_true", help="the norm and the update of each model too")
    p.add_argument("--check", action="store_true", help="small programs and what TensorFlow computes, instead")
    export(p.parse_args(argv))


if __name__ == "__main__":
    main()
