"""Spans of a sentence that can be asked for: names, numbers and dates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from bert.cloze.english.capitals import Capitals, Span
from bert.cloze.english.words import MONTHS, NUMBER_WORDS, WEEKDAYS

Kind = Literal["name", "number", "date"]
KINDS: tuple[Kind, ...] = ("name", "number", "date")


@dataclass(frozen=True, slots=True)
class Answer:
    """sentence[start:end] == text."""

    text: str
    start: int
    end: int
    kind: Kind


_MONTH = f"(?:{'|'.join(MONTHS)})"
_DAY = r"\d{1,2}"
_YEAR = r"(?:1\d{3}|20[0-4]\d)"
_ERA = r"(?: ?(?:BC|AD|BCE|CE)\b)?"
_DATE = re.compile(
    rf"(?<![\w$£€.,-])(?:{_MONTH} {_DAY}(?:st|nd|rd|th)?(?:, {_YEAR}{_ERA})?"
    rf"|(?:{_DAY}(?:st|nd|rd|th)? )?{_MONTH},? {_YEAR}{_ERA}|{_DAY}(?:st|nd|rd|th)? {_MONTH}"
    rf"|(?:{'|'.join(WEEKDAYS)})|{_YEAR}s|\d{{1,2}}(?:st|nd|rd|th) centur(?:y|ies){_ERA}|{_YEAR}{_ERA})"
    r"(?![\w%$-]|[.,–]\d)"
)
# A bare year is one only after a word that asks for a time, or before a comma: "1500 men" is a number.
_ASKS_FOR_TIME = re.compile(
    r"(?i)\b(?:in|since|until|till|by|from|before|after|around|circa|early|mid|late|during|year|between|spring|summer|"
    r"autumn|fall|winter|of|c\.|(?:between|from) \d{4} (?:and|to)) $"
)
_WORDS = "|".join([*NUMBER_WORDS, "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"])
_SCALE = r"(?: (?:hundred|thousand|million|billion|trillion)\b)?"
_DIGITS = r"\d+(?:,\d{3})*(?:\.\d+)?"
_NUMBER = re.compile(
    rf"(?<![\w.,/:–-])(?:[$£€]{_DIGITS}{_SCALE}|{_DIGITS}(?: ?%| per ?cent\b|{_SCALE})"
    rf"|(?:{_WORDS})(?:-(?:{_WORDS}|one))?(?: per ?cent\b|{_SCALE}))(?![\w/:–-]|[.,]\d)"
)


def find_answers(sentence: str, capitals: Capitals) -> list[Answer]:
    """All typed spans of a sentence, in order; a number inside a date or a name is not one.

    "On 12 May 1905 Anna Grey sold 300 copies." -> date "12 May 1905", name "Anna Grey", number "300"
    """
    dates = [match.span() for match in _DATE.finditer(sentence) if _is_date(sentence, match)]
    names = [span for span in capitals.names(sentence) if not _touches(span, dates)]
    taken = dates + names
    numbers = [match.span() for match in _NUMBER.finditer(sentence) if not _touches(match.span(), taken)]
    found: list[Answer] = []
    for kind, spans in zip(KINDS, (names, numbers, dates), strict=True):
        found += [Answer(sentence[start:end], start, end, kind) for start, end in spans]
    return sorted(found, key=lambda answer: answer.start)


def _is_date(sentence: str, match: re.Match[str]) -> bool:
    if not re.fullmatch(_YEAR, match[0]):
        return True
    return bool(_ASKS_FOR_TIME.search(sentence[: match.start()])) or sentence[match.end() : match.end() + 1] in ",)"


def _touches(span: Span, others: list[Span]) -> bool:
    """Whether a span overlaps another or stands against it without a word between ("Apollo 11")."""
    return any(span[0] <= end + 1 and start <= span[1] + 1 for start, end in others)
