"""Records a second and core: ours, and beside it the reference's create_pretraining_data.py, given by its path.

    python -m benchmarks.create_pretraining_data --shard data/shards/train/... --vocab data/vocab.txt \\
        --reference ~/bert/create_pretraining_data.py

Timed is the processor time of all threads from the text of one shard to its records in a file. Start-up is not:
libraries are imported before, and of the reference the time of a run on a dozen words is subtracted. Both do the same
work at the settings of params.yaml, and run turn by turn; the median of the turns counts.
What the reference imports has to be on PYTHONPATH.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bert.examples.schema import write_record
from bert.examples.settings import ExamplesSettings, PhaseSettings
from bert.examples.windows import windows
from bert.examples.writing import TOKENS_A_BATCH, RowMaker, batched, generator, tokenized
from bert.pipeline.params import section
from bert.tokens.casing import lower_cases
from bert.tokens.tokenizer import WordPieceTokenizer

Turn = dict[str, Any]
FEW_WORDS = "One line.\nAnother line.\n\nA second document.\nIts end.\n"


def ours(
    shard: Path, phase: PhaseSettings, settings: ExamplesSettings, tokenizer: WordPieceTokenizer
) -> dict[str, Any]:
    """{records, seconds, shares of the steps} of one turn."""
    spent: dict[str, float] = {}
    at = time.process_time()

    def until_now(step: str) -> None:
        nonlocal at
        now = time.process_time()
        spent[step] = spent.get(step, 0.0) + now - at
        at = now

    counts: Counter[str] = Counter()
    maker, rng = RowMaker(phase, settings, tokenizer), generator("benchmark")
    size = TOKENS_A_BATCH // phase.sequence_length
    file, written = io.BytesIO(), 0
    with open(shard, "rb") as lines:
        for window in windows(lines, shard.stat().st_size):
            documents = tokenized(window, tokenizer, counts)
            until_now("tokenise")
            rows = list(maker.rows(documents, rng, Counter()))
            until_now("pair, pack")
            batches = batched(iter(rows), size)
            records = [r for batch in batches for r in maker.serialized(batch, rng.bit_generator, counts)]
            until_now("mask, lay out, serialise")
            for record in records:
                write_record(file, record)
            written += len(records)
            until_now("write")
    seconds = sum(spent.values())
    shares = {step: round(took / seconds, 3) for step, took in spent.items()}
    return {"records": written, "seconds": seconds, "shares": shares}


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _records_in(path: Path) -> int:
    data, at, count = path.read_bytes(), 0, 0
    while at < len(data):
        at += 16 + int.from_bytes(data[at : at + 8], "little")
        count += 1
    return count


def reference(
    script: Path, shard: Path, vocab: Path, phase: PhaseSettings, settings: ExamplesSettings
) -> dict[str, Any]:
    """{records, seconds} of one turn of the script in a process of its own, without its start-up."""

    def run(text: Path, out: Path) -> float:
        before = _children()
        flags = {
            "input_file": text,
            "output_file": out,
            "vocab_file": vocab,
            "do_lower_case": lower_cases(vocab, "dvc repro vocab"),
            "max_seq_length": phase.sequence_length,
            "max_predictions_per_seq": phase.max_predictions,
            "masked_lm_prob": settings.masked_lm_prob,
            "short_seq_prob": settings.short_seq_prob,
            "dupe_factor": settings.dupe_factor,
        }
        command = [sys.executable, str(script), *(f"--{name}={value}" for name, value in flags.items())]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"{script} failed:\n{done.stderr[-2000:]}")
        return _children() - before

    with tempfile.TemporaryDirectory() as folder:
        few, out = Path(folder) / "few.txt", Path(folder) / "out.tfrecord"
        few.write_text(FEW_WORDS)
        start_up = run(few, out)
        seconds = run(shard, out) - start_up
        return {"records": _records_in(out), "seconds": seconds, "start_up_seconds": round(start_up, 2)}


def median(turns: list[Turn]) -> dict[str, Any]:
    """The turn of the median rate, with the rate and the range of all."""
    rates = sorted(turn["records"] / turn["seconds"] for turn in turns)
    middle = statistics.median_low(rates)
    (turn, *_) = [turn for turn in turns if turn["records"] / turn["seconds"] == middle]
    rate = {"records_per_second": round(middle), "lowest": round(rates[0]), "highest": round(rates[-1])}
    return rate | {**turn, "seconds": round(turn["seconds"], 4)}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--shard", type=Path, required=True, help="a sentence a line, a blank line between documents")
    p.add_argument("--vocab", type=Path, required=True)
    p.add_argument("--reference", type=Path, help="create_pretraining_data.py of BERT; ours alone without")
    p.add_argument("--phase", default="phase1", choices=("phase1", "phase2"))
    p.add_argument("--turns", type=int, default=5)
    p.add_argument("--out", type=Path, help="where to write the figures as JSON too")
    args = p.parse_args()
    phase = section(PhaseSettings, f"tfrecords.{args.phase}").model_copy(update={"packing": False})
    given = section(ExamplesSettings, "tfrecords.examples")
    plain = {"whole_word": False, "max_ngram": 1, "objective": "mlm+nsp"}
    kinds = {name: given.model_copy(update={**plain, "masking": name}) for name in ("static", "dynamic")}
    tokenizer = WordPieceTokenizer(args.vocab)
    for settings in kinds.values():  # warm-up
        ours(args.shard, phase, settings, tokenizer)
    turns: dict[str, list[Turn]] = {}

    def one_turn() -> Iterator[tuple[str, Turn]]:
        for name, settings in kinds.items():
            yield name, ours(args.shard, phase, settings, tokenizer)
        if args.reference:
            yield "reference", reference(args.reference, args.shard, args.vocab, phase, kinds["static"])

    for _ in range(args.turns):
        for name, turn in one_turn():
            turns.setdefault(name, []).append(turn)
    figures: dict[str, Any] = {name: median(of_kind) for name, of_kind in turns.items()}
    if args.reference:
        theirs = figures["reference"]
        figures["static_times_reference"] = round(
            figures["static"]["records_per_second"] / theirs["records_per_second"], 1
        )
        # The same text for as many epochs: dynamic masking stores it once, the reference dupe_factor times.
        figures["dynamic_same_epochs_times_reference"] = round(theirs["seconds"] / figures["dynamic"]["seconds"], 1)
        figures["dynamic_records_times_reference"] = round(
            figures["dynamic"]["records_per_second"] / theirs["records_per_second"], 1
        )
    figures["settings"] = {"phase": phase.model_dump(), "dupe_factor": given.dupe_factor, "turns": args.turns}
    figures["machine"] = {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()}
    figures["versions"] = {name: version(name) for name in ("tensorflow", "tensorflow-text", "numpy")}
    text = json.dumps(figures, indent=2)
    print(text)
    if args.out:
        args.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
