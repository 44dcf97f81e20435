"""params.yaml, read once per stage into frozen, validated sections.

A section is a pydantic model that lives beside the code which it configures. Unknown, missing and mistyped keys are
errors that name the parameter, and the key or word that was probably meant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args, overload

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bert.pipeline.errors import StageError
from bert.pipeline.misfits import Misfit, misfits
from bert.pipeline.nearest import meant, meant_key, nearest


class Section(BaseModel):
    """Base of all parameter sections."""

    model_config = ConfigDict(extra="forbid", frozen=True)


S = TypeVar("S")
T = TypeVar("T", bound=BaseModel)


def load(path: str | Path = "params.yaml") -> dict[str, Any]:
    """All of params.yaml. YAML 1.2, as DVC reads and writes it: PyYAML would take `1e-05` for a string.

    Raises:
        StageError: the file is missing, or no YAML mapping.
    """
    try:
        with open(path, encoding="utf-8") as f:
            params = YAML(typ="safe", pure=True).load(f)
    except FileNotFoundError:
        raise StageError(f"{path}: no such file in {Path.cwd()}", run="cd to the folder of dvc.yaml") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise StageError(f"{path}: not valid YAML: {error}", run=f"correct {path}") from None
    if not isinstance(params, dict):
        raise StageError(f"{path}: expected sections of parameters, got {params!r}", run=f"correct {path}")
    return params


@overload
def section(kind: type[S], key: str, path: str | Path = ..., without: Collection[str] = ...) -> S: ...
@overload
def section(kind: Any, key: str, path: str | Path = ..., without: Collection[str] = ...) -> Any: ...
def section(kind: Any, key: str, path: str | Path = "params.yaml", without: Collection[str] = ()) -> Any:
    """The value at the dotted `key`, as `kind` (a `Section` or any type that pydantic knows).

    Args:
        without: keys in it that belong to another model.

    Raises:
        StageError: the key is missing or the value does not fit; names each offending parameter.
    """
    return value(load(path), kind, key, path, without)


def value(params: Mapping[str, Any], kind: Any, key: str, path: str | Path, without: Collection[str] = ()) -> Any:
    """As `section`, of parameters that were read from `path` before."""
    node: Any = params
    for part in key.split("."):
        if not isinstance(node, dict) or part not in node:
            near = nearest(part, [str(name) for name in node]) if isinstance(node, dict) else None
            there = f"; {near} is there" if near else ""
            raise StageError(f"{path}: parameter {key!r} is missing{there}", run=f"add {key} to {path}")
        node = node[part]
    if without and isinstance(node, dict):
        node = {name: value for name, value in node.items() if name not in without}
    try:
        return TypeAdapter(kind).validate_python(node)
    except ValidationError as error:
        lines = [f"{path}: {misfit.named(key)}{_meant(misfit, kind, key, params)}" for misfit in misfits(error, node)]
        raise StageError("\n".join(lines), run=f"correct {path}, or pass -S {key}...=VALUE") from None


def keys(params: Mapping[str, Any], inside: str = "") -> Iterator[str]:
    """The dotted names of all parameters, sections too. Example: pretrain, pretrain.phase1, pretrain.phase1.steps"""
    for name, node in params.items():
        yield f"{inside}{name}"
        if isinstance(node, dict):
            yield from keys(node, f"{inside}{name}.")


def _meant(misfit: Misfit, kind: Any, key: str, params: Mapping[str, Any]) -> str:
    """The end of a line about it: what was probably meant, or the keys that belong there."""
    if "extra_forbidden" in misfit.kinds:
        name = ".".join([key, *map(str, misfit.where)])
        section = name.rpartition(".")[0]
        fields = {f"{section}.{field}" for field in _fields(kind, misfit.where[:-1])}
        return meant_key(name, fields | set(keys(params)))
    if isinstance(misfit.got, dict | list):
        return ""
    is_list = bool(misfit.kinds & {"list_type", "tuple_type"})
    if is_list or misfit.kinds & {"dict_type", "model_type"}:
        if known := ", ".join(_fields(kind, misfit.where)):
            return f"; {'each' if is_list else 'it'} has the keys {known}"
        return f"; did you mean [{misfit.got}]?" if is_list and misfit.got is not None else ""
    return meant(misfit.got, misfit.choices) if isinstance(misfit.got, str) else ""


def _fields(kind: Any, where: Sequence[int | str]) -> list[str]:
    """The keys of the models that may stand at `where` in a `kind`, in their order.

    What is neither a field nor an index in `where` is a key of a mapping.
    """
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        if not where:
            return list(kind.model_fields)
        if where[0] not in kind.model_fields:
            return _fields(kind, where[1:])
        return _fields(kind.model_fields[str(where[0])].annotation, where[1:])
    if where and isinstance(where[0], int):
        where = where[1:]
    return list(dict.fromkeys(field for each in get_args(kind) for field in _fields(each, where)))


def top_level(kind: type[T], path: str | Path = "params.yaml") -> T:
    """A model whose fields stand at the top of params.yaml, among the sections. Raises as `section`."""
    fields = kind.model_fields.items()
    return kind.model_validate({name: section(field.rebuild_annotation(), name, path) for name, field in fields})
