"""bert/documents/document.py and bert/shards/sentences.py."""

from __future__ import annotations

import io

from hypothesis import example, given
from hypothesis import strategies as st

from bert.documents.document import Document, position, read_documents
from bert.shards.sentences import split_sentences

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(documents=st.lists(st.builds(Document, TEXT, TEXT, TEXT, TEXT), max_size=5))
def test_documents_come_back_from_their_lines(documents: list[Document]) -> None:
    assert list(read_documents(io.BytesIO(b"".join(d.to_json() for d in documents)))) == documents


def test_a_position_is_the_same_on_every_machine() -> None:
    assert position("split", 7, "wikipedia:12") == 0.21110007163953062
    assert position("a", "b") != position("ab")


def test_positions_are_spread_evenly() -> None:
    tenths = [int(position("x", n) * 10) for n in range(2000)]
    assert all(150 < tenths.count(tenth) < 250 for tenth in range(10))


def test_abbreviations_and_initials_end_no_sentence() -> None:
    passage = "Dr. Grey met J. R. Baker at 3 p.m. by the mill. Why? She never said!"
    assert split_sentences(passage, "en") == [
        "Dr. Grey met J. R. Baker at 3 p.m. by the mill.",
        "Why?",
        "She never said!",
    ]


@example(passage="It ended\u3000. So did A\u2009.")  # the segmenter panics over a wide space before a full stop
@given(passage=st.text(st.sampled_from("Ab .?!\t\u2028\u00a0\u3000\x85\x0c\n"), max_size=60))
def test_sentences_are_lines_without_a_break_in_them_and_lose_no_character(passage: str) -> None:
    sentences = split_sentences(passage, "en")
    assert "".join(sentences).replace(" ", "") == "".join(passage.split())
    assert all(sentence and "\n" not in sentence and sentence == sentence.strip() for sentence in sentences)
    assert all(len(sentence.splitlines()) == 1 for sentence in sentences)
