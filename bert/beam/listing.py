"""Lists that the parts of a stage have written, of failures or of drops, joined in one file."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from bert.beam.run import Item, Workplace


def join_lists(items: Iterable[Item], name: str, place: Workplace, target: Path) -> None:
    """The files `name` of the parts of `items`, one behind the other in the order of `items`, as `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    single = target.with_name(f".{target.name}.part")
    with open(target, "wb") as whole:
        for item in items:
            place.fetch(item, name, single)
            with open(single, "rb") as part:
                shutil.copyfileobj(part, whole)
    single.unlink(missing_ok=True)
