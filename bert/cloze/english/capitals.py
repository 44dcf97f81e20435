"""What is a name, judged by how one document writes its words.

English begins every sentence with a capital, so a capitalised first word says nothing by itself. It is taken for a
name if the document also writes it with a capital in mid-sentence and never in lower case. Only the document itself is
asked, so what becomes of it does not depend on the others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bert.cloze.english.words import FUNCTION_WORDS, MONTHS, NATIONALITIES, TITLES, WEEKDAYS

WORD = re.compile(r"(?:[^\W\d_]\.)+(?=\s|$)|[^\W\d_](?:[\w’'-]*\w)?|\d[\w.,]*\w|\d")
# Between two capitalised words these belong to the name: "Ludwig van Beethoven", "Treaty of Versailles".
_CONNECTORS = frozenset("of de del della der den di da du des la le van von ibn al bin".split())
_POSSESSIVE = re.compile(r"['’]s?$")
_NOT_NAMES = frozenset([*MONTHS, *WEEKDAYS, *NATIONALITIES, *TITLES, *"I BC AD BCE CE AM PM".split()])
_PARTLY = re.compile(r"-[a-z]{4,}$")

Span = tuple[int, int]


@dataclass(frozen=True)
class Capitals:
    """lower: words that the document writes in lower case; capital: those with a capital in mid-sentence."""

    lower: frozenset[str]
    capital: frozenset[str]

    @classmethod
    def of(cls, sentences: Iterable[str]) -> Capitals:
        lower: set[str] = set()
        capital: set[str] = set()
        for sentence in sentences:
            for number, match in enumerate(WORD.finditer(sentence)):
                word = _POSSESSIVE.sub("", match[0])
                if word[:1].islower():
                    lower.add(word)
                elif number and word[:1].isupper():
                    capital.add(word)
        return cls(frozenset(lower), frozenset(capital))

    def is_name(self, word: str) -> bool:
        """Whether a sentence's first word would have its capital elsewhere too."""
        small = word.lower()
        return small not in FUNCTION_WORDS and small not in self.lower and word in self.capital

    def lower_first(self, text: str) -> str:
        """`text` as it would stand in mid-sentence: "The war" -> "the war", "Rome fell" stays."""
        match = WORD.match(text)
        if match is None:
            return text
        word = _POSSESSIVE.sub("", match[0])
        if word in _NOT_NAMES or match[0].startswith(("I'", "I’")) or (word.isupper() and len(word) > 1):
            return text
        # A word that the document never shows in mid-sentence, before another capital: rather a name.
        follows = text[match.end() : match.end() + 2]
        if word.lower() in FUNCTION_WORDS or word.lower() in self.lower:
            return text[:1].lower() + text[1:]
        return text if word in self.capital or follows[1:2].isupper() else text[:1].lower() + text[1:]

    def names(self, sentence: str) -> list[Span]:
        """The names of a sentence, as (start, end) characters, without titles and possessive endings.

        "In 1905 Mr Grey's friends met Anna van Dyck." -> "Grey", "Anna van Dyck"
        """
        words = list(WORD.finditer(sentence))
        spans, at = [], 0
        while at < len(words):
            end = self._run(sentence, words, at)
            if end == at:
                at += 1
                continue
            span = _trimmed(sentence, words, at, end)
            if span is not None:
                spans.append(span)
            at = end
        return spans

    def _run(self, sentence: str, words: list[re.Match[str]], at: int) -> int:
        """The index after the last word of the name that starts at word `at`; `at` itself where none does."""
        if not _capitalised(words[at][0]):
            return at
        first = _POSSESSIVE.sub("", words[at][0])
        if at == 0 and not self.is_name(first):
            known = first.lower() in FUNCTION_WORDS or first.lower() in self.lower
            if known or len(words) == 1 or not _capitalised(words[1][0]):
                return at
        end = at + 1
        while end < len(words) and sentence[words[end - 1].end() : words[end].start()] == " ":
            if _POSSESSIVE.search(words[end - 1][0]):
                break
            if _capitalised(words[end][0]):
                end += 1
            elif (
                words[end][0] in _CONNECTORS
                and end + 1 < len(words)
                and _capitalised(words[end + 1][0])
                and sentence[words[end].end() : words[end + 1].start()] == " "
            ):
                end += 2
            else:
                break
        return end


def _capitalised(word: str) -> bool:
    """With a capital in all parts: not "I", "I'm", "Spanish-based"."""
    return word[0].isupper() and word != "I" and not word.startswith(("I'", "I’")) and not _PARTLY.search(word)


def _trimmed(sentence: str, words: list[re.Match[str]], first: int, end: int) -> Span | None:
    while first < end and words[first][0] in TITLES:
        first += 1
    if first == end or (end - first == 1 and _POSSESSIVE.sub("", words[first][0]) in _NOT_NAMES):
        return None
    if any(words[at][0] in MONTHS for at in range(first, end)):
        return None
    last = words[end - 1]
    start, stop = words[first].start(), last.end() - len(last[0]) + len(_POSSESSIVE.sub("", last[0]))
    # A single letter is an initial, a variable or an enumeration.
    return (start, stop) if len(sentence[start:stop].replace(".", "")) > 1 else None
