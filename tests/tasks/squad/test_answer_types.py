"""Tests for bert/tasks/squad/answer_types.py."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert.tasks.squad.answer_types import answer_type, find_spans, infer_type
from bert.tasks.squad.data import Question

KINDS = {
    "date": [
        "1930", "in 1969", "the 1960s", "February 7, 2016", "7 February", "May 1914", "early 19th century", "1914–18",
        "from 1914 to 1918", "October", "1200 BC", "the seventeenth century", "11–13th century",
    ],
    "number": [
        "24", "24–10", "$1,500", "about 40 km", "three", "Twenty-five percent", "3.6%", "over 5 million", "1,930",
        "US$ 2 billion", "1500.5", "40th",
    ],
    "name": [
        "Denver Broncos", "the Duke of York", "Levi's Stadium", "J. R. R. Tolkien", "NFL", "Île-de-France",
        "University of California", "Washington, D.C.", "Łódź", "Santa Clara", "Apollo 11",
        "WZZM and WOTV", "France, the Netherlands and Spain", "First World War.",
    ],
    "other": ["gold", "the river bank", "ðe", "because of the war", "Roman numerals", "!", ""],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "answer"), [(kind, answer) for kind, answers in KINDS.items() for answer in answers])
def test_the_kind_is_inferred_from_the_answer(kind: str, answer: str) -> None:
    assert infer_type(answer) == kind


CONTEXT = (
    "The river is in Santa Clara. It cost $1.2 million in May 2014, or 1,500 francs. However, Mr. Fox of Rome left."
)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("name", ["Santa Clara", "May 2014", "Mr. Fox of Rome"]),
        ("number", ["$1.2 million", "1,500"]),
        ("date", ["May 2014"]),
    ],
)
def test_spans_of_a_kind_are_found(kind: str, expected: list[str]) -> None:
    spans = find_spans(CONTEXT, kind)
    assert spans is not None and [CONTEXT[start:end] for start, end in spans] == expected


def test_a_kind_without_a_rule_has_no_spans() -> None:
    assert find_spans(CONTEXT, "other") is None


def test_the_files_kind_comes_before_the_inferred_one() -> None:
    assert answer_type(Question("1", "?", "1930", (("1930", 0),), "name")) == "name"
    assert answer_type(Question("1", "?", "1930", (("1930", 0),))) == "date"
    assert answer_type(Question("1", "?", "1930", ())) == "no answer"


@given(st.text(st.sampled_from("Aé b.,-–'’$19 0%th\nof")), st.sampled_from(["name", "number", "date"]))
def test_spans_are_ordered_and_not_blank(context: str, kind: str) -> None:
    end_before = 0
    for start, end in find_spans(context, kind) or ():
        assert end_before <= start < end <= len(context) and context[start:end].strip()
        end_before = end
