"""bert/shards/sentences.py: passages -> sentences."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from bert.shards.sentences import split_sentences


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
