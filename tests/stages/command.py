"""A stage's arguments as dvc.yaml has them."""

from __future__ import annotations

import shlex

from ruamel.yaml import YAML

from bert.pipeline.code import ROOT

# What dvc.yaml takes from params.yaml.
VALUES = {"finetune.init": "phase2", "finetune.random_like": "phase2", "squad.data": "cloze", "glue.data": "cloze"}


def arguments(stage: str, **values: str) -> list[str]:
    """What follows `python -m stages.<module>`. values: of params.yaml and of the matrix ("item.task"), dots as __."""
    command: str = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())["stages"][stage]["cmd"]
    for name, value in (VALUES | {name.replace("__", "."): value for name, value in values.items()}).items():
        command = command.replace(f"${{{name}}}", value)
    assert "${" not in command, command
    python, option, _, *rest = shlex.split(command)
    assert (python, option) == ("python", "-m"), command
    return rest
