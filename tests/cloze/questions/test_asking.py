"""bert/cloze/questions/asking.py: a sentence with a gap as a question."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert.cloze.english.capitals import WORD, Capitals
from bert.cloze.english.persons import people
from bert.cloze.questions.answers import Answer, Kind, find_answers
from bert.cloze.questions.asking import ask


def question(sentence: str, text: str, kind: Kind, max_words: int = 30, persons: tuple[str, ...] = ()) -> str | None:
    start = sentence.index(text)
    return ask(sentence, Answer(text, start, start + len(text), kind), max_words, frozenset(persons))


@pytest.mark.parametrize(
    ("sentence", "text", "kind", "expected"),
    [
        ("They met in 1905 at sea.", "1905", "date", "They met in what year at sea?"),
        ("They met on 12 May 1905.", "12 May 1905", "date", "They met on what date?"),
        ("They met in May 1905.", "May 1905", "date", "They met in what month?"),
        ("They met in the 1920s.", "1920s", "date", "They met in the what decade?"),
        ("They met in the 19th century.", "19th century", "date", "They met in the what century?"),
        ("They met on Monday.", "Monday", "date", "They met on what day?"),
        ("They sold 300 boats.", "300", "number", "They sold how many boats?"),
        ("They sold 300 of them.", "300", "number", "They sold what number of them?"),
        ("They paid $5 million.", "$5 million", "number", "They paid how much money?"),
        ("It rose by 5 percent.", "5 percent", "number", "It rose by what percentage?"),
        ("Norland won the game.", "Norland", "name", "What won the game?"),
        ("Hale won the game.", "Hale", "name", "Who won the game?"),
        ("They saw President Stone there.", "Stone", "name", "They saw President who there?"),
        ("They bought Stone's house.", "Stone", "name", "They bought whose house?"),
        ("But they met in 1905.", "1905", "date", "They met in what year?"),
        ('He said "they met in 1905.', "1905", "date", "He said they met in what year?"),
        ("It (or she) met Hale (at sea) there.", "Hale", "name", "It met who there?"),
    ],
)
def test_the_gap_becomes_a_question_phrase(sentence: str, text: str, kind: Kind, expected: str) -> None:
    assert question(sentence, text, kind, persons=("Hale",)) == expected


def test_a_long_sentence_loses_its_outer_clauses() -> None:
    sentence = "When it rained, Norland sold nine boats, which were old, to Sund in the north."
    asked = {limit: question(sentence, "nine", "number", limit) for limit in (3, 5, 6, 20)}
    assert asked[3] == asked[5] == "Norland sold how many boats?"
    assert asked[6] == "Norland sold how many boats, which were old?", "to the right first"
    assert asked[20] == "When it rained, Norland sold how many boats, which were old, to Sund in the north?"
    assert question(sentence, "nine", "number", 2) is None, "the gap's own clause is longer"


def test_people_are_told_by_titles_and_verbs() -> None:
    sentences = ["They met Mr Hale.", "It was Anna Grey, who left.", "They saw Norland again."]
    assert people(sentences, Capitals.of(sentences)) == {"Hale", "Grey"}


WORDS = st.sampled_from("the Norland, Anna Grey sold 300 boats in 1905; and (we) 5 percent, of".split())


@given(st.lists(WORDS, min_size=1, max_size=25), st.integers(0, 20))
def test_a_question_has_the_gap_and_at_most_so_many_words_of_the_sentence(words: list[str], limit: int) -> None:
    sentence = " ".join(words) + "."
    for answer in find_answers(sentence, Capitals.of([sentence])):
        asked = ask(sentence, answer, limit)
        if asked is None:
            continue
        assert asked.endswith("?") and not asked[0].islower()
        phrase = re.search(
            r"(?i)\b(?:who|whose|what|how many|how much)\b(?: (?:money|percentage|year|number|date))?", asked
        )
        assert phrase is not None
        assert len(WORD.findall(asked)) - len(phrase[0].split()) <= limit
        outside = set(WORD.findall(asked.lower().replace(phrase[0].lower(), ""))) - set(WORD.findall(sentence.lower()))
        assert not outside, "nothing but the phrase is new"
