"""Which stages a folder came from, with their parameters, as dvc.lock has them.

dvc.lock and not params.yaml: it has the values that made what lies there, whatever has been set since. It is taken at
its word only where the bytes are those that it names.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bert.pipeline.files import read_json
from bert.pipeline.scratch import dvc_md5

LOCK = Path("dvc.lock")
RECORDS = "metrics/provenance/"


@dataclass(frozen=True)
class Step:
    """A stage that has run.

    Attributes:
        stage: DVC's name of it
        params: {dotted name: value}
        outs: {path: MD5}
    """

    stage: str
    params: dict[str, Any]
    outs: dict[str, str]

    def metrics(self) -> dict[str, Any]:
        """What it has measured, {} where the file there is of another run."""
        return self._json(lambda path: path.startswith("metrics/") and not path.startswith(RECORDS))

    def provenance(self) -> dict[str, Any]:
        """Where and from which commit it ran, {} where that is not here."""
        return self._json(lambda path: path.startswith(RECORDS))

    @property
    def keeps_provenance(self) -> bool:
        """Whether it records that, as trainings do."""
        return any(path.startswith(RECORDS) for path in self.outs)

    def _json(self, wanted: Any) -> dict[str, Any]:
        for path, md5 in self.outs.items():
            if wanted(path) and path.endswith(".json") and is_as_locked(Path(path), md5):
                found: dict[str, Any] = read_json(path, f"dvc repro {self.stage}")
                return found
        return {}


def lineage(folder: Path, lock: Path = LOCK) -> list[Step]:
    """The stage that wrote `folder` and all that led to it, the nearest first; [] where dvc.lock does not know.

    The working directory is that of dvc.lock.
    """
    try:
        stages = YAML(typ="safe", pure=True).load(lock)["stages"]
        path = folder.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except (OSError, KeyError, TypeError, ValueError, YAMLError):
        return []
    writers = {(o["path"], o.get("md5")): name for name, stage in stages.items() for o in stage.get("outs", [])}
    first = next((name for (out, md5), name in writers.items() if out == path and is_as_locked(folder, md5)), None)
    names = [] if first is None else [first]
    for name in names:  # grows on the way
        for dep in stages[name].get("deps", []):
            writer = writers.get((dep["path"], dep.get("md5")))
            if writer is not None and writer not in names:
                names.append(writer)
    return [_step(name, stages[name]) for name in names]


def _step(name: str, entry: dict[str, Any]) -> Step:
    params = {key: value for file in entry.get("params", {}).values() for key, value in file.items()}
    return Step(name, params, {out["path"]: out.get("md5", "") for out in entry.get("outs", [])})


def is_as_locked(path: Path, md5: str | None) -> bool:
    """Whether a file or folder is there, with the bytes that dvc.lock names."""
    return path.exists() and dvc_md5(path) == md5
