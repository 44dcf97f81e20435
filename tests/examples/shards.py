"""Shards of the small corpus, and the settings under which records are made of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bert.beam.run import Workplace
from bert.examples.settings import ExamplesSettings, PhaseSettings
from bert.examples.writing import make_records
from bert.pipeline import manifest
from tests.corpus import document

PHASE = PhaseSettings(sequence_length=32, max_predictions=5, packing=False, max_sequences=3)
SETTINGS = ExamplesSettings(
    masked_lm_prob=0.15,
    dupe_factor=2,
    short_seq_prob=0.1,
    masking="static",
    whole_word=False,
    max_ngram=1,
    objective="mlm+nsp",
)


def shard(numbers: range) -> str:
    """Documents as the shards stage writes them: a sentence a line, a blank line between documents."""
    return "\n".join(document(n).replace("\n", " ").replace(". ", ".\n") + "\n" for n in numbers)


def folder(path: Path, **shards: str) -> Path:
    path.mkdir(parents=True)
    for name, text in shards.items():
        (path / f"{name}.txt").write_text(text)
    manifest.write(path, [{"path": f"{name}.txt"} for name in shards])
    return path


def stage_records(root: Path, vocab: Path, phase: dict[str, Any] | None = None, **changed: Any) -> Path:
    """A folder with the train/ and test/ of 60 and 12 documents, as the stage makes them."""
    splits = {
        "train": folder(root / "shards" / "train", train_0=shard(range(40)), train_1=shard(range(40, 60))),
        "test": folder(root / "shards" / "test", test_0=shard(range(60, 72))),
    }
    shape, settings = PHASE.model_copy(update=phase or {}), SETTINGS.model_copy(update=changed)
    make_records(splits, vocab, "phase1", shape, settings, 7, Workplace(root / "scratch"), root / "records")
    return root / "records"
