"""bert/cloze/questions/answers.py: typed spans of a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert.cloze.english.capitals import Capitals
from bert.cloze.questions.answers import find_answers


def found(sentence: str) -> list[tuple[str, str]]:
    return [(answer.kind, answer.text) for answer in find_answers(sentence, Capitals.of([sentence]))]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        (
            "On 12 May 1905 the painter Anna Grey sold 300 copies.",
            [("date", "12 May 1905"), ("name", "Anna Grey"), ("number", "300")],
        ),
        ("It rose by 12 percent to $5 million.", [("number", "12 percent"), ("number", "$5 million")]),
        ("May 3, 1911, was in the 1910s.", [("date", "May 3, 1911"), ("date", "1910s")]),
        ("It fell in the 20th century.", [("date", "20th century")]),
        ("There were 1500 men and twenty-one boats.", [("number", "1500"), ("number", "twenty-one")]),
        ("It cost £1,250.50 or 3.5% on Monday.", [("number", "£1,250.50"), ("number", "3.5%"), ("date", "Monday")]),
        ("They flew with Apollo 11 over page-3 and 3/4 of B2.", [("name", "Apollo"), ("name", "B2")]),
        ("It lasted from 1905 to 1908 and ended in 300 BC.", [("date", "1905"), ("date", "1908"), ("number", "300")]),
        ("It was one of them.", []),
    ],
)  # fmt: skip
def test_dates_numbers_and_names(sentence: str, expected: list[tuple[str, str]]) -> None:
    assert found(sentence) == expected


@pytest.mark.parametrize("before", ["in", "since", "until", "early", "during", "between"])
def test_four_digits_are_a_year_only_where_a_time_is_asked_for(before: str) -> None:
    assert found(f"It was {before} 1850 there.") == [("date", "1850")]
    assert found("They had 1850 sheep.") == [("number", "1850")]


@given(st.text("ab A1209 ,.%$-/May", max_size=50))
def test_spans_are_where_they_say_and_do_not_overlap(sentence: str) -> None:
    ends = 0
    for answer in find_answers(sentence, Capitals.of([sentence])):
        assert sentence[answer.start : answer.end] == answer.text != ""
        assert answer.start >= ends
        ends = answer.end
