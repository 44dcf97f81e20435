"""The pretraining stage on a model of two layers and some dozens of records, in a project folder of its own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.training.tiny import LAMB, write_records, write_vocab

BATCH = 8
SHARED: dict[str, Any] = {"decay_from": "warmup", "micro_batches": None, "eval_every": 20, "eval_rows": 7}
PARAMS: dict[str, Any] = {
    "seed": 7,
    "model": "tiny",
    "precision": "fp32",
    "xla": False,
    "deterministic": True,
    "attention": "auto",
    "allreduce": "fp32",
    "pretrain": {
        "init": "none",
        "optimizer": LAMB,
        "loss_scale": {"initial": 65536, "growth_steps": 1000},
        "dropout": 0.1,
        "attention_dropout": None,
        "eval_batch_size": 5,
        "max_skipped": 20,
        "keep": "last",
        "phase1": {"steps": 40, "batch_size": BATCH, "learning_rate": 0.01, "warmup_steps": 5, "decay_power": 1.0}
        | SHARED,
        "phase2": {"steps": 4, "batch_size": BATCH, "learning_rate": 1e-9, "warmup_steps": 1, "decay_power": 0.5}
        | SHARED,
    },
}


def write_project(folder: Path) -> None:
    """params.yaml, data/vocab.txt and the records of both phases, 60 to train on and 13 held out."""
    vocab = write_vocab_in(folder)
    for phase in ("phase1", "phase2"):
        write_records(folder / "data" / "tfrecords" / phase / "train", [30, 10, 20], vocab, seed=1)
        write_records(folder / "data" / "tfrecords" / phase / "test", [9, 4], vocab, seed=2)
    write_params(folder)


def write_vocab_in(folder: Path, pieces: list[str] | None = None) -> Path:
    (folder / "data").mkdir(exist_ok=True)
    return write_vocab(folder / "data" / "vocab.txt", pieces)


def masked_lm_alone(folder: Path) -> None:
    """Records without labels of pairs, for both phases."""
    for phase in ("phase1", "phase2"):
        shutil.rmtree(folder / "data/tfrecords" / phase)
        for part, counts in (("train", [30, 10]), ("test", [13])):
            place = folder / "data/tfrecords" / phase / part
            write_records(place, counts, folder / "data/vocab.txt", seed=len(part), objective="mlm")


def write_params(
    folder: Path, phase1: dict[str, Any] | None = None, pretrain: dict[str, Any] | None = None, **changes: Any
) -> None:
    """PARAMS with changes at the top, in pretrain and in pretrain.phase1."""
    pretrain = PARAMS["pretrain"] | (pretrain or {}) | {"phase1": PARAMS["pretrain"]["phase1"] | (phase1 or {})}
    with open(folder / "params.yaml", "w", encoding="utf-8") as f:
        YAML(typ="safe", pure=True).dump(PARAMS | {"pretrain": pretrain} | changes, f)


def arguments(phase: str = "phase1", out: str | None = None, init: str | None = None) -> list[str]:
    """As dvc.yaml has them; `out` names the results of a second run, `init` another start."""
    name = out or phase
    start = init or ("phase1" if phase == "phase2" else "none")
    return [
        *("--phase", phase, "--records", f"data/tfrecords/{phase}", "--vocab", "data/vocab.txt"),
        *("--init", f"data/models/{start}"),
        *("--out", f"data/models/{name}", "--curve", f"metrics/curves/pretrain_{name}.tsv"),
        *("--held-out-curve", f"metrics/curves/pretrain_{name}_held_out.tsv"),
        *("--metrics", f"metrics/pretrain_{name}.json"),
        *("--provenance", f"metrics/provenance/pretrain_{name}.json"),
    ]


def metrics_of(folder: Path, name: str) -> dict[str, Any]:
    """The metrics of a run. Example of a name: phase1"""
    metrics: dict[str, Any] = json.loads((folder / "metrics" / f"pretrain_{name}.json").read_text())
    return metrics


def curve(folder: Path, name: str = "phase1") -> list[dict[str, float]]:
    """The rows of a curve, {column: value}. Example of a name: phase1_held_out"""
    header, *rows = (folder / "metrics" / "curves" / f"pretrain_{name}.tsv").read_text().splitlines()
    columns = header.split("\t")
    return [dict(zip(columns, map(float, row.split("\t")), strict=True)) for row in rows]
