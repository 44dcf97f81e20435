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


# Superscripts, subscripts and fractions of one character. WordPiece folds case with NFKC, which makes 1024 of 10²⁴.
_RAISED, _LOWERED, _FRACTIONS = "⁺⁻⁽⁾ⁿⁱ⁰¹²³⁴⁵⁶⁷⁸⁹", "₊₋₍₎₀₁₂₃₄₅₆₇₈₉", "¼½¾⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞"
_SMALL_DIGIT = re.compile(f"[{_RAISED}{_LOWERED}{_FRACTIONS}]")
_BEHIND_DIGIT = re.compile(
    rf"(?<=\d)(?:(?P<raised>[{_RAISED}]+)|(?P<lowered>[{_LOWERED}]+)|(?P<fraction>[{_FRACTIONS}]))"
)
_BEFORE_DIGIT = re.compile(rf"(?<=[{_RAISED}{_LOWERED}{_FRACTIONS}])(?=\d)")
# 5¹⁄₂ and 5¹/₂ are 5 1/2.
_SMALL_FRACTION = re.compile("(?P<number>\\d?)(?P<above>[⁰¹²³⁴⁵⁶⁷⁸⁹]+)[⁄/∕](?P<below>[₀₁₂₃₄₅₆₇₈₉]+)")
_LEVEL = str.maketrans(_RAISED + _LOWERED, "+-()ni0123456789" + "+-()0123456789")


def _apart(found: re.Match[str]) -> str:
    return {"raised": "^", "lowered": "_", "fraction": " "}[str(found.lastgroup)] + found[0].translate(_LEVEL)


def _one_fraction(found: re.Match[str]) -> str:
    number = f"{found['number']} " if found["number"] else ""
    return f"{number}{found['above'].translate(_LEVEL)}/{found['below'].translate(_LEVEL)}"


def apart(line: str) -> str:
    """Small digits kept apart from the number before them, so that it does not become another one.

    >>> apart("10²⁴ and 5½ of x²")
    '10^24 and 5 ½ of x²'
    """
    if not _SMALL_DIGIT.search(line):
        return line
    line = _SMALL_FRACTION.sub(_one_fraction, line)
    return _BEHIND_DIGIT.sub(_apart, _BEFORE_DIGIT.sub(" ", line))


def tidy(line: str) -> str:
    """No empty brackets, doubled or leading points, doubled spaces, spaces before a point, control characters.

    Small digits are kept apart from the number before them.

    >>> tidy("Anne ( ; Greek: ) wrote ,, about . ")
    'Anne (Greek) wrote, about.'
    """
    line = _EMPTY_BRACKETS.sub("", _NO_TEXT.sub("", apart(line)))
    line = _BRACKET_END.sub(")", _BRACKET_START.sub("(", line))
    line = _SEMICOLONS.sub(";", _COMMAS.sub(",", _SPACES.sub(" ", line)))
    line = _SPACE_BEFORE_POINT.sub(r"\1", line).replace("( ", "(")
    return _START.sub("", _BEFORE_FULL_STOP.sub("", line).lstrip()).strip()
