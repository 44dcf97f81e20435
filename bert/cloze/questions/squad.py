"""The question-answering set: the questions of one text, and the SQuAD v1.1 file."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bert.cloze.draws import choose
from bert.cloze.english.capitals import WORD
from bert.cloze.questions.answers import KINDS, Answer, Kind, find_answers
from bert.cloze.questions.asking import ask
from bert.cloze.questions.contexts import Context, contexts
from bert.cloze.settings import QuestionSettings
from bert.cloze.texts import Text
from bert.pipeline.files import write_text


@dataclass(frozen=True, slots=True)
class Question:
    """context[answer_start : answer_start + len(answer)] == answer."""

    id: str
    title: str
    context: str
    question: str
    answer: str
    answer_start: int
    answer_type: Kind


def make_questions(text: Text, settings: QuestionSettings) -> tuple[list[Question], Counter[str]]:
    """At most one question per sentence. Each sentence of the text is a question or counted under its reason."""
    found: list[tuple[bool, float, int, Question]] = []
    dropped: Counter[str] = Counter()
    for number, passage in enumerate(text.passages):
        for piece, context in enumerate(contexts(passage, settings.max_context_chars)):
            if len(context.text) > settings.max_context_chars:
                dropped["sentence longer than a context"] += len(context.sentences)
            elif len(context.sentences) < settings.min_context_sentences:
                dropped["context too short"] += len(context.sentences)
            else:
                rng = text.rng("question", number, piece)
                for question in _of_context(context, f"{number}.{piece}", text, settings, rng, dropped):
                    found.append((question.answer_type == "name", rng.random(), len(found), question))
    # The limit per document leaves out names first, by far the most frequent kind, and takes evenly from all over it.
    kept = sorted(sorted(found)[: settings.max_per_document], key=lambda item: item[2])
    dropped["document has its questions"] += len(found) - len(kept)
    return [question for *_, question in kept], +dropped


def _of_context(
    context: Context,
    place: str,
    text: Text,
    settings: QuestionSettings,
    rng: np.random.Generator,
    dropped: Counter[str],
) -> list[Question]:
    made: dict[int, Question] = {}
    for index in rng.permutation(len(context.sentences)).tolist():
        if len(made) == settings.max_per_context:
            dropped["context has its questions"] += 1
            continue
        start, end = context.sentences[index]
        sentence = context.text[start:end]
        result = _of_sentence(sentence, context.text, text, settings, rng)
        if isinstance(result, str):
            dropped[result] += 1
            continue
        question, answer = result
        assert context.text.startswith(answer.text, start + answer.start)
        digest = hashlib.sha256(f"{text.id}\0{place}.{index}\0{question}".encode()).hexdigest()[:24]
        made[index] = Question(
            digest, text.title or text.id, context.text, question, answer.text, start + answer.start, answer.kind
        )
    return [made[index] for index in sorted(made)]


def _of_sentence(
    sentence: str, context: str, text: Text, settings: QuestionSettings, rng: np.random.Generator
) -> tuple[str, Answer] | str:
    """The question and its answer, or why there is none."""
    if not sentence.endswith("."):
        return "no statement"
    answers = find_answers(sentence, text.capitals)
    if not answers:
        return "no name, number or date"
    # An answer that the context holds twice would have two right places.
    once = [answer for answer in answers if len(WORD.findall(answer.text)) <= settings.max_answer_words]
    if not once:
        return "answer too long"
    once = [answer for answer in once if context.lower().count(answer.text.lower()) == 1]
    if not once:
        return "answer more than once in the context"
    # The kind first: names are by far the most frequent.
    kind = choose(rng, [kind for kind in KINDS if any(answer.kind == kind for answer in once)])
    answer = choose(rng, [answer for answer in once if answer.kind == kind])
    question = ask(sentence, answer, settings.max_question_words, text.persons)
    if question is None:
        return "question too long"
    return (question, answer) if len(WORD.findall(question)) > settings.min_question_words else "question too short"


def write_squad(path: Path, questions: Iterable[Question]) -> None:
    """One article per run of questions with the same title, one paragraph per run with the same context."""
    data: list[dict[str, Any]] = []
    for question in questions:
        if not data or data[-1]["title"] != question.title:
            data.append({"title": question.title, "paragraphs": []})
        paragraphs = data[-1]["paragraphs"]
        if not paragraphs or paragraphs[-1]["context"] != question.context:
            paragraphs.append({"context": question.context, "qas": []})
        paragraphs[-1]["qas"].append(
            {
                "id": question.id,
                "question": question.question,
                "answers": [{"text": question.answer, "answer_start": question.answer_start}],
                "answer_type": question.answer_type,
            }
        )
    write_text(path, json.dumps({"version": "1.1", "data": data}) + "\n")
