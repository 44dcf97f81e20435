"""What every rule is: a function from a sentence to a changed one, or to None where it does not fit.

A rule gets one plain sentence that ends in a full stop, the capitals of its document, and a random generator for
choosing among the places where it fits.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

from bert.cloze.english.capitals import Capitals

Rule = Callable[[str, Capitals, np.random.Generator], str | None]

# Words in whose scope a phrase may not be moved out of: "She said that he died in 1905" is no "In 1905 she said ...".
EMBEDDING = re.compile(
    r"\b(?:that|which|who|whom|whose|where|when|if|whether|while|because|although|though|and|or|but|as|than|said|says|to)\b"
)
_VOWEL_SOUND = re.compile(r"(?i)(?!uni|use|usu|euro|one\b|once|ut[ie])[aeiou]|hour|honest|heir|honou?r|8|11\b|18\b")


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def like(model: str, text: str) -> str:
    """`text` with a capital first letter if `model` has one."""
    return capital(text) if model[:1].isupper() else text


def put(sentence: str, start: int, end: int, new: str) -> str:
    """Replace sentence[start:end]; an "a" or "an" right before it follows the new sound.

    >>> put("It is a large city.", 8, 13, "enormous")
    'It is an enormous city.'
    """
    before, after = sentence[:start], sentence[end:]
    article = re.search(r"(?<!\w)([Aa])n? $", before)
    if article and new:
        before = before[: article.start()] + article[1] + ("n " if _VOWEL_SOUND.match(new) else " ")
    return before + new + after


def num_words(text: str) -> int:
    return len(text.split())


def plural(noun: str) -> bool:
    ending = noun.endswith("s") and not noun.endswith(("ss", "us", "is"))
    return ending or noun in {"people", "men", "women", "children"}
