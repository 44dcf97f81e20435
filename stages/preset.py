"""Not a stage: print a preset of presets/*.yaml, parameters and machine settings for known hardware.

python -m stages.preset --list                 their names
python -m stages.preset NAME                   its parameters, as -S flags
python -m stages.preset NAME --env             its machine settings, as variables

env $(python -m stages.preset NAME --env) dvc exp run $(python -m stages.preset NAME)
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bert.pipeline.code import ROOT
from bert.pipeline.errors import StageError
from bert.pipeline.job import parser, run
from bert.pipeline.params import load

FOLDER = ROOT / "presets"
KEYS = ("base", "params", "machine")


@dataclass(frozen=True)
class Preset:
    """params: {dotted name in params.yaml: value}; machine: {environment variable: value}.

    Values are numbers, words and null, so that what a shell makes of `$(...)` is what stands here.
    """

    params: Mapping[str, Any]
    machine: Mapping[str, str]

    def flags(self) -> str:
        """As `-S` flags of dvc exp run."""
        return " ".join(f"-S {name}={json.dumps(value).strip(chr(34))}" for name, value in self.params.items())

    def environment(self) -> str:
        """As assignments, to stand before a command."""
        return " ".join(f"{name}={value}" for name, value in self.machine.items())


def names(folder: Path = FOLDER) -> list[str]:
    """All presets."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def _as_variable(value: Any) -> str:
    return ",".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else str(value)


def read_preset(name: str, params: Mapping[str, Any], folder: Path = FOLDER) -> Preset:
    """The preset `name`, with what its `base` holds and it does not say itself.

    Args:
        params: all of params.yaml, which has to know every parameter of the preset.

    Raises:
        StageError: no such preset, or one that says what nobody reads.
    """
    if name not in names(folder):
        raise StageError(f"there is no preset {name!r} in {folder}", run="python -m stages.preset --list")
    path = folder / f"{name}.yaml"
    raw = load(path)
    if unknown := sorted(raw.keys() - set(KEYS)):
        raise StageError(f"{path}: {', '.join(unknown)}: expected {', '.join(KEYS)}", run=f"correct {path}")
    base = read_preset(raw["base"], params, folder) if "base" in raw else Preset({}, {})
    for key in raw.get("params", {}):
        node: Any = params
        for part in key.split("."):
            if not isinstance(node, Mapping) or part not in node:
                raise StageError(f"{path}: params.yaml has no parameter {key!r}", run=f"correct {path}")
            node = node[part]
    machine = {key: _as_variable(value) for key, value in raw.get("machine", {}).items()}
    return Preset({**base.params, **raw.get("params", {})}, {**base.machine, **machine})


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("name", nargs="?", metavar="NAME", help="one of --list")
    p.add_argument("--list", action="store_true", help="print the names")
    p.add_argument("--env", action="store_true", help="print machine settings instead of parameters")
    args = p.parse_args(argv)
    if args.list:
        print("\n".join(names()))
    elif args.name is None:
        p.error("give the name of a preset, or --list")
    else:
        preset = read_preset(args.name, load())
        print(preset.environment() if args.env else preset.flags())


if __name__ == "__main__":
    run(main)
