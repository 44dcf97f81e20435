"""A training step on a GPU where there is no TensorFlow: the XLA programs of benchmarks/gpu_export.py, run by JAX.

    python gpu_step.py run programs --out step.json         # this file alone, beside jax and numpy
    python gpu_step.py check checks --out check.json
    python gpu_step.py transformers large:64x128            # beside torch and transformers alone

`run` compiles several programs in processes of their own, measures one after the other while no other works, and prints
a line each: sequences a second, and the share of the peak, which is that of one large matrix product in the same run. A
program that fails costs its own line only. `check` says how far a small program and TensorFlow lie from float32.
`transformers` times the compiled BertForPreTraining under autocast, with the scaled dot product attention of PyTorch,
on rows of the same kind: forward and backward pass, and with AdamW. It predicts at the masked positions only, as ours.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

Arrays = dict[str, Any]
VOCAB_SIZE = 30522
PREDICTIONS = {128: 20, 512: 80}
"""Of a row by its length, as in pretraining; a sixth of another length."""
PRECISIONS = ("bf16", "fp16", "tf32", "fp32")
SHAPES = {"tiny": (2, 128, 2, 512), "base": (12, 768, 12, 3072), "large": (24, 1024, 16, 4096)}
"""Layers, hidden size, heads, intermediate size, for transformers: ours have them from bert/model/configs."""
PRODUCT = 8192
REPEATS = 3
SECONDS = 1.5
"""That one of REPEATS measurements takes, at the least."""
MEMORY = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "XLA_PYTHON_CLIENT_MEM_FRACTION": "0.95"}
"""For JAX: a process takes of the device's memory what it needs, since others wait beside it; but then up to all."""


def predictions_of(length: int) -> int:
    return PREDICTIONS.get(length, max(1, length // 6))


def random_rows(rows: int, length: int, vocab: int, padded: bool = False) -> Arrays:
    """The features of bert/examples/schema.py, of random tokens. padded: rows end at lengths from one token to all."""
    rng = np.random.default_rng(0)
    shape, predictions = (rows, length), predictions_of(length)
    lengths = np.linspace(1, length, rows).astype(int) if padded else np.full(rows, length)
    places = np.zeros((rows, predictions), np.int32)
    weights = np.zeros(places.shape, np.float32)
    for row, own in enumerate(lengths):
        chosen = np.sort(rng.permutation(own)[:predictions])
        places[row, : len(chosen)], weights[row, : len(chosen)] = chosen, 1
    mask = np.arange(length) < lengths[:, None]
    return {
        "input_ids": np.where(mask, rng.integers(0, vocab, shape), 0).astype(np.int32),
        "input_mask": mask.astype(np.int32),
        "segment_ids": (mask & (np.arange(length) >= lengths[:, None] // 2)).astype(np.int32),
        "masked_lm_positions": places,
        "masked_lm_ids": rng.integers(0, vocab, places.shape, dtype=np.int32),
        "masked_lm_weights": weights,
        "next_sentence_labels": rng.integers(2, size=(rows, 1), dtype=np.int32),
    }


# --- run, check: by JAX


class Program:
    """A program compiled by JAX's XLA for its first device."""

    def __init__(self, folder: Path, name: str) -> None:
        import jax
        from jax._src import compiler, xla_bridge
        from jax._src.interpreters import mlir
        from jax._src.lib import xla_client
        from jax._src.lib.mlir import ir

        jax.config.update("jax_enable_x64", True)
        self.facts: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
        text = gzip.decompress((folder / f"{name}.mlir.gz").read_bytes()).decode()
        # TensorFlow's copies of what an untaken branch hands through are of a dialect that JAX does not parse.
        text = text.replace("mhlo.copy %", "stablehlo.optimization_barrier %")
        if self.facts.get("precision") == "fp32":  # or they would be TF32's
            text = text.replace("precision = [DEFAULT, DEFAULT]", "precision = [HIGHEST, HIGHEST]")
        self._put = jax.device_put
        backend = xla_bridge.get_backend()
        devices = xla_client.DeviceList(tuple(backend.local_devices()[:1]))
        options = compiler.get_compile_options(num_replicas=1, num_partitions=1)
        began = time.perf_counter()
        with mlir.make_ir_context():
            self._run = compiler.backend_compile_and_load(backend, ir.Module.parse(text), devices, options, [])
        self.compile_seconds = time.perf_counter() - began

    def __call__(self, inputs: list[Any]) -> list[Any]:
        """The results. Those of an update take the place of the variables among the inputs, whose memory they have."""
        inputs[:] = [x if hasattr(x, "devices") else self._put(x) for x in inputs]  # once: of hundreds, it takes time
        found = self._run.execute_sharded(inputs)
        results = [x[0] if isinstance(x, list | tuple) else x for x in found.disassemble_into_single_device_arrays()]
        if self.facts["part"] == "update":
            inputs[-len(results) :] = results
        return results

    def temporary_bytes(self) -> int | None:
        try:
            return int(self._run.get_compiled_memory_stats().temp_size_in_bytes)
        except Exception:  # not every device says
            return None

    def random_inputs(self) -> list[Any]:
        """Weights as they begin and full rows, on the device."""
        import jax

        facts, found = self.facts, []
        if "rows" in facts:
            batch = random_rows(facts["rows"], facts["length"], VOCAB_SIZE)
        for number, (name, shape, kind) in enumerate(facts["arguments"]):
            group, _, own = name.partition("/")
            if group == "batch":
                value: Any = batch[own]
            elif group == "total":
                value = np.float32(facts["rows"] * (predictions_of(facts["length"]) if own == "predictions" else 1))
            elif kind != "f32" or not shape:
                value = np.ones(shape, {"f32": np.float32, "i64": np.int64, "i32": np.int32}[kind])
            elif own.endswith("gamma"):
                value = np.ones(shape, np.float32)
            elif group in ("m", "v", "gradient") or len(shape) > 1:
                value = 0.02 * jax.random.normal(jax.random.key(number), shape, np.float32)
                value = abs(value) if group == "v" else value
            else:
                value = np.zeros(shape, np.float32)
            found.append(value)
        return found


def timed(call: Callable[[], Any], done: Callable[[Any], None]) -> float:
    """Seconds a call: the best of REPEATS runs of as many calls as take SECONDS, after two that do not count."""
    for _ in range(2):
        began = time.perf_counter()
        done(call())
        once = time.perf_counter() - began
    count, best = max(2, round(SECONDS / once)), float("inf")
    for _ in range(REPEATS):
        began = time.perf_counter()
        for _ in range(count):
            last = call()
        done(last)
        best = min(best, (time.perf_counter() - began) / count)
    return best


def measure_program(folder: Path, name: str) -> Iterator[dict[str, Any]]:
    """First a dict when it is compiled; the figures when asked on."""
    program = Program(folder, name)
    yield {"compile_seconds": round(program.compile_seconds, 1)}
    inputs = program.random_inputs()

    def done(results: list[Any]) -> None:
        for x in results:
            x.block_until_ready()

    first = program(inputs)
    scalars, same = [float(x) for x in first if x.shape == ()], None
    if program.facts["part"] != "update":
        same = all(bool((a == b).all()) for a, b in zip(first, program(inputs), strict=True))
    del first
    seconds = timed(lambda: program(inputs), done)
    temporary = program.temporary_bytes()
    yield {
        "ms": round(1000 * seconds, 3),
        "sequences_per_second": round(program.facts["rows"] / seconds, 2) if "rows" in program.facts else None,
        "temporaries_gb": None if temporary is None else round(temporary / 1e9, 2),
        "same_bits_twice": same,
        "scalars": [round(x, 4) for x in scalars],
    }


def measure_peak(precision: str, size: int) -> Iterator[dict[str, Any]]:
    import jax

    dtype = {"bf16": jax.numpy.bfloat16, "fp16": np.float16}.get(precision, np.float32)
    wanted = "highest" if precision == "fp32" else "default"
    a, b = (jax.random.normal(jax.random.key(n), (size, size), np.float32).astype(dtype) for n in (0, 1))
    product = jax.jit(lambda a, b: jax.numpy.matmul(a, b, precision=wanted)).lower(a, b).compile()
    yield {"device": jax.devices()[0].device_kind, "jax": jax.__version__}
    seconds = timed(lambda: product(a, b), lambda x: x.block_until_ready())
    yield {"tflops": round(2 * size**3 / seconds / 1e12, 1), "ms": round(1000 * seconds, 3)}


def check_program(folder: Path, name: str) -> dict[str, Any]:
    """How far the program's and TensorFlow's gradients and loss lie from float32's."""
    program = Program(folder, name)
    with np.load(folder / f"{name.removesuffix('.gradient')}.npz") as stored:
        values = dict(stored)
    given = [values[n] if n in values else values[f"parameter/{n}"] for n, *_ in program.facts["arguments"]]
    found = [np.asarray(x) for x in program(given)]
    parameters = program.facts["parameters"]
    own = {f"gradient/{n}": x for n, x in zip(parameters, found, strict=False)}
    names = [n.removeprefix("tensorflow/") for n in values if n.startswith("tensorflow/sum/")]
    own |= dict(zip(sorted(names), found[len(parameters) :], strict=True))

    def distance(got: Callable[[str], Any], names: list[str]) -> float:
        """||got - float32|| / ||float32|| over all of these."""
        pairs = [(np.float64(got(n)), np.float64(values[f"float32/{n}"])) for n in names]
        return float(np.sqrt(sum(((a - b) ** 2).sum() for a, b in pairs) / sum((b**2).sum() for _, b in pairs)))

    gradients = [f"gradient/{n}" for n in parameters]
    projections = [n for n in gradients if "/attention/self/" in n and n.endswith("kernel")]
    figures: dict[str, Any] = {}
    for what, chosen in (("loss", ["sum/mlm_loss"]), ("gradient", gradients), ("attention", projections)):
        ours, theirs = distance(own.__getitem__, chosen), distance(lambda n: values[f"tensorflow/{n}"], chosen)
        figures[what] = {"program": ours, "tensorflow": theirs}
    bound = {"fp32": 1e-4, "tf32": 5e-3}.get(program.facts["precision"])
    figures["ok"] = all(
        bool(figures[what]["program"] <= (bound or 2 * figures[what]["tensorflow"] + 1e-3))
        for what in ("loss", "gradient", "attention")
    )
    return figures


# --- transformers: by PyTorch


def measure_transformers(model: str, rows: int, length: int) -> Iterator[dict[str, Any]]:
    import torch  # type: ignore[import-not-found, unused-ignore]
    import transformers  # type: ignore[import-not-found, unused-ignore]

    layers, hidden, heads, intermediate = SHAPES[model]
    config = transformers.BertConfig(
        vocab_size=VOCAB_SIZE, hidden_size=hidden, num_hidden_layers=layers, num_attention_heads=heads,
        intermediate_size=intermediate, hidden_act="gelu_pytorch_tanh", attn_implementation="sdpa",
    )  # fmt: skip
    device = "cuda" if torch.cuda.is_available() else "cpu"
    whole = transformers.BertForPreTraining(config).to(device).train()
    optimizer = torch.optim.AdamW(whole.parameters(), 1e-4, fused=True)
    batch = {n: torch.tensor(x).to(device) for n, x in random_rows(rows, length, VOCAB_SIZE).items()}
    places = batch["masked_lm_positions"].long()[:, :, None].expand(-1, -1, hidden)

    def loss_of() -> Any:
        with torch.autocast(device, torch.bfloat16):
            # Full rows: no mask, with which PyTorch may take its fastest kernel.
            encoded = whole.bert(input_ids=batch["input_ids"].long(), token_type_ids=batch["segment_ids"].long())
            pieces = whole.cls.predictions(encoded.last_hidden_state.gather(1, places)).flatten(0, 1)
            pair = whole.cls.seq_relationship(encoded.pooler_output)
        entropy = torch.nn.functional.cross_entropy
        masked = entropy(pieces.float(), batch["masked_lm_ids"].flatten().long())
        return masked + entropy(pair.float(), batch["next_sentence_labels"].flatten().long())

    compiled = torch.compile(loss_of)

    def gradient() -> Any:
        optimizer.zero_grad(set_to_none=True)
        loss = compiled()
        loss.backward()
        return loss

    def step() -> Any:
        loss = gradient()
        torch.nn.utils.clip_grad_norm_(whole.parameters(), 1.0)
        optimizer.step()
        return loss

    def done(loss: Any) -> None:
        loss.item()

    began = time.perf_counter()
    done(gradient())
    optimizer.zero_grad(set_to_none=True)
    if device == "cuda":
        torch.cuda.empty_cache()  # for those whose turn comes first
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    yield {"compile_seconds": round(time.perf_counter() - began, 1), **versions}
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    seconds = timed(gradient, done)
    memory = torch.cuda.max_memory_allocated() / 1e9 if device == "cuda" else None
    whole_step = timed(step, done)
    yield {
        "ms": round(1000 * seconds, 3),
        "sequences_per_second": round(rows / seconds, 2),
        "sequences_per_second_with_adamw": round(rows / whole_step, 2),
        "memory_gb": None if memory is None else round(memory, 2),
        "loss": round(float(loss_of().item()), 4),
    }


# --- one process for each measurement


def _said(error: Exception) -> str:
    """Its first line: those of XLA go on for pages."""
    return f"{type(error).__name__}: {error}".partition("\n")[0][:300]


def cell_of(text: str) -> tuple[str, int, int]:
    """large:64x128 -> model, rows, length."""
    match = re.fullmatch(r"(\w+):(\d+)x(\d+)", text)
    if match is None:
        raise argparse.ArgumentTypeError(f"{text}: expected MODEL:ROWSxLENGTH, such as large:64x128")
    return match[1], int(match[2]), int(match[3])


def in_process(args: argparse.Namespace) -> None:
    """One measurement: a line of JSON when all is compiled; after a line on stdin, one with the figures."""
    kind, _, rest = args.one.partition(" ")
    try:
        if kind == "peak":
            steps = measure_peak(rest, args.product)
        elif kind == "transformers":
            steps = measure_transformers(*cell_of(rest))
        else:
            steps = measure_program(args.folder, args.one)
        print(json.dumps(next(steps)), flush=True)
        sys.stdin.readline()
        print(json.dumps(next(steps)), flush=True)
    except Exception as error:
        print(json.dumps({"error": _said(error)}), flush=True)


class Measurement:
    """A process that compiles one program and waits for its turn."""

    def __init__(self, folder: Path, name: str, product: int, python: str = sys.executable) -> None:
        self.name = name
        command = [python, __file__, "one", str(folder), name, "--product", str(product)]
        environment = {**MEMORY, "TF_CPP_MIN_LOG_LEVEL": "3", **os.environ}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,  # with the processes that compile for it
        )
        self.figures: dict[str, Any] = {}

    def _line(self, until: float) -> dict[str, Any]:
        """The next line of its output: figures, or an error."""
        output: IO[bytes] = self._process.stdout  # type: ignore[assignment]
        os.set_blocking(output.fileno(), False)
        text = b""
        while not text.endswith(b"\n"):
            text += output.readline() or b""
            if text.endswith(b"\n"):
                break
            ended = self._process.poll() is not None
            if ended or time.monotonic() > until:
                left = output.read() or b""
                text += left
                if text.endswith(b"\n"):
                    break
                self._signal(signal.SIGKILL)
                code = self._process.wait()
                return {"error": f"the process ended by itself with {code}" if ended else "took too long"}
            time.sleep(0.02)
        found: dict[str, Any] = json.loads(text.splitlines()[0])
        return found

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """It takes no processor inside, and begins nothing on the device."""
        self._signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._signal(signal.SIGCONT)

    def wait_compiled(self, until: float) -> bool:
        self.figures |= self._line(until)
        return "error" not in self.figures

    def measure(self, seconds: float) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(b"go\n")
            self._process.stdin.flush()
        except OSError:  # it is gone: the next line says how
            pass
        self.figures |= self._line(time.monotonic() + seconds)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self._signal(signal.SIGKILL)
        self._process.wait()


def run(args: argparse.Namespace) -> None:
    described = {p.name.removesuffix(".json"): json.loads(p.read_text()) for p in args.folder.glob("*.*.json")}
    order = {"gradient": 0, "norm": 1, "update": 2}
    timed_ones = (n for n in described if not (args.folder / f"{n.removesuffix('.gradient')}.npz").exists())
    names = args.only or sorted(timed_ones, key=lambda n: (order[described[n]["part"]], n))
    if missing := [n for n in names if n not in described]:
        sys.exit(f"{args.folder}: no {', '.join(missing)}; there are {', '.join(sorted(described)) or 'no programs'}")
    precisions = dict.fromkeys(described[n]["precision"] for n in names if "precision" in described[n])
    names = [*(f"peak {p}" for p in precisions), *names]
    results: dict[str, Any] = {}
    began = time.monotonic()

    def take(one: Measurement) -> None:
        if "error" not in one.figures:
            one.measure(args.measure_seconds)
        results[one.name] = described.get(one.name, {}) | one.figures
        for long in ("arguments", "parameters"):
            results[one.name].pop(long, None)
        share_of_peak(results)
        print(f"{time.monotonic() - began:5.0f} s {one.name}: {json.dumps(one.figures)}", file=sys.stderr, flush=True)
        if args.out:
            args.out.write_text(json.dumps(results, indent=1) + "\n")

    # Their compilation takes the longest: it begins first and goes on between the others' measurements.
    peers = [Measurement(args.folder, f"transformers {cell}", 0, args.peer_python) for cell in args.peers]
    for first in range(0, len(names), args.jobs):
        until = time.monotonic() + args.compile_seconds
        waiting = [Measurement(args.folder, name, args.product) for name in names[first : first + args.jobs]]
        for one in waiting:
            one.wait_compiled(until)
        with contextlib.ExitStack() as alone:
            for peer in peers:
                alone.enter_context(peer.paused())
            for one in waiting:
                take(one)
    for peer in peers:
        peer.wait_compiled(began + args.peer_seconds)
    for peer in peers:
        model, rows, length = cell_of(peer.name.partition(" ")[2])
        same = [of for of in described.values() if of["model"] == model and of.get("length") == length]
        flops = {"flops_a_sequence": same[0]["flops_a_sequence"]} if same else {}
        described[peer.name] = {
            "part": "gradient", "model": model, "rows": rows, "length": length, "precision": "bf16",
            "attention": "transformers", "attention_dropout": 0.1, **flops,
        }  # fmt: skip
        take(peer)
    print(table(results))


def share_of_peak(results: dict[str, Any]) -> None:
    """Add `share` to each program whose peak was measured."""
    for figures in results.values():
        peak = results.get(f"peak {figures.get('precision')}", {}).get("tflops")
        if peak and figures.get("sequences_per_second"):
            reached = figures["sequences_per_second"] * figures["flops_a_sequence"]
            figures["share"] = round(reached / peak / 1e12, 3)


def table(results: dict[str, Any]) -> str:
    """Of Markdown, a line for each program of a gradient, with its model's norm and update."""
    head = ("model", "rows x length", "precision", "attention", "its dropout", "sequences/s", "share of the peak",
            "temporaries GB", "norm ms", "update ms")  # fmt: skip
    rows = [head, ("---",) * len(head)]
    for of in results.values():
        if of.get("part") != "gradient":
            continue
        norm, update = (results.get(f"{of['model']}.{part}", {}).get("ms", "-") for part in ("norm", "update"))
        ours = of["attention"] != "transformers"
        rows.append(
            (
                of["model"], f"{of['rows']} x {of['length']}", of["precision"], of["attention"],
                of["attention_dropout"],
                of.get("sequences_per_second") or of["error"], of.get("share", "-"), of.get("temporaries_gb", "-"),
                *((norm, update) if ours else ("-", "-")),
            )
        )  # fmt: skip
    peaks = {n.removeprefix("peak "): of for n, of in results.items() if n.startswith("peak ")}
    said = ", ".join(f"{n} {of.get('tflops', of.get('error'))} ({of.get('device')})" for n, of in peaks.items())
    return "\n".join([*(f"| {' | '.join(map(str, row))} |" for row in rows), f"One large product, TFLOP/s: {said}"])


def transformers_alone(args: argparse.Namespace) -> None:
    results = {}
    for cell in args.cells:
        one = Measurement(Path(), f"transformers {cell}", 0)
        if one.wait_compiled(time.monotonic() + args.seconds):
            one.measure(args.seconds)
        results[cell] = one.figures
        print(cell, json.dumps(one.figures), flush=True)
        if args.out:
            args.out.write_text(json.dumps(results, indent=1) + "\n")


def check(args: argparse.Namespace) -> None:
    os.environ.update(MEMORY)
    found, names = {}, sorted(p.stem for p in args.folder.glob("*.npz"))
    for name in names:
        if not (args.folder / f"{name}.gradient.json").exists():
            continue  # of float32, which the others are held against
        try:
            found[name] = check_program(args.folder, f"{name}.gradient")
        except Exception as error:
            found[name] = {"ok": False, "error": _said(error)}
        print(name, json.dumps(found[name]), flush=True)
        if args.out:
            args.out.write_text(json.dumps(found, indent=1) + "\n")
    if not found or not all(figures["ok"] for figures in found.values()):
        sys.exit("not all programs compute what TensorFlow does")


def main(argv: Sequence[str] | None = None) -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = p.add_subparsers(dest="command", required=True)
    one = commands.add_parser("run", help="compile and measure, by JAX")
    one.add_argument("folder", type=Path)
    one.add_argument("--out", type=Path, help="where to write the figures as JSON")
    one.add_argument(
        "--only", nargs="+", metavar="NAME", help="programs, in this order: large-64x128-bf16-plain.gradient"
    )
    one.add_argument("--jobs", type=int, default=os.cpu_count(), help="that compile at a time")
    one.add_argument("--compile-seconds", type=float, default=600, help="that so many may take together")
    one.add_argument("--measure-seconds", type=float, default=120, help="that a measurement may take")
    one.add_argument("--product", type=int, default=PRODUCT, help="size of the large matrix product")
    one.add_argument(
        "--peers", nargs="+", default=[], metavar="MODEL:ROWSxLENGTH", help="transformers' too, at the end"
    )
    one.add_argument("--peer-python", default=sys.executable, help="of the environment that holds torch, transformers")
    one.add_argument("--peer-seconds", type=float, default=600, help="after the start, by which they are compiled")
    one.set_defaults(call=run)
    one = commands.add_parser("check", help="against TensorFlow's numbers, by JAX")
    one.add_argument("folder", type=Path)
    one.add_argument("--out", type=Path, help="where to write the figures as JSON")
    one.set_defaults(call=check)
    one = commands.add_parser("transformers", help="the same step by transformers and torch.compile, alone")
    one.add_argument("cells", nargs="+", metavar="MODEL:ROWSxLENGTH")
    one.add_argument("--seconds", type=float, default=600, help="that compilation may take")
    one.add_argument("--out", type=Path, help="where to write the figures as JSON")
    one.set_defaults(call=transformers_alone)
    one = commands.add_parser("one")  # of the processes of run
    one.add_argument("folder", type=Path)
    one.add_argument("one")
    one.add_argument("--product", type=int)
    one.set_defaults(call=in_process)
    args = p.parse_args(argv)
    args.call(args)


if __name__ == "__main__":
    main()
