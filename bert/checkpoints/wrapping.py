"""What wraps a model stands before all of its names: `module.` of a parallel one, `model.`, a scope, `bert.`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bert.checkpoints.choice import AGAIN
from bert.pipeline.errors import StageError


def wrapping(names: Iterable[str], of_words: str, path: Path) -> str:
    """What stands before the name of the word embeddings; nothing where that is not there.

    Raises:
        StageError: there are several.
    """
    found = sorted(
        name.removesuffix(of_words)
        for name in names
        if name == of_words or name.endswith((f".{of_words}", f"/{of_words}"))
    )
    if len(found) > 1:
        raise StageError(
            f"{path}: expected one encoder, there are {len(found)}: {', '.join(map(repr, found))} stand "
            f"before {of_words}",
            run=AGAIN,
        )
    return found[0] if found else ""
