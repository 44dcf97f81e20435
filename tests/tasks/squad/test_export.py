"""bert/tasks/squad/export.py: the graph cuts and chooses as the stage does."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bert.model.config import BertConfig
from bert.tasks.squad.answers import best_answers
from bert.tasks.squad.data import Question
from bert.tasks.squad.export import QuestionAnswerer
from bert.tasks.squad.features import Windows, make_windows
from bert.tasks.squad.no_answer import null_answers, with_null
from bert.tokens.tokenizer import WordPieceTokenizer
from bert.tokens.vocabulary import SPECIAL_PIECES
from tests.stages.finetuning import CONFIG

LETTERS = "abcdefghijoses"
PIECES = list(dict.fromkeys([*SPECIAL_PIECES, "jose", *LETTERS, *(f"##{c}" for c in LETTERS), *",.!1234"]))
# Marks of one to four bytes, alone and behind others; characters that become several, or none; all sizes of UTF-8.
AWKWARD = "aeo \u0301\u0300\u0489\u200d\u00ad\ufe0f\U000e0100\u0903\u0f71é\u1e69ǻ½ﬁßİ서\u1112울日😀𐍈\0\n\u0085\u2028,."
texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(AWKWARD), max_size=30)


def answerer(
    vocab: Path, length: int = 10, do_lower_case: bool = True, null_threshold: float | None = None, **limits: int
) -> QuestionAnswerer:
    """Of a model without weights: nothing here asks it for logits."""
    model: Any = SimpleNamespace(
        vocab=vocab,
        config=BertConfig(**{**vars(CONFIG), "vocab_size": len(PIECES)}),
        weights={},
        do_lower_case=do_lower_case,
    )
    chosen: Any = SimpleNamespace(max_seq_length=length, **{"n_best_size": 4, "max_answer_length": 3, **limits})
    return QuestionAnswerer(model, chosen, null_threshold)


@pytest.fixture(scope="module")
def vocab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vocab") / "vocab.txt"
    path.write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module", params=[True, False], ids=["uncased", "cased"])
def lower_case(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def tokenizer(vocab: Path, lower_case: bool) -> WordPieceTokenizer:
    return WordPieceTokenizer(vocab, lower_case)


@pytest.fixture(scope="module")
def exported(vocab: Path, lower_case: bool) -> QuestionAnswerer:
    return answerer(vocab, do_lower_case=lower_case)


@settings(max_examples=200, deadline=None)
@given(text=texts)
@example(text="Jose\u0301, or Jos\u00e9")
@example(text="Jose\u0301\u0301\u0300")
@example(text="\u0301 \u0301a")
@example(text="a\ufe0f\U000e0100")
@example(text="")
def test_a_piece_is_cut_from_the_same_characters(
    exported: QuestionAnswerer, tokenizer: WordPieceTokenizer, text: str
) -> None:
    (ids,), (starts,), (ends,) = tokenizer.tokenize_with_offsets([text])
    found, first, after = (part.numpy() for part in exported.tokens(text.encode()))
    raw = text.encode()
    assert found.tolist() == ids.tolist()
    spans = zip(first.tolist(), after.tolist(), strict=True)
    assert [raw[a:b].decode() for a, b in spans] == [text[a:b] for a, b in zip(starts, ends, strict=True)]
    assert first.tolist() == [len(text[:start].encode()) for start in starts]


def token_of(windows: Windows) -> np.ndarray:
    """(N, S) which token of the context stands there, -1 for none."""
    place = np.arange(windows.input_ids.shape[1]) - windows.context_position[:, None]
    return np.where(windows.context_mask(), windows.first_token[:, None] + place, -1).astype(np.int32)


@settings(max_examples=100, deadline=None)
@given(
    tokens=st.integers(1, 30),
    stride=st.integers(1, 9),
    longest=st.integers(1, 5),
    n_best=st.integers(1, 12),
    distinct=st.sampled_from([2, 4, 1000]),
    threshold=st.sampled_from([None, 0.0, 1 / 7, -1.5, 1.0, 1e12]),
    seed=st.integers(0, 2**32 - 1),
)
@example(tokens=5, stride=5, longest=1, n_best=1, distinct=1000, threshold=1e12, seed=0)
def test_the_same_span_is_chosen_or_none(
    vocab: Path,
    tokenizer: WordPieceTokenizer,
    tokens: int,
    stride: int,
    longest: int,
    n_best: int,
    distinct: int,
    threshold: float | None,
    seed: int,
) -> None:
    """Few distinct logits: many ties. A few of the best at each end only: those need not be ends of one span."""
    words = [LETTERS[i % len(LETTERS)] for i in range(tokens)]
    question = Question("q", "a ,", " ".join(words), ())
    windows = make_windows([question], tokenizer, max_seq_length=10, doc_stride=stride, max_query_length=2)
    chance = np.random.Generator(np.random.Philox(seed))
    start, end = chance.integers(0, distinct, (2, *windows.input_ids.shape)).astype(np.float32) / 7
    found = best_answers([question], windows, start, end, n_best_size=n_best, max_answer_length=longest)
    null = null_answers(found, windows, start, end)
    ((expected, *_),) = found if threshold is None else with_null(found, null, threshold)
    token = token_of(windows)
    graph = answerer(vocab, null_threshold=threshold, n_best_size=n_best, max_answer_length=longest)
    window, first, last, score = (part.numpy() for part in graph.best(start, end, token))
    has_answer, of_answer, odds = (part.numpy() for part in graph.against_null(start, end, score))
    assert has_answer == bool(expected.text) and odds == null.odds[0]
    if not has_answer:
        assert threshold is None or of_answer == pytest.approx(expected.start_logit + expected.end_logit, abs=1e-12)
        return
    # A letter and a space each.
    assert (2 * token[window, first], 2 * token[window, last] + 1) == (expected.start, expected.end)
    assert score == of_answer == pytest.approx(expected.start_logit + expected.end_logit, abs=1e-12)
