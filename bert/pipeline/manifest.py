"""manifest.json: what a stage's folder holds. Written last, so that its existence means that the folder is whole.

    {"configured": true, "files": [{"path": "...", "bytes": 1, "sha256": "..."}, ...], ...}

A folder whose source is not configured holds nothing but `{"configured": false}`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bert.pipeline.errors import StageError
from bert.pipeline.files import read_json, sha256_of, write_json

NAME = "manifest.json"


def write(folder: Path, files: list[dict[str, Any]] | None = None, **more: Any) -> None:
    """List `files` (default: all in the folder, by name) with their size and SHA-256.

    Entries of `files` have at least `path`, relative to the folder; what else they carry is kept.
    """
    if files is None:
        files = [
            {"path": str(p.relative_to(folder))} for p in sorted(folder.rglob("*")) if p.is_file() and p.name != NAME
        ]
    entries = []
    for entry in files:
        path = folder / entry["path"]
        measured = {"bytes": path.stat().st_size, "sha256": entry.get("sha256") or sha256_of(path)}
        entries.append({**entry, **measured})
    write_json(folder / NAME, {"configured": True, **more, "files": entries})


def write_unconfigured(folder: Path) -> None:
    """The whole output of a stage whose source is null or empty."""
    write_json(folder / NAME, {"configured": False, "files": []})


def read(folder: str | Path, made_by: str) -> dict[str, Any]:
    """The manifest of a folder whose files are all there, at their recorded sizes.

    Raises:
        StageError: manifest missing, or a file missing or of another size (truncated); names it and `made_by`.
    """
    folder = Path(folder)
    manifest = read_json(folder / NAME, made_by)
    for entry in manifest["files"]:
        path = folder / entry["path"]
        if not path.exists():
            raise StageError(f"{path}: listed in {folder / NAME} but missing", run=made_by)
        if (size := path.stat().st_size) != entry["bytes"]:
            raise StageError(
                f"{path}: {size} bytes, expected {entry['bytes']} by {folder / NAME}: truncated or changed", run=made_by
            )
    return manifest


def read_configured(folder: str | Path, parameter: str, made_by: str) -> dict[str, Any]:
    """As `read`, and an unconfigured folder is an error that names the parameter to set."""
    manifest = read(folder, made_by)
    if not manifest["configured"]:
        raise StageError(f"{folder} is empty: its source is not configured", run=f"set {parameter}, then {made_by}")
    return manifest
