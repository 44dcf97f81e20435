"""bert/cloze/english/capitals.py: names by how the document writes its words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert.cloze.english.capitals import Capitals

DOCUMENT = [
    "The keeper saw that Rome was large.",
    "Rome fell, and the people of Rome left with Anna van Dyck.",
    "Rivers and rome are not the same to Rivers, who left.",
]


def names(sentence: str, document: list[str] = DOCUMENT) -> list[str]:
    return [sentence[start:end] for start, end in Capitals.of([*document, sentence]).names(sentence)]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("In 1905 Mr Grey's friends met Anna van Dyck.", ["Grey", "Anna van Dyck"]),
        ("The Bank of Norland met in Sund, Norland and Tarn.", ["Bank of Norland", "Sund", "Norland", "Tarn"]),
        ("I think I'm not in May or on Monday in French company.", []),
        ("They read the Spanish-based paper by J. R. Reed.", ["J. R. Reed"]),
        ("Tom Hale left.", ["Tom Hale"]),
        ("In 300 BC they used A and B.", []),
        ("Doctor Voss’s dog bit Ida.", ["Doctor Voss", "Ida"]),
    ],
)
def test_names_are_capitalised_runs_without_titles_and_endings(sentence: str, expected: list[str]) -> None:
    assert names(sentence) == expected


def test_a_first_word_is_a_name_only_if_the_document_writes_it_so_elsewhere() -> None:
    assert names("Rome fell.", ["They saw Rome."]) == ["Rome"]
    assert names("Rivers rise.", ["They saw Rome."]) == [], "never seen in mid-sentence"
    assert names("Rivers rise.", ["They saw Rivers.", "The Rivers are rivers."]) == [], "seen in lower case too"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The war", "the war"),
        ("Rome fell", "Rome fell"),
        ("I left", "I left"),
        ("I'm here", "I'm here"),
        ("French wine", "French wine"),
        ("May Reed came", "May Reed came"),
        ("NATO met", "NATO met"),
        ("Somebody came", "somebody came"),
        ("Zora Quill came", "Zora Quill came"),
        ("“Quoted”", "“Quoted”"),
    ],
)
def test_lower_first_keeps_the_capital_of_names(text: str, expected: str) -> None:
    assert Capitals.of(["They saw Rome."]).lower_first(text) == expected


@given(st.lists(st.text(max_size=60), max_size=4))
def test_spans_lie_in_the_sentence_in_order_and_do_not_overlap(sentences: list[str]) -> None:
    capitals = Capitals.of(sentences)
    for sentence in sentences:
        ends = 0
        for start, end in capitals.names(sentence):
            assert ends <= start < end <= len(sentence)
            ends = end
