"""Paragraphs -> contexts: whole sentences, bounded in length, with each sentence's place."""

from __future__ import annotations

from dataclasses import dataclass

from bert.cloze.english.capitals import Span


@dataclass(frozen=True, slots=True)
class Context:
    """text[start:end] is a sentence for each (start, end) of `sentences`."""

    text: str
    sentences: tuple[Span, ...]


def contexts(sentences: list[str], max_chars: int) -> list[Context]:
    """Neighbouring sentences of one paragraph in pieces of about equal length, each of at most `max_chars`.

    A longer sentence is a piece of its own: the caller drops it. Equal, so that a paragraph just above the limit does
    not leave a last piece of one sentence.
    """
    total = sum(len(s) + 1 for s in sentences)
    aim = total / max(-(-total // (max_chars + 1)), 1)
    pieces: list[list[str]] = []
    length = done = 0
    for sentence in sentences:
        # Half of the sentence beyond the aimed border: better in the next piece.
        beyond = done + len(sentence) / 2 > aim * len(pieces)
        if not pieces or length + len(sentence) > max_chars or beyond:
            pieces.append([])
            length = 0
        pieces[-1].append(sentence)
        length += len(sentence) + 1
        done += len(sentence) + 1
    return [_joined(piece) for piece in pieces]


def _joined(sentences: list[str]) -> Context:
    spans, at = [], 0
    for sentence in sentences:
        spans.append((at, at + len(sentence)))
        at += len(sentence) + 1
    return Context(" ".join(sentences), tuple(spans))
