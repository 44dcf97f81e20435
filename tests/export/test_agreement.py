"""bert/export/agreement.py: what is served against what was predicted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf

import pytest

from bert.export.agreement import ROUNDING, Served, Shortfall, compare
from bert.pipeline.errors import StageError

AGREE = [Served(f"row {n}", "a", "a") for n in range(18)]


def check(answers: Sequence[Served], scores: dict[str, float], precision: str = "fp32") -> dict[str, int]:
    """Where the stage's code gives all that differ these scores."""

    def ask_again(numbers: Sequence[int]) -> Iterator[Shortfall]:
        best = max(scores.values())
        return ((lambda answer: best - scores.get(answer, -inf)) for _ in numbers)

    return compare(answers, ask_again, precision=precision, stage="export", made_by="squad")


def test_what_is_as_good_up_to_rounding_is_a_tie() -> None:
    answers = [*AGREE, Served("row 18", "a", "b"), Served("row 19", "b", "a")]
    assert check(answers, {"a": 5.0, "b": 5.0 - ROUNDING / 2}) == {"checked": 20, "agreeing": 18, "ties": 2}
    assert check(AGREE, {}) == {"checked": 18, "agreeing": 18, "ties": 0}


@pytest.mark.parametrize("scores", [{"a": 5.0, "b": 5.0 + 2 * ROUNDING}, {"b": 5.0}])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_an_answer_that_the_stage_finds_worse_is_an_error_in_any_precision(
    scores: dict[str, float], precision: str
) -> None:
    expected = r"answers 1 of 19 otherwise than the model itself in float32: row 18, for one, with 'a', .* 'b'"
    with pytest.raises(StageError, match=expected):
        check([*AGREE, Served("row 18", "a", "b")], scores, precision)


def test_a_prediction_that_the_stage_finds_worse_is_an_error_in_float32() -> None:
    answers, scores = [*AGREE, Served("row 18", "a", "b"), Served("row 19", "a", "c")], {"a": 5.0, "b": 4.9}
    with pytest.raises(StageError, match=r"2 of 20 predictions are not what the model answers .* at most 0"):
        check(answers, scores)
    assert check(answers, scores, "bf16") == {"checked": 20, "agreeing": 18, "ties": 0}
    with pytest.raises(StageError, match=r"3 of 21 .* at most 2 where precision is fp16: row 18"):
        check([*answers, Served("row 20", "a", "d")], scores, "fp16")
