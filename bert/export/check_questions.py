"""An exported question answerer, asked all questions whose answers were predicted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any

import tensorflow as tf
import tensorflow_text  # noqa: F401  its operations are in the SavedModel

from bert.export.agreement import Served, Shortfall, compare
from bert.pipeline.errors import StageError
from bert.tasks.squad.asking import Asker
from bert.tasks.squad.data import Question

BATCH = 64


def check_questions(
    folder: Path, asker: Asker, questions: Sequence[Question], predicted: Mapping[str, str], precision: str
) -> dict[str, Any]:
    """The figures of `compare`.

    Args:
        folder: of the SavedModel.
        asker: the same model by the stage's own code.
        predicted: {id: answer}, made in `precision`.

    Raises:
        StageError: as `compare`; a question without a prediction; an answer that does not stand where it says.
    """
    if absent := [question.id for question in questions if question.id not in predicted]:
        raise StageError(
            f"{len(absent)} of {len(questions)} questions have no prediction, {absent[0]} for one",
            run="dvc repro squad",
        )
    answers = [
        Served(f"question {question.id}", answer, predicted[question.id])
        for question, answer in zip(questions, _served(folder, questions), strict=True)
    ]

    def ask_again(numbers: Sequence[int]) -> Iterator[Shortfall]:
        return (_shortfall(asker, questions[n]) for n in numbers)

    return compare(answers, ask_again, precision=precision, stage="export", made_by="squad")


def _served(folder: Path, questions: Sequence[Question]) -> Iterator[str]:
    tf.config.experimental.enable_tensor_float_32_execution(False)  # a GPU would round more
    loaded = tf.saved_model.load(str(folder))
    serve = loaded.signatures["serving_default"]
    for at in range(0, len(questions), BATCH):
        asked = questions[at : at + BATCH]
        found = serve(
            question=tf.constant([question.question for question in asked]),
            context=tf.constant([question.context for question in asked]),
        )
        parts = (found[name].numpy().tolist() for name in ("answer", "start", "end"))
        for question, text, start, end in zip(asked, *parts, strict=True):
            if question.context[start:end] != (answer := text.decode()):
                raise StageError(
                    f"the SavedModel answers question {question.id} with {answer!r}, but says that it stands at "
                    f"{start}...{end} of the context, where there is {question.context[start:end]!r}",
                    run="dvc repro -f -s export; should it fail again, the export itself is wrong",
                )
            yield answer


def _shortfall(asker: Asker, question: Question) -> Shortfall:
    """Of "" it is that of the null answer behind its threshold."""
    (reply,) = asker.ask(question.context, [question.question], windows=None)
    scores = {answer.text: answer.score for answer in reply.answers}
    if not scores:
        scores[""] = 0.0
    elif reply.null_odds is not None and asker.null_threshold is not None:
        scores[""] = max(scores.values()) + reply.null_odds - asker.null_threshold
    best = max(scores.values())
    return lambda answer: best - scores.get(answer, -inf)
