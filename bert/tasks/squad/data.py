"""SQuAD JSON -> questions.

The format of SQuAD v1.1, whether downloaded or made from the corpus (`cloze`), and of v2.0, whose unanswerable
questions are questions without answers; so are those of a file that only asks.
Format: https://rajpurkar.github.io/SQuAD-explorer/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bert.pipeline.errors import StageError
from bert.pipeline.files import read_json

# Where the questions come from, and the command that makes them.
SOURCES = {"cloze": "dvc repro cloze", "download": "dvc repro download@squad"}

Answer = tuple[str, int]
Version = Literal["1.1", "2.0"]


@dataclass(frozen=True, slots=True)
class Question:
    """One question about one context.

    Attributes:
        answers: the accepted answers as (text, start): context[start : start + len(text)] == text. None of them means
            that the context does not answer the question (SQuAD v2), or that nobody has answered it yet.
        is_impossible: the file says that the context does not answer it.
        answer_type: what the file says that the answer is (the cloze set: name, number, date), else None.
    """

    id: str
    question: str
    context: str
    answers: tuple[Answer, ...]
    answer_type: str | None = None
    is_impossible: bool = False


def read_squad(path: str | Path, source: Literal["cloze", "download"]) -> tuple[list[Question], Counter[str]]:
    """The questions of a SQuAD file in file order, and how many questions and answers were dropped, by reason.

    An answer is kept only if its text stands at its answer_start. A question goes when none of its answers is left,
    when it is blank, or when its id came before. An id may be a number; it is read as its digits.

    Raises:
        StageError: no such file, no JSON, not SQuAD's structure, or no question left. Names the file, the place in it
            and the command that makes it.
    """
    path, run = Path(path), SOURCES[source]
    document = read_json(path, run)
    questions: list[Question] = []
    dropped: Counter[str] = Counter()
    seen: set[str] = set()
    try:
        for context, qa in _walk(document):
            name = str(qa["id"])
            if name in seen:
                dropped["question: id came before"] += 1
                continue
            seen.add(name)
            if not qa["question"].strip():
                dropped["question: blank"] += 1
                continue
            answers = _answers(qa, context, dropped)
            impossible = qa.get("is_impossible", False)
            if qa.get("answers") and not answers and not impossible:
                dropped["question: no answer left"] += 1
                continue
            questions.append(Question(name, qa["question"], context, answers, qa.get("answer_type"), impossible))
    except _Malformed as error:
        raise StageError(f"{path}: not SQuAD's structure: {error}", run=run) from None
    if not questions:
        reasons = ", ".join(f"{count} x {reason}" for reason, count in sorted(dropped.items())) or "the file has none"
        raise StageError(f"{path}: no question left ({reasons})", run=run)
    return questions, dropped


def read_gold(path: str | Path, run: str) -> list[Question]:
    """The questions of a SQuAD file with all of their accepted answers, as the official scorers read them.

    Nothing is dropped, and no answer needs to stand where it says: what a scorer compares are texts.

    Args:
        run: the command that a StageError names.

    Raises:
        StageError: no such file, no JSON, not SQuAD's structure, or no question.
    """
    path = Path(path)
    questions = []
    try:
        for context, qa in _walk(read_json(path, run)):
            answers = tuple((answer["text"], answer["answer_start"]) for answer in qa.get("answers", []))
            kind, impossible = qa.get("answer_type"), qa.get("is_impossible", False)
            questions.append(Question(str(qa["id"]), qa["question"], context, answers, kind, impossible))
    except _Malformed as error:
        raise StageError(f"{path}: not SQuAD's structure: {error}", run=run) from None
    if not questions:
        raise StageError(f"{path}: expected questions, the file has none", run=run)
    return questions


def has_answers(questions: Sequence[Question]) -> bool:
    """Whether a file answers its questions, be it by "there is no answer" (SQuAD v2.0), or only asks them."""
    return any(question.answers or question.is_impossible for question in questions)


def squad_version(
    files: Mapping[Path, Sequence[Question]], expected: Literal["auto", "1.1", "2.0"], run: str
) -> Version:
    """By which version's rules the questions of these files are learned and scored.

    Args:
        expected: auto means 2.0 where a file that is answered has questions without an answer, else 1.1.
        run: the command that a StageError names.

    Raises:
        StageError: there are such questions where 1.1 is expected: its scores would count every prediction for them as
            wrong.
    """
    for path, questions in files.items():
        without = sum(not question.answers for question in questions) if has_answers(questions) else 0
        if without and expected == "1.1":
            raise StageError(
                f"{path}: {without} of {len(questions)} questions have no answer (SQuAD v2.0), expected SQuAD v1.1: "
                "its scores would count every prediction for them as wrong",
                run=run,
            )
        if without:
            return "2.0"
    return "2.0" if expected == "2.0" else "1.1"


def evenly_spaced(questions: Sequence[Question], limit: int | None) -> list[Question]:
    """At most `limit` questions, spread over the whole list: the first ones would all be about the first articles."""
    if limit is None or limit >= len(questions):
        return list(questions)
    return [questions[index * len(questions) // limit] for index in range(limit)]


class _Malformed(Exception):
    """Something is missing or of the wrong type; the message says where."""


def _field(node: Any, key: str, kind: type, where: str) -> Any:
    if not isinstance(node, dict):
        raise _Malformed(f"expected an object at {where}, got {type(node).__name__}")
    value = node.get(key)
    # bool is an int to Python; `true` is no answer_start.
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        got = "nothing" if key not in node else type(value).__name__
        raise _Malformed(f"expected {kind.__name__} {key!r} at {where}, got {got}")
    return value


def _walk(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """(context, qa) for each question, its types checked."""
    for a, article in enumerate(_field(document, "data", list, "the top")):
        for p, paragraph in enumerate(_field(article, "paragraphs", list, f"data[{a}]")):
            place = f"data[{a}].paragraphs[{p}]"
            context = _field(paragraph, "context", str, place)
            for q, qa in enumerate(_field(paragraph, "qas", list, place)):
                where = f"{place}.qas[{q}]"
                _field(qa, "question", str, where)
                if not isinstance(qa.get("id"), int):  # numbers are ids too
                    _field(qa, "id", str, where)
                elif isinstance(qa["id"], bool):
                    raise _Malformed(f"expected str 'id' at {where}, got bool")
                if "is_impossible" in qa:
                    _field(qa, "is_impossible", bool, where)
                if "answers" in qa:  # a file for predictions alone has none
                    _field(qa, "answers", list, where)
                if qa.get("answer_type") is not None:
                    _field(qa, "answer_type", str, where)
                for i, answer in enumerate(qa.get("answers", [])):
                    _field(answer, "text", str, f"{where}.answers[{i}]")
                    _field(answer, "answer_start", int, f"{where}.answers[{i}]")
                yield context, qa


def _answers(qa: dict[str, Any], context: str, dropped: Counter[str]) -> tuple[Answer, ...]:
    """The answers that stand where they say; the others are counted in `dropped`."""
    # v2 lists "plausible" answers of impossible questions elsewhere; should `answers` hold any, they are no answers.
    if qa.get("is_impossible", False):
        if qa.get("answers"):
            dropped["answer: of an impossible question"] += len(qa["answers"])
        return ()
    kept = []
    for answer in qa.get("answers", []):
        text, start = answer["text"], answer["answer_start"]
        if not text.strip():
            dropped["answer: blank"] += 1
        elif start < 0 or not context.startswith(text, start):
            found = "elsewhere" if text in context else "not"
            dropped[f"answer: not at answer_start, {found} in the context"] += 1
        else:
            kept.append((text, start))
    return tuple(kept)
