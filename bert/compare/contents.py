"""What a revision has to show: its parameters, its metrics, and the records of where these were measured.

Metrics and parameters are in git. The records (metrics/provenance) are in DVC's cache, under the hashes in dvc.lock;
no remote is asked for them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import md5
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bert.compare.revisions import Revision, files
from bert.compare.stale import stale_outs
from bert.pipeline.errors import StageError
from bert.report.inputs import Inputs, Metrics, in_order, key_of, stage_of

METRICS, RECORDS, LOCK, PARAMS = "metrics", "metrics/provenance", "dvc.lock", "params.yaml"
# The folders into which a matrix of dvc.yaml writes, and the parameter that has its items.
MATRICES = {
    "glue": "glue.tasks",
    "benchmark_training": "benchmark_training.cells",
    "benchmark_inference": "benchmark_inference.cells",
}
FETCH = "dvc fetch --all-commits --max-size 10000"
"""Gets the records of all commits from the remote, each of some 1,000 bytes, and no model."""


@dataclass(frozen=True)
class Contents:
    """What a revision has.

    Attributes:
        params: all of params.yaml
        inputs: metrics and provenance; whatever else a report has, it does not hold
        data_hashes: {key of a result: {path: hash, in dvc.lock, of the examples that it was trained and scored on}}
        record_hashes: {key: hash of its record}, known from dvc.lock even where the record is not here
        not_run: {key of a result that is left out, as it was made from other data or parameters: its stage}
    """

    revision: Revision
    params: Mapping[str, Any]
    inputs: Inputs
    data_hashes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    record_hashes: Mapping[str, str] = field(default_factory=dict)
    not_run: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.revision.name

    def has_data_of(self, other: Contents, key: str) -> bool:
        """Whether the result of `key` was trained on the same examples in both, as far as is known."""
        source = f"{key.partition('/')[0]}.data"
        return self.param(source) == other.param(source) and same_files(
            self.data_hashes.get(key, {}), other.data_hashes.get(key, {})
        )

    def param(self, key: str) -> Any:
        """The value at the dotted `key`; None where this revision has no such parameter."""
        node: Any = self.params
        for part in key.split("."):
            if not isinstance(node, Mapping) or part not in node:
                return None
            node = node[part]
        return node


def same_files(first: Mapping[str, str], second: Mapping[str, str]) -> bool:
    """Whether those that both have are alike. first, second: {path: hash}"""
    return all(first[path] == second[path] for path in first.keys() & second.keys())


def read(revision: Revision) -> Contents:
    """All of a revision that can be compared.

    Raises:
        StageError: it has no metrics, or a broken file; names it.
    """
    found = files(revision, (METRICS, LOCK, PARAMS))
    params = _parsed_yaml(revision, found, PARAMS)
    contents = Contents(revision, params, Inputs())
    metrics: dict[str, Metrics] = {}
    records: dict[str, Metrics] = {}
    record_hashes: dict[str, str] = {}
    for path, data in found.items():
        if not path.startswith(f"{METRICS}/") or not path.endswith(".json"):
            continue
        if path.startswith(f"{RECORDS}/"):  # of the workspace alone: git ignores them
            records[key_of(Path(path), "provenance")] = _parsed_json(revision, path, data)
            record_hashes[key_of(Path(path), "provenance")] = md5(data).hexdigest()
        elif _is_current(contents, key := key_of(Path(path), "metrics")):
            metrics[key] = _parsed_json(revision, path, data)
    if not metrics:
        raise StageError(
            f"{revision.name}: there is no {METRICS}/*.json in it"
            + ("" if revision.commit is None else "; name one that has"),
            run="dvc repro" if revision.commit is None else f"git log --oneline --all -- {METRICS}",
        )
    stages = _parsed_yaml(revision, found, LOCK).get("stages") or {}
    locked = {key: digest for key, digest in _record_hashes(stages).items() if key not in records}
    records |= _cached_records(revision, locked)
    record_hashes |= locked
    old = stale_outs(
        {name: stage for name, stage in stages.items() if not _is_left_over(stage, metrics)}, contents.param
    )
    stale = {key_of(Path(path), "metrics"): by for path, by in old.items() if path.startswith(f"{METRICS}/")}
    ordered = {key: metrics[key] for key in sorted(metrics, key=in_order) if key not in stale}
    not_run = {key: stale[key] for key in sorted(metrics, key=in_order) if key in stale}
    hashes = {key: _data_hashes(stages.get(stage_of(key)) or {}) for key in ordered}
    return Contents(revision, params, Inputs(metrics=ordered, provenance=records), hashes, record_hashes, not_run)


def _is_current(contents: Contents, key: str) -> bool:
    """Whether params name the member of a matrix whose file this is: DVC leaves the files of former ones there."""
    group, _, item = key.partition("/")
    named = contents.param(MATRICES[group]) if group in MATRICES else None
    return not isinstance(named, list) or item in map(str, named)


def _parsed_json(revision: Revision, path: str, data: bytes) -> Metrics:
    try:
        value = json.loads(data)
    except ValueError as error:
        raise StageError(f"{path} of {revision.name}: not valid JSON ({error})", run=_again(revision, path)) from None
    if not isinstance(value, dict):
        raise StageError(
            f"{path} of {revision.name}: expected a JSON object, got {type(value).__name__}", run=_again(revision, path)
        )
    return value


def _again(revision: Revision, path: str) -> str:
    if revision.commit is not None:
        return f"git show {revision.commit[:7]}:./{path}"
    folder = "provenance" if path.startswith(f"{RECORDS}/") else METRICS
    return f"dvc repro -f -s {stage_of(key_of(Path(path), folder))}"


def _parsed_yaml(revision: Revision, found: Mapping[str, bytes], path: str) -> dict[str, Any]:
    """{} where the revision has no such file."""
    try:
        value = YAML(typ="safe", pure=True).load(found.get(path, b"").decode("utf-8")) or {}
    except (YAMLError, UnicodeDecodeError) as error:
        raise StageError(f"{path} of {revision.name}: not valid YAML: {error}", run=f"correct {path}") from None
    if not isinstance(value, dict):
        raise StageError(f"{path} of {revision.name}: expected a mapping, got {value!r}", run=f"correct {path}")
    return value


def _data_hashes(stage: Mapping[str, Any]) -> dict[str, str]:
    """Of what a stage reads of data/ but for models."""
    deps = {dep["path"]: str(dep.get("md5")) for dep in stage.get("deps") or ()}
    return {path: digest for path, digest in deps.items() if path.startswith("data/") and "/models/" not in path}


def _is_left_over(stage: Mapping[str, Any], metrics: Mapping[str, Metrics]) -> bool:
    """Whether a stage wrote metrics and the revision has none of them: DVC keeps in dvc.lock what dvc.yaml has no more.

    Example: of a cell or a seed that params.yaml names no longer
    """
    outs = [Path(out["path"]) for out in stage.get("outs") or () if out["path"].startswith(f"{METRICS}/")]
    keys = [
        key_of(path, METRICS) for path in outs if path.suffix == ".json" and not str(path).startswith(f"{RECORDS}/")
    ]
    return bool(keys) and not any(key in metrics for key in keys)


def _record_hashes(stages: Mapping[str, Any]) -> dict[str, str]:
    """By key, as DVC has them: MD5 of the bytes. stages: of dvc.lock."""
    outs = [out for stage in stages.values() for out in stage.get("outs") or ()]
    return {
        key_of(Path(out["path"]), "provenance"): out["md5"]
        for out in outs
        if out["path"].startswith(f"{RECORDS}/") and "md5" in out
    }


def _cached_records(revision: Revision, hashes: Mapping[str, str]) -> dict[str, Metrics]:
    """Those of the revision's records that DVC's cache has."""
    cache = _cache() if hashes else None
    records: dict[str, Metrics] = {}
    for key, digest in hashes.items():
        file = cache / digest[:2] / digest[2:] if cache else None
        if file is not None and file.is_file():
            records[key] = _parsed_json(revision, f"{RECORDS}/{key}.json", file.read_bytes())
    return records


def _cache() -> Path | None:
    """The folder of DVC's cached files; None where this is no DVC repository."""
    from dvc.exceptions import NotDvcRepoError  # half a second: only where there is something to look up
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            return Path(repo.cache.local.path)
    except NotDvcRepoError:
        return None
