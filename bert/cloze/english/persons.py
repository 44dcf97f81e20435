"""Which names are persons', judged by the words beside them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bert.cloze.english.capitals import Capitals

PERSON_BEFORE = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|Sir|Lord|Lady|President|King|Queen|Emperor|Prince|Princess|Pope|Saint|Senator|Minister|General|"
    r"Captain|Professor|minister|president|author|writer|poet|actor|actress|composer|philosopher|director|singer|"
    r"spokesman|leader|brother|sister|father|mother|wife|husband|son|daughter)\.? $"
)
_PERSON_AFTER = re.compile(
    r"^,? (?:who\b|whose\b|said|says|wrote|told|argued|argues|believed|believes|was born|died|married|thought|claimed|"
    r"felt|met|himself\b|herself\b|and his\b|and her\b|had been born|was elected|suggested|proposed|explained)"
)


def people(sentences: Iterable[str], capitals: Capitals) -> frozenset[str]:
    """Last words of the names that a document somewhere uses as a person's: after a title, before "said"."""
    found = set()
    for sentence in sentences:
        for start, end in capitals.names(sentence):
            if PERSON_BEFORE.search(sentence[:start]) or _PERSON_AFTER.match(sentence[end:]):
                found.add(sentence[start:end].split()[-1])
    return frozenset(found)
