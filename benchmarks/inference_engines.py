"""Question answering by each engine, sequences/s: ours by TensorFlow and OpenVINO, and transformers' model by OpenVINO.

    python -m benchmarks.inference_engines --model base --length 384 --batch 8 --precisions fp32 bf16

Full-length random tokens, random weights, calls of all in turns. The peer needs torch and transformers, and is left out
where they are not installed. Prints the median of the calls, and the products of this machine beside it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np

from bert.benchmark.run import VOCAB_SIZE, matmul_peak, random_rows
from bert.benchmark.settings import Cell
from bert.inference.forward import make_forward
from bert.inference.settings import OPENVINO_HINTS
from bert.model.config import BertConfig
from bert.model.parameters import make_parameters, squad_shapes
from bert.training.objectives import spans
from bert.training.precision import set_precision
from bert.training.settings import ComputeSettings, PrecisionName

Call = Callable[[], Any]
TRANSFORMERS_NAMES = {"input_ids": "input_ids", "input_mask": "attention_mask", "segment_ids": "token_type_ids"}


def peer(config: BertConfig, rows: dict[str, np.ndarray], precision: str) -> Call:
    """Transformers' BertForQuestionAnswering of the same shape, by OpenVINO."""
    import openvino
    import torch
    import transformers

    shape = {
        name: getattr(config, name)
        for name in ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size")
    }
    model = transformers.BertForQuestionAnswering(transformers.BertConfig(**shape)).eval()
    example = {theirs: torch.tensor(rows[ours].astype(np.int64)) for ours, theirs in TRANSFORMERS_NAMES.items()}
    converted = openvino.convert_model(model, example_input=example)
    given = {theirs: rows[ours].astype(np.int64) for ours, theirs in TRANSFORMERS_NAMES.items()}
    converted.reshape({name: openvino.PartialShape(list(values.shape)) for name, values in given.items()})
    hints = {"INFERENCE_PRECISION_HINT": OPENVINO_HINTS[precision], "PERFORMANCE_HINT": "LATENCY"}
    compiled = openvino.Core().compile_model(converted, "CPU", hints)
    return lambda: compiled(given)[0]


def main(argv: Sequence[str] | None = None) -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", default="base")
    p.add_argument("--length", type=int, default=384)
    p.add_argument("--batch", type=int, default=8)
    p.add_argument("--precisions", nargs="+", choices=list(OPENVINO_HINTS), default=list(OPENVINO_HINTS))
    p.add_argument("--calls", type=int, default=8)
    args = p.parse_args(argv)
    cell = Cell(model=args.model, sequence_length=args.length, batch_size=args.batch)
    rows = {n: v for n, v in random_rows(cell, args.batch, 1).items() if n in TRANSFORMERS_NAMES}
    for name in args.precisions:
        print(json.dumps({"precision": name, **measure(cell, rows, name, args.calls)}), flush=True)


def measure(cell: Cell, rows: dict[str, np.ndarray], name: PrecisionName, calls: int) -> dict[str, Any]:
    """{engine: sequences/s}, and the operations/s of a large product."""
    config = BertConfig.named(cell.model, VOCAB_SIZE)
    precision = set_precision(
        ComputeSettings(precision=name, deterministic=True, xla="auto", attention="auto", allreduce="fp32"), 768
    )
    weights = make_parameters(squad_shapes(config), config, 1)

    def ours(engine: Any) -> Call:
        forward = make_forward(engine, spans().forward, weights, config, precision)
        return lambda: forward(rows)

    engines = {"tensorflow": ours("tensorflow"), "openvino": ours("openvino")}
    if find_spec("torch") and find_spec("transformers"):
        engines["openvino, transformers' model"] = peer(config, rows, name)
    seconds: dict[str, list[float]] = {engine: [] for engine in engines}
    for call in engines.values():
        call()
        call()
    for _ in range(calls):
        for engine, call in engines.items():
            began = time.perf_counter()
            call()
            seconds[engine].append(time.perf_counter() - began)
    found = {engine: round(cell.batch_size / statistics.median(taken), 2) for engine, taken in seconds.items()}
    return {**found, "product_gflops": round(matmul_peak(precision.dtype) / 1e9)}


if __name__ == "__main__":
    main()
