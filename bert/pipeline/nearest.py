"""Of a misspelt word or parameter, the one that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Set


def nearest(word: str, known: Collection[str]) -> str | None:
    """The known word that is most like `word`; None where none is near. Example: precison -> precision"""
    found = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.7)
    return found[0] if found else None


def nearest_key(key: str, known: Set[str]) -> str | None:
    """The known dotted key that is most like `key`: misspelt in its section, else of its name in another section.

    Examples: pretrain.phase1.step -> pretrain.phase1.steps; squad.dropout -> finetune.dropout
    """
    section, _, name = key.rpartition(".")
    beside = {other.rpartition(".")[2]: other for other in known if other.rpartition(".")[0] == section}
    if found := nearest(name, beside.keys() - {name}):
        return beside[found]
    others = [other for other in known - set(beside.values()) if not f"{key}.".startswith(f"{other}.")]
    namesakes = [other for other in others if other.rpartition(".")[2] == name]
    return max(sorted(namesakes), key=lambda other: _alike(key, other)) if namesakes else nearest(key, others)


def _alike(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def meant(word: str, known: Collection[str]) -> str:
    """The end of a message about a `word`: a question, or nothing where no known one is near."""
    found = nearest(word, known)
    return f"; did you mean {found}?" if found else ""


def meant_key(key: str, known: Set[str]) -> str:
    """The same of a dotted key."""
    found = nearest_key(key, known)
    return f"; did you mean {found}?" if found else ""
