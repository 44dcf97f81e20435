"""Tables of phrases that may stand for one another, and where a sentence has them."""

from __future__ import annotations

import re

_WORD = re.compile(r"[\w'’-]+")


def parse(table: str) -> dict[str, tuple[str, ...]]:
    """Each phrase with what may replace it. `a = b = c` goes all ways, `a > b = c` only from a to b or c.

    >>> parse("a = b = c | d > a")
    {'a': ('b', 'c'), 'b': ('a', 'c'), 'c': ('a', 'b'), 'd': ('a',)}
    """
    found: dict[str, list[str]] = {}
    for line in filter(None, re.split(r"\s*[|\n]\s*", table.strip())):
        left, one_way, right = line.partition(" > ")
        group = [phrase.strip() for phrase in (right if one_way else left).split("=")]
        for phrase in [left] if one_way else group:
            known = found.setdefault(phrase, [])
            known += [other for other in group if other != phrase and other not in known]
    return {phrase: tuple(others) for phrase, others in found.items()}


class PhraseTable:
    """A parsed table; `before_numbers` is a second one that holds only where a number follows."""

    def __init__(self, table: str, before_numbers: str = "") -> None:
        self.phrases, self.before_numbers = parse(table), parse(before_numbers)
        every = [*self.phrases, *self.before_numbers]
        self._longest = max(len(phrase.split()) for phrase in every)
        self._first_words = frozenset(phrase.split()[0] for phrase in every)

    def find(self, sentence: str) -> list[tuple[int, int, tuple[str, ...]]]:
        """(start, end, replacements) of the phrases in a sentence, the longest at each place, not overlapping.

        A capital in mid-sentence is a name's ("the Second Battle"), so only the first word may have one.
        """
        words = [(m.start(), m.end(), m[0] if m.start() else m[0].lower()) for m in _WORD.finditer(sentence)]
        found, at = [], 0
        while at < len(words):
            step = 1
            if words[at][2] in self._first_words:
                for length in range(min(self._longest, len(words) - at), 0, -1):
                    start, end = words[at][0], words[at + length - 1][1]
                    phrase = words[at][2] + sentence[words[at][1] : end]
                    counted = self.before_numbers and _NUMBER.match(sentence, end)
                    table = self.before_numbers if counted else self.phrases
                    if phrase in table:
                        found.append((start, end, table[phrase]))
                        step = length
                        break
            at += step
        return found


_NUMBER = re.compile(r" (?:[$£€]?\d|(?:two|three|four|five|six|seven|eight|nine|ten|half|one)\b)")
