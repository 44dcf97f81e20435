"""Repair of what left-out parts leave in a line of text."""

from __future__ import annotations

import re

_EMPTY_BRACKETS = re.compile(r"\(\s*(?:[,;:–—-]\s*)*\)|\[\s*\]")
_BRACKET_START = re.compile(r"\(\s*(?:[,;:]\s*)+")
# Not from inside the run of points: a run without a bracket behind it is looked at once, not from each of its points.
_BRACKET_END = re.compile(r"(?<![,;:\s])\s*(?:[,;:]\s*)+\)")
_SPACES = re.compile(r"[ \t\u00a0\u2000-\u200a\u202f]+")
_SPACE_BEFORE_POINT = re.compile(r" +([,.;:!?)\]])(?!\w)")
_COMMAS = re.compile(r",(?:\s*,)+")
_SEMICOLONS = re.compile(r";(?:\s*[,;])+")
_BEFORE_FULL_STOP = re.compile(r"[,;:] ?(?=\.(?![.\w]))")
_START = re.compile(r"^(?:[,;:)]|\.(?!\.))\s+")
# Control characters, halves of surrogate pairs (which UTF-8 cannot hold) and the mark of what could not be decoded.
_NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffd-\uffff]")


def tidy(line: str) -> str:
    """No empty brackets, doubled or leading points, doubled spaces, spaces before a point, control characters.

    >>> tidy("Anne ( ; Greek: ) wrote ,, about . ")
    'Anne (Greek) wrote, about.'
    """
    line = _EMPTY_BRACKETS.sub("", _NO_TEXT.sub("", line))
    line = _BRACKET_END.sub(")", _BRACKET_START.sub("(", line))
    line = _SEMICOLONS.sub(";", _COMMAS.sub(",", _SPACES.sub(" ", line)))
    line = _SPACE_BEFORE_POINT.sub(r"\1", line).replace("( ", "(")
    return _START.sub("", _BEFORE_FULL_STOP.sub("", line).lstrip()).strip()
