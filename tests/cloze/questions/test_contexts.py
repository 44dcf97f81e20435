"""bert/cloze/questions/contexts.py: paragraphs in pieces of whole sentences."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bert.cloze.questions.contexts import contexts

SENTENCES = st.lists(st.text("abc ", min_size=1, max_size=40).filter(lambda s: s == s.strip()), min_size=1, max_size=20)


@given(SENTENCES, st.integers(5, 200))
def test_sentences_come_whole_in_order_and_where_the_spans_say(sentences: list[str], limit: int) -> None:
    pieces = contexts(sentences, limit)
    assert [piece.text[start:end] for piece in pieces for start, end in piece.sentences] == sentences
    for piece in pieces:
        assert len(piece.text) <= limit or len(piece.sentences) == 1


def test_a_paragraph_that_fits_stays_whole() -> None:
    assert [piece.text for piece in contexts(["One two.", "Three."], 15)] == ["One two. Three."]


def test_a_paragraph_just_too_long_is_cut_in_the_middle() -> None:
    pieces = contexts([f"Sentence number {n}." for n in range(10)], 180)
    assert [len(piece.sentences) for piece in pieces] == [5, 5]
