"""What tensorflow-text's WordPiece learner learns, in a small part of its time.

That learner (tensorflow_text/tools/wordpiece_vocab/wordpiece_tokenizer_learner_lib.py) looks for the threshold of
counts that leaves a vocabulary of the wanted size. For each threshold it counts all substrings of all words, and then
takes the count of each, the longest first, off the counts of its own beginnings, whether it reaches the threshold or
not. What is left of a substring is how often a word ends with it. So only the ends of words are counted here, and those
of the first iteration, in which a piece may begin anywhere, once for all thresholds.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bert.pipeline.watched import Watch, unwatched

JOINER = "##"
# The learner's own defaults.
MAX_WORD_CHARACTERS = 50
MAX_CHARACTERS = 1000  # different ones; words with rarer ones are left out
LEAST_THRESHOLD, LARGEST_THRESHOLD = 10, 10_000_000
SLACK = 0.05  # of the size, which the vocabulary may fall short of

Words = Sequence[tuple[str, int]]
"""(word, how often it stands in the text)."""


def learn_pieces(
    counts: Mapping[str, int], size: int, reserved: Sequence[str], iterations: int, watch: Watch = unwatched
) -> list[str]:
    """A vocabulary: the reserved pieces, all characters, then the other pieces, the most frequent first.

    Args:
        counts: {word: how often it stands in the text}; at least one word.
        size: at most so many pieces, if that is enough for the characters.
        iterations: in all but the first, a piece begins only where the pieces of the one before split a word.
    """
    lower, upper = max(LEAST_THRESHOLD, min(counts.values())), min(LARGEST_THRESHOLD, max(counts.values()))
    words = _usable(counts, reserved)
    characters = sorted({character for word, _ in words for character in word})
    anywhere = _Ends.of((word, count, range(len(word))) for word, count in words)
    # One bit less of the threshold is unknown after each.
    rounds = (upper - lower + 1).bit_length()
    for _ in watch(itertools.count(), "vocab, looking for the threshold", rounds, "rounds at most"):
        threshold = (lower + upper) // 2
        pieces = anywhere.pieces(threshold, characters)
        for _ in range(1, iterations):
            ends = _Ends.of((word, count, _starts(word, pieces)) for word, count in words)
            pieces = ends.pieces(threshold, characters)
        ranked = sorted(pieces, key=lambda piece: (-pieces[piece], piece))
        vocabulary = list(dict.fromkeys([*reserved, *characters, *ranked]))
        missing = size - len(vocabulary)
        if 0 <= missing <= SLACK * size or lower >= upper or threshold <= 1:
            return vocabulary
        lower, upper = (threshold + 1, upper) if missing < 0 else (lower, threshold - 1)
    raise AssertionError("there is always another round")


def _usable(counts: Mapping[str, int], reserved: Sequence[str]) -> Words:
    """The words that are not reserved, not too long, and of characters that are not too rare."""
    words = [(w, n) for w, n in counts.items() if len(w) <= MAX_WORD_CHARACTERS and w not in reserved]
    characters: Counter[str] = Counter()
    for word, count in words:
        for character in word:
            characters[character] += count
    frequent = {c for c, _ in sorted(characters.items(), key=lambda item: (-item[1], item[0]))[:MAX_CHARACTERS]}
    return [(word, count) for word, count in words if frequent.issuperset(word)]


def _starts(word: str, pieces: Mapping[str, int]) -> list[int]:
    """Where the longest pieces begin that the word is split into, from its left. Every character is a piece."""
    starts, start = [], 0
    while start < len(word):
        starts.append(start)
        prefix, end = JOINER if start else "", len(word)
        while prefix + word[start:end] not in pieces:
            end -= 1
        start = end
    return starts


@dataclass(frozen=True)
class _Ends:
    """How often words end with each string: whole words, and what begins inside of them."""

    whole: Counter[str] = field(default_factory=Counter)
    inner: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, words: Iterable[tuple[str, int, Iterable[int]]]) -> _Ends:
        """words: (word, count, where a piece may begin)."""
        ends = cls()
        for word, count, starts in words:
            for start in starts:
                if start:
                    ends.inner[word[start:]] += count
                else:
                    ends.whole[word] += count
        return ends

    def pieces(self, threshold: int, characters: Sequence[str]) -> dict[str, int]:
        """{piece: count} of those that reach the threshold, and of all characters, which count 1 if they do not."""
        found = {piece: count for piece, count in self.whole.items() if count >= threshold}
        found |= {JOINER + piece: count for piece, count in self.inner.items() if count >= threshold}
        for character in characters:
            found.setdefault(character, 1)
            found.setdefault(JOINER + character, 1)
        return found
