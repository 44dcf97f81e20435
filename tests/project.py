"""A project folder to run stages in, as real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from bert.pipeline.code import ROOT

PARAMS: dict[str, Any] = {
    "seed": 7,
    "download": {
        "contact": None,
        "connections": 2,
        "retries": 1,
        "timeout_seconds": 10,
        "dumps": "http://127.0.0.1:1",  # nobody there
        "mirrors": [],
        "wikipedia": [],
        "books": [],
        "text": [],
    },
    "documents": {
        "min_passage_chars": 20,
        "max_page_bytes": 100000,
        "max_page_nodes": 1000,
        "max_page_depth": 20,
        "max_error_rate": 0.1,
        "tail_sections": ["references"],
        "language_variant": None,
    },
    "shards": {
        "language": "en",
        "train": 3,
        "test": 2,
        "test_fraction": 0.3,
        "duplicates": "exact",
        "near": {"threshold": 0.8, "permutations": 128, "shingle": 3},
        "max_repeats": None,
    },
    "vocab": {
        "source": None,
        "do_lower_case": None,
        "size": 200,
        "iterations": 2,
        "max_bytes": 100000,
        "max_words": 1000,
    },
    "tfrecords": {
        "examples": {
            "masked_lm_prob": 0.15,
            "dupe_factor": 2,
            "short_seq_prob": 0.1,
            "masking": "static",
            "whole_word": False,
            "max_ngram": 1,
            "objective": "mlm+nsp",
        },
        "phase1": {"sequence_length": 32, "max_predictions": 5, "packing": False, "max_sequences": 3},
    },
}


@dataclass(frozen=True)
class Project:
    """`path` holds links to bert/ and stages/, and a params.yaml."""

    path: Path

    @classmethod
    def create(cls, path: Path) -> Project:
        path.mkdir()
        for package in ("bert", "stages"):
            (path / package).symlink_to(ROOT / package)
        project = cls(path)
        project.write_params(PARAMS)
        return project

    def write_params(self, params: dict[str, Any]) -> None:
        with open(self.path / "params.yaml", "w", encoding="utf-8") as f:
            YAML(typ="safe", pure=True).dump(params, f)

    def set(self, **sections: dict[str, Any]) -> None:
        """Change keys of sections: set(shards={"train": 4})."""
        self.write_params(
            {
                **PARAMS,
                **{name: {**PARAMS[name], **changes} for name, changes in sections.items()},
            }
        )

    def arguments(self, stage: str, key: str = "") -> list[str]:
        """The flags of `stage` as dvc.yaml gives them, without those that are about its input."""
        name = f"{stage}/{key}" if key else stage
        out = f"data/{name}" + (".txt" if stage == "vocab" else "")
        beside = ["--tokenizer-config", "data/tokenizer_config.json"] if stage == "vocab" else []
        return ["--out", out, *beside, "--metrics", f"metrics/{name}.json"]

    def start(self, stage: str, *arguments: str, leads: bool = False, **environment: str) -> subprocess.Popen[str]:
        """`python -m stages.<stage>` in the project, going on while the test looks; `leads` a process group."""
        return subprocess.Popen(
            [sys.executable, "-m", f"stages.{stage}", *arguments],
            cwd=self.path,
            env={**os.environ, **environment},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=leads,
        )

    def run(self, stage: str, *arguments: str, **environment: str) -> str:
        """`python -m stages.<stage>`, which must succeed; what it wrote to stderr."""
        process = self.start(stage, *arguments, leads=False, **environment)
        _, said = process.communicate(timeout=240)
        assert process.returncode == 0, said
        return said


def files(folder: Path) -> dict[str, bytes]:
    """{path in the folder: contents} of all files under it."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def catches(process: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal (proc(5), SigCgt)."""
    (line,) = (x for x in Path(f"/proc/{process}/status").read_text().splitlines() if x.startswith("SigCgt:"))
    return bool(int(line.split()[1], 16) >> (number - 1) & 1)
