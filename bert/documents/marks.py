"""Marks that markup leaves in the text of a page, for what can be decided only where the whole line is there.

They are control characters, which XML cannot hold (https://www.w3.org/TR/xml/#charsets), so that no page has them.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable

RAISED, LOWERED, LEVEL = "\x01", "\x02", "\x03"
"""Where superscript and subscript begin, and where either ends."""
_HOLE, _WORDS, _HOLE_END = "\x04", "\x05", "\x06"
HOLE = re.compile(f"{_HOLE}[^{_HOLE_END}]*{_HOLE_END}")
"""Where a template was that is not known; it holds the template's name."""
_HOLES = re.compile(f"{_HOLE}([^{_WORDS}]*){_WORDS}(\\d+){_HOLE_END}")
_LEADING = re.compile(rf"(?:[ \t]*{HOLE.pattern})+[ \t]*")
_BETWEEN_WORDS = re.compile(rf"(?<=\w)(?:{HOLE.pattern})+(?=\w)")
_NO_NAME = re.compile(r"[\x00-\x1f\s]+")
_LONGEST_NAME = 80

# 5<sup>1</sup>/<sub>2</sub> is 5 1/2.
_FRACTION = re.compile(
    rf"{RAISED}'*(\d+)'*{LEVEL}'*\s*(?:[/⁄∕]|&(?:frasl|\#8260|\#x2044);)\s*'*{LOWERED}'*(\d+)'*{LEVEL}"
    rf"|(?<=\d){RAISED}(1){LEVEL}/(\d)",
    re.IGNORECASE,
)
_SPAN = re.compile(f"([{RAISED}{LOWERED}])([^{RAISED}{LOWERED}{LEVEL}]*){LEVEL}")
_NUMBER_END = re.compile(r"(?:\d'*|\(\d[\d.,]*\)'*)$")
# What is raised behind a number without being a power of it: ordinals, units, footnotes.
_NO_POWER = re.compile(
    r"(?:st|nd|rd|th|d|e|er|re|ère|ème|eme|nde|o|os|a|as|ª|º|h|m|s|min|°|['’′″]+|tm|®|[*†‡§]+|\[.*|)\.?",
    re.IGNORECASE | re.DOTALL,
)
_LEVELS = re.compile(f"[{RAISED}{LOWERED}{LEVEL}]")


def read_levels(text: str) -> str:
    """Superscripts and subscripts as plain text that keeps numbers apart: a number must not become another one.

    >>> read_levels(f"10{RAISED}24{LEVEL} kg of H{LOWERED}2{LEVEL}O on the 1{RAISED}st{LEVEL}")
    '10^24 kg of H2O on the 1st'
    """
    return "\n".join(_read_levels(line) if LEVEL in line else _LEVELS.sub("", line) for line in text.split("\n"))


def _read_levels(line: str) -> str:
    line = _FRACTION.sub(lambda m: _fraction(m, line), line)
    pieces, end, tail = [], 0, ""
    for span in _SPAN.finditer(line):
        before = line[end : span.start()]
        tail = (tail + before)[-12:]
        end = span.end()
        piece = _leveled(span[1], span[2], bool(_NUMBER_END.search(tail)))
        if piece[-1:].isalnum() and line[end : end + 1].isdigit():
            piece += " "
        tail += piece
        pieces += [before, piece]
    return _LEVELS.sub("", "".join((*pieces, line[end:])))


def _fraction(found: re.Match[str], line: str) -> str:
    above, below = (found[1], found[2]) if found[1] else (found[3], found[4])
    behind_number = _NUMBER_END.search(line[max(0, found.start() - 12) : found.start()])
    return f"{' ' if behind_number else ''}{above}/{below}"


def _leveled(level: str, inside: str, behind_number: bool) -> str:
    plain = html.unescape(inside).replace("''", "").strip()
    if not behind_number or not plain or (level == RAISED and _NO_POWER.fullmatch(plain)):
        return inside
    return f"{'^' if level == RAISED else '_'}{inside.strip() if '[' in plain or '{' in plain else plain}"


def hole(template: str, held: Iterable[str]) -> str:
    """What stands where a template was whose words nobody knows: its name, and how many words it held."""
    name = _NO_NAME.sub(" ", without_holes(template)).strip()[:_LONGEST_NAME]
    return f"{_HOLE}{name}{_WORDS}{sum(len(without_holes(text).split()) for text in held)}{_HOLE_END}"


def without_holes(text: str) -> str:
    """The text without marks of holes; where one parted two words, a space."""
    return HOLE.sub("", _BETWEEN_WORDS.sub(" ", text)) if _HOLE in text else text


def holes_behind(line: str) -> str:
    """The line with the holes at its beginning put at its end: `{{flag}}* item` begins as a list item does."""
    found = _LEADING.match(line) if _HOLE in line else None
    return line[found.end() :] + found[0].strip() if found else line


def count_holes(text: str, place: str, counts: Counter[str]) -> None:
    """Adds the holes of a text to `counts`, as `<place>:<name>`, and their words as `words:<name>`."""
    for name, words in _HOLES.findall(text):
        counts[f"{place}:{name}"] += 1
        counts[f"words:{name}"] += int(words)
