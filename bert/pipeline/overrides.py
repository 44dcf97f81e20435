"""`-S KEY=VALUE`: the parameters with overrides, by DVC's own code; what it cannot take is said in words of ours.

DVC hands an override to Hydra, whose grammar is not YAML's: a path with a ~ needs quotation marks, and values with
commas between them are several experiments, not a list.
"""

from __future__ import annotations

import re
import shlex
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bert.pipeline.errors import StageError
from bert.pipeline.nearest import meant_key
from bert.pipeline.params import keys, load

_SPECIAL = re.compile(r"""[^\s,:=\[\]{}"'][^\s,\[\]{}"']*[~&!#;=<>^()`][^\s,\[\]{}"']*|~[^\s,\[\]{}"']*""")
"""A word of a value with a sign that Hydra takes between quotation marks only."""


def overridden(path: Path, overrides: Sequence[str]) -> dict[str, Any]:
    """The parameters of `path` with overrides; the file stays as it is. Example of one: pretrain.phase1.steps=2000

    Raises:
        StageError: an override of a key that is not there, or none that DVC can read or apply.
    """
    # A second, which is not to be spent where there is nothing to override.
    from dvc.exceptions import InvalidArgumentError
    from dvc.utils.hydra import apply_overrides
    from omegaconf.errors import OmegaConfBaseException

    params = load(path)
    for override in overrides:
        _check(override, params, path)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copy(path, Path(folder) / "params.yaml"))
        try:
            apply_overrides(copy, list(overrides))
        except (InvalidArgumentError, OmegaConfBaseException) as error:
            why = str(error.__cause__ or error).partition("\n")[0]
            raise StageError(
                f"-S {' -S '.join(overrides)}: DVC cannot apply it: {why}",
                run="correct it; python -m stages.params --help has examples",
            ) from None
        return load(copy)


def _check(override: str, params: Mapping[str, Any], path: Path) -> None:
    """Hold one override against the parameters of `path`. Raises StageError as `overridden`."""
    parsed = _parsed(override)
    key, known = parsed.get_key_element().lstrip("+~"), set(keys(params))
    if parsed.is_add() or parsed.is_force_add() or (parsed.is_delete() and key in known):
        return
    if key not in known:
        raise StageError(
            f"-S {override}: {path} has no parameter {key}{meant_key(key, known)}",
            run="correct it, or put a + before it to add a key, such as the section of a task of one's own",
        )
    there = _at(params, key)
    if parsed.is_sweep_override():
        raise StageError(
            f"-S {override}: several values are several experiments to DVC (dvc exp run --queue)",
            run=f"put brackets around a list: -S {_with_brackets(override)}"
            if isinstance(there, list)
            else "hold each of them by itself against what the stages read",
        )
    value = parsed.value()
    if isinstance(there, list) and isinstance(value, dict):
        raise StageError(
            f"-S {override}: {path} has a list at {key}", run=f"put brackets around it: -S {_with_brackets(override)}"
        )
    if isinstance(there, dict) and isinstance(value, dict | list):
        strange = [name for name in keys(value, f"{key}.") if name not in known] if isinstance(value, dict) else []
        if strange or isinstance(value, list):
            fault = f"has no parameter {strange[0]}{meant_key(strange[0], known)}" if strange else f"has keys at {key}"
            raise StageError(
                f"-S {override}: {path} {fault}",
                run=f"set its keys one by one, such as -S {key}.{next(iter(there))}=VALUE",
            )


def _parsed(override: str) -> Any:
    """Hydra's `Override`. Raises StageError as `overridden`."""
    from dvc.utils.hydra import to_hydra_overrides
    from hydra.errors import OverrideParseException

    key, equals, value = override.partition("=")
    try:
        if key.strip():
            (parsed,) = to_hydra_overrides([override])
            return parsed
    except OverrideParseException:
        pass
    if not (key.strip() and equals):
        raise StageError(f"-S {override}: expected KEY=VALUE", run=f"-S {key.strip() or 'KEY'}={value or 'VALUE'}")
    quoted = f"{key.strip()}={_SPECIAL.sub(_quoted, value)}"
    try:
        to_hydra_overrides([quoted])
    except OverrideParseException:
        raise StageError(
            f'-S {override}: expected a number, a word, "text", [a list] or {{key: value}} after the =',
            run="correct it; python -m stages.params --help has examples",
        ) from None
    raise StageError(f"-S {override}: DVC cannot read it as it stands", run=f"-S {shlex.quote(quoted)}")


def _quoted(word: re.Match[str]) -> str:
    return f'"{word[0]}"'


def _with_brackets(override: str) -> str:
    """As a shell takes it. Example: stability.seeds=1,2 -> 'stability.seeds=[1,2]'"""
    key, _, value = override.partition("=")
    return shlex.quote(f"{key}=[{value}]")


def _at(params: Mapping[str, Any], key: str) -> Any:
    """The value at a dotted key that is there."""
    node: Any = params
    for part in key.split("."):
        node = node[part]
    return node
