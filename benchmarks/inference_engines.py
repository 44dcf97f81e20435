"""Question answering by each engine, sequences/s: ours by TensorFlow and OpenVINO, and transformers' model by OpenVINO.

    python -m benchmarks.inference_engines --model base --length 384 --batch 8 --precisions fp32 bf16
    python -m benchmarks.inference_engines --squad ~/squad/dev-v1.1.json --vocab ~/bert/vocab.txt

Full-length random tokens, random weights, calls of all in turns. The peer needs torch and transformers, and is left out
where they are not installed. Prints the median of the calls, and the products of this machine beside it.
With --squad the rows are the windows of a dev file: ours as prediction takes them, those of like length together and
cut to it (bert/tasks/length_buckets.py), the peer's of --length each. Of all batches as they are planned, --batches
evenly spaced ones are computed a call.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from bert.benchmark.peak import matmul_peak
from bert.benchmark.rows import VOCAB_SIZE, random_rows
from bert.benchmark.settings import Cell
from bert.inference.forward import make_forward
from bert.inference.settings import OPENVINO_HINTS
from bert.model.config import BertConfig
from bert.model.parameters import make_parameters, squad_shapes
from bert.pipeline.params import top_level
from bert.tasks.length_buckets import length_batches, token_counts
from bert.tasks.squad.data import read_squad
from bert.tasks.squad.features import make_windows
from bert.tasks.squad.run import to_arrays
from bert.tokens.tokenizer import WordPieceTokenizer
from bert.training.objectives import spans
from bert.training.precision import set_precision
from bert.training.settings import ComputeSettings, PrecisionName

Call = Callable[[], Any]
Rows = dict[str, np.ndarray]
"""input_ids, input_mask, segment_ids: (N, S) int32 each."""
TRANSFORMERS_NAMES = {"input_ids": "input_ids", "input_mask": "attention_mask", "segment_ids": "token_type_ids"}


def peer(config: BertConfig, rows: Rows, precision: str) -> Callable[[Rows], Any]:
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
    converted.reshape({name: openvino.PartialShape(list(rows["input_ids"].shape)) for name in example})
    hints = {"INFERENCE_PRECISION_HINT": OPENVINO_HINTS[precision], "PERFORMANCE_HINT": "LATENCY"}
    compiled = openvino.Core().compile_model(converted, "CPU", hints)
    return lambda rows: compiled({theirs: rows[ours].astype(np.int64) for ours, theirs in TRANSFORMERS_NAMES.items()})


def main(argv: Sequence[str] | None = None) -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", default="base")
    p.add_argument("--length", type=int, default=384)
    p.add_argument("--batch", type=int, default=8)
    p.add_argument("--precisions", nargs="+", choices=list(OPENVINO_HINTS), default=list(OPENVINO_HINTS))
    p.add_argument("--calls", type=int, default=8)
    p.add_argument("--squad", type=Path, help="a dev file; instead of random rows")
    p.add_argument("--vocab", type=Path, help="the vocab.txt of its windows")
    p.add_argument("--batches", type=int, default=13, help="of --squad")
    args = p.parse_args(argv)
    cell = Cell(model=args.model, sequence_length=args.length, batch_size=args.batch)
    if args.squad:
        batches = squad_batches(args.squad, args.vocab, cell, args.batches)
    else:
        rows = random_rows("squad", args.length, args.batch, 1)
        batches = [{n: v for n, v in rows.items() if n in TRANSFORMERS_NAMES}]
    for name in args.precisions:
        print(json.dumps({"precision": name, **measure(cell, batches, name, args.calls)}), flush=True)


def squad_batches(dev: Path, vocab: Path, cell: Cell, count: int) -> list[Rows]:
    """Evenly spaced batches of those in which prediction takes a dev file's windows."""
    longest = cell.sequence_length
    tokenizer = WordPieceTokenizer(vocab, do_lower_case=True)
    questions = read_squad(dev, "download")[0]
    windows = make_windows(questions, tokenizer, max_seq_length=longest, doc_stride=128, max_query_length=64)
    rows = to_arrays(windows)
    plan = length_batches(token_counts(rows["input_mask"]), longest, cell.batch_size)
    chosen = [plan[n] for n in np.linspace(0, len(plan) - 1, count).round().astype(int)]
    return [{name: rows[name][batch.places, : batch.length] for name in TRANSFORMERS_NAMES} for batch in chosen]


def measure(cell: Cell, batches: list[Rows], name: PrecisionName, calls: int) -> dict[str, Any]:
    """{engine: sequences/s}, and the operations/s of a large product."""
    config = BertConfig.named(cell.model, VOCAB_SIZE)
    compute = top_level(ComputeSettings).model_copy(update={"precision": name})
    precision = set_precision(compute, config.hidden_size)
    weights = make_parameters(squad_shapes(config), config, 1)

    def ours(engine: Any) -> Call:
        forward = make_forward(engine, spans().forward, weights, config, precision)
        return lambda: [forward(batch) for batch in batches]

    engines = {"tensorflow": ours("tensorflow"), "openvino": ours("openvino")}
    if find_spec("torch") and find_spec("transformers"):
        whole = {name: np.ones((cell.batch_size, cell.sequence_length), np.int32) for name in TRANSFORMERS_NAMES}
        theirs = peer(config, whole, name)
        engines["openvino, transformers' model"] = lambda: [theirs(whole) for _ in batches]
    seconds: dict[str, list[float]] = {engine: [] for engine in engines}
    for call in engines.values():
        call()
    for _ in range(calls):
        for engine, call in engines.items():
            began = time.perf_counter()
            call()
            seconds[engine].append(time.perf_counter() - began)
    count = len(batches) * cell.batch_size
    found = {engine: round(count / statistics.median(taken), 2) for engine, taken in seconds.items()}
    return {
        **found,
        "lengths": [b["input_ids"].shape[1] for b in batches],
        "product_gflops": round(matmul_peak(precision.dtype) / 1e9),
    }


if __name__ == "__main__":
    main()
