"""The stages of dvc.yaml and which of them needs which, to be drawn."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path, PurePosixPath
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bert.pipeline.errors import StageError

LEFT_OUT = ("code", "params")  # hashes the code of all stages, each depends on it; checks params.yaml, none does


@dataclass(frozen=True)
class Stage:
    """A stage, its whole matrix as one.

    Attributes:
        kind: who does the work: beam, horovod or alone
        members: of its matrix; None without one
        needs: names of the stages that make its dependencies, without those that one of these needs anyway
    """

    name: str
    desc: str
    kind: str
    members: int | None
    needs: frozenset[str]


def _value(template: str, item: Mapping[str, Any], params: Mapping[str, Any]) -> Any:
    """`${item.x}` or `${a.b}` in what dvc.yaml says, with its value; the value itself where there is nothing else."""

    def of(name: str) -> Any:
        node: Any = {"item": item} if name.startswith("item.") else params
        for part in name.split("."):
            if not isinstance(node, Mapping) or part not in node:
                raise StageError(f"dvc.yaml: ${{{name}}} is no parameter", run="correct dvc.yaml or params.yaml")
            node = node[part]
        return node

    if whole := re.fullmatch(r"\$\{([\w.]+)\}", template):
        return of(whole[1])
    return re.sub(r"\$\{([\w.]+)\}", lambda found: str(of(found[1])), template)


def _members(stage: Mapping[str, Any], params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What `item` is in each member of the matrix; one without values where there is no matrix."""
    matrix = stage.get("matrix") or {}
    lists = [_value(values, {}, params) if isinstance(values, str) else values for values in matrix.values()]
    return [dict(zip(matrix, values, strict=True)) for values in product(*lists)]


def _paths(stage: Mapping[str, Any], kinds: tuple[str, ...], params: Mapping[str, Any]) -> set[PurePosixPath]:
    """Those that the stage names under `kinds`, in all of its members."""
    entries = [entry for kind in kinds for entry in stage.get(kind) or []]
    names = [entry if isinstance(entry, str) else next(iter(entry)) for entry in entries]
    # An empty matrix has its place in the pipeline too.
    members = _members(stage, params) or [dict.fromkeys(stage["matrix"], "*")]
    return {PurePosixPath(_value(name, item, params)) for item in members for name in names}


def _closure(needs: Mapping[str, set[str]], name: str, seen: set[str]) -> set[str]:
    """All that `name` needs, directly or not."""
    for other in needs[name] - seen:
        seen.add(other)
        _closure(needs, other, seen)
    return seen


def _without_detours(needs: Mapping[str, set[str]]) -> Iterator[tuple[str, frozenset[str]]]:
    for name, direct in needs.items():
        indirect = {far for near in direct for far in _closure(needs, near, set())}
        yield name, frozenset(direct - indirect)


def _kinds(listed: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """{stage: beam, horovod or alone}: as the description begins of any stage that runs the same module."""
    modules = {name: re.search(r"python -m ([\w.]+)", str(stage.get("cmd"))) for name, stage in listed.items()}
    names = {name: found[1] if found else name for name, found in modules.items()}
    known = {
        names[name]: kind
        for name, stage in listed.items()
        for kind in ("beam", "horovod")
        if str(stage.get("desc")).lower().startswith(f"{kind}.")
    }
    return {name: known.get(module, "alone") for name, module in names.items()}


def stages(path: Path, params: Mapping[str, Any]) -> list[Stage]:
    """The stages of a dvc.yaml, in its order. params: all of params.yaml, which its templates name.

    Raises:
        StageError: no such file, no YAML, or a template that names no parameter.
    """
    try:
        listed: dict[str, dict[str, Any]] = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))["stages"]
    except (OSError, YAMLError, KeyError, TypeError) as error:
        raise StageError(f"{path}: expected the stages of a pipeline: {error}", run=f"git checkout {path}") from None
    listed = {name: stage for name, stage in listed.items() if name not in LEFT_OUT}
    made = {name: _paths(stage, ("outs", "metrics", "plots"), params) for name, stage in listed.items()}
    needs: dict[str, set[str]] = {}
    for name, stage in listed.items():
        deps = _paths(stage, ("deps",), params)
        needs[name] = {
            other
            for other, outs in made.items()
            if other != name and any(dep.is_relative_to(out) or out.is_relative_to(dep) for dep in deps for out in outs)
        }
    drawn, kinds = dict(_without_detours(needs)), _kinds(listed)
    return [
        Stage(
            name,
            re.sub(r"\$\{item\.(\w+)\}", r"\1", str(stage.get("desc", name))),
            kinds[name],
            len(_members(stage, params)) if "matrix" in stage else None,
            drawn[name],
        )
        for name, stage in listed.items()
    ]
