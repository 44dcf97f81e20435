"""Settings and files of tasks of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

SETTINGS: dict[str, Any] = {
    "train_file": "reviews/train.csv",
    "dev_file": "reviews/dev.csv",
    "text": ["title", "body"],
    "label": "stars",
    "kind": "classification",
    "metrics": ["accuracy"],
}
REGRESSION: dict[str, Any] = {"kind": "regression", "scale": [1, 5], "metrics": ["pearson", "spearman"]}


def write(folder: Path, files: dict[str, str]) -> None:
    """{path below the folder: text}, with its line ends as they are."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(text.encode())
