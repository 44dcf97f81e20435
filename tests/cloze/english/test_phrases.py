"""bert/cloze/english/phrases.py and the tables themselves."""

from __future__ import annotations

import doctest

import pytest

from bert.cloze.english import phrases
from bert.cloze.english.opposites import OPPOSITES, RELATIONS
from bert.cloze.english.phrases import PhraseTable
from bert.cloze.english.synonyms import SYNONYMS
from bert.cloze.paraphrases import rules
from bert.cloze.questions import asking

TABLE = PhraseTable("big = large | a lot of > many | of > from", "more than > over")


def found(sentence: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(sentence[start:end], others) for start, end, others in TABLE.find(sentence)]


def test_the_longest_phrase_at_each_place_is_found() -> None:
    assert found("Big boats, a lot of them, of large cities.") == [
        ("Big", ("large",)),
        ("a lot of", ("many",)),
        ("of", ("from",)),
        ("large", ("big",)),
    ]


def test_a_capital_in_mid_sentence_is_a_names() -> None:
    assert found("They saw Big Tom.") == []


def test_some_phrases_count_only_before_numbers() -> None:
    assert found("It was more than 300 and more than enough.") == [("more than", ("over",))]


def test_words_between_punctuation_are_no_phrase() -> None:
    assert found("We had a lot, of which none.") == [("of", ("from",))]


@pytest.mark.parametrize("table", [SYNONYMS, OPPOSITES, RELATIONS], ids=["synonyms", "opposites", "relations"])
def test_no_entry_of_the_tables_leads_to_itself_or_nowhere(table: PhraseTable) -> None:
    for entries in (table.phrases, table.before_numbers):
        for phrase, others in entries.items():
            assert others and phrase not in others and all(phrase.split() and other.split() for other in others)


def test_no_phrase_is_both_a_synonym_and_an_opposite() -> None:
    for phrase, others in SYNONYMS.phrases.items():
        wrong = {*OPPOSITES.phrases.get(phrase, ()), *RELATIONS.phrases.get(phrase, ())} & set(others)
        assert not wrong, f"{phrase!r} -> {wrong}"


@pytest.mark.parametrize("module", [phrases, asking, rules])
def test_docstring_examples(module) -> None:
    assert doctest.testmod(module).failed == 0
