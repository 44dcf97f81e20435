"""Which results of a revision were made from other data or parameters than it has.

An experiment may run some stages alone: the metrics of the others are then in its commit as they were before. dvc.lock
has the hash of each input and the value of each parameter that a stage has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any


def stale_outs(stages: Mapping[str, Any], param: Callable[[str], Any]) -> dict[str, str]:
    """{path: the stage that made it} of those, metrics among them.

    Args:
        stages: of dvc.lock, {name: its entry}
        param: the revision's value of a dotted parameter, None where it has none
    """
    outs = {out["path"]: (name, out.get("md5")) for name in stages for out in stages[name].get("outs") or ()}
    found: dict[str, bool] = {}

    def is_stale(name: str) -> bool:
        if name not in found:
            found[name] = False  # DVC's graph has no circle; whoever asks on the way gets no answer but this
            found[name] = _saw_other_params(stages[name], param) or any(
                (path == dep["path"] and md5 != dep.get("md5"))
                or (_one_in_the_other(path, dep["path"]) and is_stale(by))
                for dep in stages[name].get("deps") or ()
                for path, (by, md5) in outs.items()
            )
        return found[name]

    return {path: by for path, (by, _) in outs.items() if is_stale(by)}


def _saw_other_params(stage: Mapping[str, Any], param: Callable[[str], Any]) -> bool:
    seen = (stage.get("params") or {}).get("params.yaml") or {}
    return any(param(key) != value for key, value in seen.items())


def _one_in_the_other(path: str, other: str) -> bool:
    """Example: metrics/glue and metrics/glue/mrpc.json"""
    return f"{path}/".startswith(f"{other}/") or f"{other}/".startswith(f"{path}/")
