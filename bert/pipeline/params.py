"""params.yaml, read once per stage into frozen, validated sections.

A section is a pydantic model that lives beside the code which it configures. Unknown, missing and mistyped keys are
errors that name the parameter.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeVar, overload

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bert.pipeline.errors import StageError


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
    node: Any = load(path)
    for part in key.split("."):
        if not isinstance(node, dict) or part not in node:
            raise StageError(f"{path}: parameter {key!r} is missing", run=f"add {key} to {path}")
        node = node[part]
    if without and isinstance(node, dict):
        node = {name: value for name, value in node.items() if name not in without}
    try:
        return TypeAdapter(kind).validate_python(node)
    except ValidationError as error:
        lines = [
            f"{path}: {'.'.join([key, *map(str, e['loc'])])}: {e['msg']} (got {e['input']!r})" for e in error.errors()
        ]
        raise StageError("\n".join(lines), run=f"correct {path}, or pass -S {key}...=VALUE") from None


def top_level(kind: type[T], path: str | Path = "params.yaml") -> T:
    """A model whose fields stand at the top of params.yaml, among the sections. Raises as `section`."""
    fields = kind.model_fields.items()
    return kind.model_validate({name: section(field.rebuild_annotation(), name, path) for name, field in fields})
