"""Tests for bert/tasks/squad/features.py."""

from __future__ import annotations

import tracemalloc
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bert.pipeline.errors import StageError
from bert.tasks import token_rows
from bert.tasks.squad.data import Question
from bert.tasks.squad.features import Windows, make_windows
from bert.tokens.tokenizer import WordPieceTokenizer

NEIL = "Café Neil was born in 1930."


def windows_of(
    tokenizer: WordPieceTokenizer, questions: list[Question], length: int, stride: int, query: int
) -> Windows:
    return make_windows(questions, tokenizer, max_seq_length=length, doc_stride=stride, max_query_length=query)


def pieces(tokenizer: WordPieceTokenizer, windows: Windows, row: int) -> str:
    return " ".join(tokenizer.vocab[i] for i in windows.input_ids[row])


def ask(context: str, answer: str, question: str = "who?") -> Question:
    return Question(answer, question, context, ((answer, context.index(answer)),))


def test_a_short_context_is_one_row_with_its_labels(tokenizer: WordPieceTokenizer) -> None:
    windows = windows_of(tokenizer, [ask("he was born in 1 river.", "born in 1")], 16, 4, 4)
    assert pieces(tokenizer, windows, 0) == ("[CLS] who ? [SEP] he was born in 1 river . [SEP] [PAD] [PAD] [PAD] [PAD]")
    assert windows.input_mask[0].tolist() == [1] * 12 + [0] * 4
    assert windows.segment_ids[0].tolist() == [0] * 4 + [1] * 8 + [0] * 4
    assert (windows.start_positions.tolist(), windows.end_positions.tolist()) == ([6], [8])
    for name in ("input_ids", "input_mask", "segment_ids", "start_positions", "end_positions"):
        assert getattr(windows, name).dtype == np.int32


def test_a_long_context_is_read_through_overlapping_windows(tokenizer: WordPieceTokenizer) -> None:
    windows = windows_of(tokenizer, [ask("a b c d e f g h i j", "g h")], 10, 3, 2)
    assert [pieces(tokenizer, windows, row) for row in range(3)] == [
        "[CLS] who ? [SEP] a b c d e [SEP]",
        "[CLS] who ? [SEP] d e f g h [SEP]",
        "[CLS] who ? [SEP] g h i j [SEP] [PAD]",
    ]
    # The first window does not hold the answer: both labels point at [CLS].
    assert list(zip(windows.start_positions.tolist(), windows.end_positions.tolist(), strict=True)) == [
        (0, 0),
        (7, 8),
        (4, 5),
    ]
    assert windows.counts == {"windows": 3, "windows without the answer": 1}


def test_an_answer_that_ends_beyond_the_window_is_outside(tokenizer: WordPieceTokenizer) -> None:
    windows = windows_of(tokenizer, [ask("a b c d e f g h i j", "e f")], 10, 3, 2)
    assert list(zip(windows.start_positions.tolist(), windows.end_positions.tolist(), strict=True)) == [
        (0, 0),
        (5, 6),
        (0, 0),
    ]


def test_an_answer_that_no_window_holds_whole_is_counted(tokenizer: WordPieceTokenizer) -> None:
    windows = windows_of(tokenizer, [ask("a b c d e f g h i j", "a b c d e f g")], 10, 3, 2)
    assert not windows.start_positions.any() and not windows.end_positions.any()
    assert windows.counts["questions whose answer no window holds"] == 1


def test_a_stride_beyond_the_window_skips_no_token(tokenizer: WordPieceTokenizer) -> None:
    windows = windows_of(tokenizer, [ask("a b c d e f", "a")], 7, 99, 2)
    assert windows.context_length.tolist() == [2, 2, 2]
    assert windows.first_token.tolist() == [0, 2, 4]


def test_a_question_keeps_its_first_tokens(tokenizer: WordPieceTokenizer) -> None:
    windows = windows_of(tokenizer, [ask("a b", "b", "who was he?")], 9, 3, 2)
    assert pieces(tokenizer, windows, 0) == "[CLS] who was [SEP] a b [SEP] [PAD] [PAD]"
    assert windows.counts["questions cut at max_query_length"] == 1


def test_labels_are_the_tokens_that_overlap_the_answer(tokenizer: WordPieceTokenizer) -> None:
    """An answer inside a word is labelled with the word's pieces that it touches, accents and all."""
    context = "Cafe\u0301 born"
    windows = windows_of(
        tokenizer,
        [ask(context, "fe\u0301 b"), ask(context, "\u0301"), ask(context, " "), Question("v2", "who?", context, ())],
        16,
        4,
        4,
    )
    assert pieces(tokenizer, windows, 0).startswith("[CLS] who ? [SEP] c ##a ##f ##e born [SEP]")
    # "é" spans its combining mark; a lone blank touches no token; no answer has no label.
    assert windows.start_positions.tolist() == [6, 7, 0, 0]
    assert windows.end_positions.tolist() == [8, 7, 0, 0]
    assert windows.counts["questions whose answer no window holds"] == 1


def test_a_context_without_tokens_has_no_window(tokenizer: WordPieceTokenizer) -> None:
    questions = [Question("1", "who?", "\u200b", (("\u200b", 0),)), ask(NEIL, "Neil")]
    windows = windows_of(tokenizer, questions, 40, 4, 4)
    assert windows.question_index.tolist() == [1]
    assert windows.counts["questions without a token of context"] == 1
    assert len(windows_of(tokenizer, questions[:1], 40, 4, 4)) == 0


def test_settings_without_room_for_context_are_refused(tokenizer: WordPieceTokenizer) -> None:
    with pytest.raises(StageError, match=r"max_seq_length is 67.*at least 68"):
        windows_of(tokenizer, [], 67, 32, 64)


contexts = st.lists(
    st.sampled_from(["he", "was", "Born!", "1930", "é", "日", "(river)", "\u200b"]), min_size=1, max_size=25
)


@settings(max_examples=60, deadline=None)
@given(contexts.map(" ".join), contexts.map(" ".join), st.integers(12, 24), st.integers(1, 12), st.data())
def test_every_row_leads_back_to_the_characters(
    tokenizer: WordPieceTokenizer, one: str, other: str, length: int, stride: int, data: st.DataObject
) -> None:
    questions = []
    for context in (one, other, one):
        start = data.draw(st.integers(0, len(context) - 1))
        end = data.draw(st.integers(start + 1, len(context)))
        questions.append(Question("q", "who was he?", context, ((context[start:end], start),)))
    windows = windows_of(tokenizer, questions, length, stride, 3)
    mask, best = windows.context_mask(), windows.max_context_mask()
    for index, question in enumerate(questions):
        (ids,), (starts,), (ends,) = tokenizer.tokenize_with_offsets([question.context])
        rows = np.flatnonzero(windows.question_index == index)
        shown = np.zeros(len(ids), int)
        chosen = np.zeros(len(ids), int)
        for row in rows:
            first, size, at = windows.first_token[row], windows.context_length[row], windows.token_row[row]
            assert windows.input_ids[row][mask[row]].tolist() == ids[first : first + size].tolist()
            assert windows.token_start[at : at + size].tolist() == starts[first : first + size].tolist()
            assert windows.token_end[at : at + size].tolist() == ends[first : first + size].tolist()
            assert (
                windows.input_mask[row].sum()
                == np.count_nonzero(windows.segment_ids[row]) + windows.context_position[row]
            )
            shown[first : first + size] += 1
            chosen[first : first + size] += best[row][mask[row]]
            if windows.start_positions[row]:
                a, b = (
                    int(p[row]) - windows.context_position[row] + at
                    for p in (windows.start_positions, windows.end_positions)
                )
                text, start = question.answers[0]
                assert windows.token_start[a] < start + len(text) and windows.token_end[b] > start
                assert a == at or windows.token_end[a - 1] <= start
                assert b < at + size
                assert b + 1 == at + size or windows.token_start[b + 1] >= start + len(text)
        assert (shown >= 1).all()
        assert (chosen == 1).all()
    assert not (best & ~mask).any()


@pytest.mark.parametrize(("num_tokens", "room", "stride"), [(13, 7, 3), (8, 6, 4), (15, 7, 4), (205, 200, 150)])
def test_max_context_is_the_window_that_shows_most_around_a_token(
    tokenizer: WordPieceTokenizer, num_tokens: int, room: int, stride: int
) -> None:
    """Against the definition, token by token, as run_squad.py computes it."""
    windows = windows_of(tokenizer, [ask("a " * num_tokens, "a")], room + 5, stride, 2)
    mask = windows.max_context_mask()
    spans = list(zip(windows.first_token.tolist(), windows.context_length.tolist(), strict=True))
    assert len(spans) > 1
    for token in range(num_tokens):
        scores = [
            min(token - first, first + length - 1 - token) + 0.01 * length if first <= token < first + length else -1
            for first, length in spans
        ]
        for row, (first, length) in enumerate(spans):
            if first <= token < first + length:
                expected = scores.index(max(scores)) == row
                assert mask[row, token - first + windows.context_position[row]] == expected


def test_a_much_longer_window_outweighs_a_nearer_edge(tokenizer: WordPieceTokenizer) -> None:
    """Windows (0, 200) and (150, 55): token 175 has 24 + 2.00 in the first and 25 + 0.55 in the second."""
    windows = windows_of(tokenizer, [ask("a " * 205, "a")], 205, 150, 2)
    assert windows.max_context_mask()[:, 4:].argmin(axis=1).tolist() == [176, 0]


def test_a_long_context_takes_memory_by_its_length(tokenizer: WordPieceTokenizer) -> None:
    """40,000 tokens in 10,000 windows: a table of one by the other would take 400 MB even as bytes."""
    windows = windows_of(tokenizer, [ask("a " * 40_000, "a")], 12, 4, 2)
    assert len(windows) > 9_000
    tracemalloc.start()
    try:
        best = windows.max_context_mask()
        assert tracemalloc.get_traced_memory()[1] < 30e6
    finally:
        tracemalloc.stop()
    assert best.sum() == 40_000


def test_the_same_questions_give_the_same_arrays(tokenizer: WordPieceTokenizer) -> None:
    questions = [ask(NEIL, "Neil"), ask("a b c d e f g h i j", "g h")]
    one, other = (windows_of(tokenizer, questions, 12, 2, 3) for _ in range(2))
    for field in fields(Windows):
        assert np.array_equal(getattr(one, field.name), getattr(other, field.name))


def plain_windows(
    tokenizer: WordPieceTokenizer, questions: list[Question], length: int, stride: int, query: int
) -> dict[str, list]:
    """What `make_windows` says it does, token by token; without `token_row`, `token_start` and `token_end`."""
    found: dict[str, list] = {name: [] for name in PLAIN}
    for index, question in enumerate(questions):
        (ids,), (starts,), (ends,) = tokenizer.tokenize_with_offsets([question.context])
        asked = tokenizer.tokenize([question.question])[0].tolist()[:query]
        text, at = question.answers[0] if question.answers else ("", 0)
        touched = [n for n in range(len(ids)) if starts[n] < at + len(text) and ends[n] > at]
        first, room = 0, length - len(asked) - 3
        while first < len(ids):
            tokens = ids[first : first + room].tolist()
            row = [tokenizer.cls_id, *asked, tokenizer.sep_id, *tokens, tokenizer.sep_id]
            padding = [0] * (length - len(row))
            shown = [len(asked) + 2 + n - first for n in touched if first <= n < first + len(tokens)]
            labels = (shown[0], shown[-1]) if touched and len(shown) == len(touched) else (0, 0)
            values = (
                row + [tokenizer.pad_id] * len(padding),
                [1] * len(row) + padding,
                [0] * (len(asked) + 2) + [1] * (len(tokens) + 1) + padding,
                *(*labels, index, len(asked) + 2, len(tokens), first),
            )
            for name, value in zip(PLAIN, values, strict=True):
                found[name].append(value)
            if first + room >= len(ids):
                break
            first += min(room, stride)
    return found


PLAIN = ("input_ids", "input_mask", "segment_ids", "start_positions", "end_positions", "question_index",
         "context_position", "context_length", "first_token")  # fmt: skip
asked_contexts = st.lists(st.tuples(contexts.map(" ".join), st.integers(0, 99), st.integers(0, 9)), max_size=8)


@settings(max_examples=60, deadline=None)
@given(asked_contexts, st.integers(8, 24), st.integers(1, 12), st.integers(1, 4))
def test_the_arrays_are_those_of_plain_python_in_any_number_of_threads(
    tokenizer: WordPieceTokenizer, given: list[tuple[str, int, int]], length: int, stride: int, query: int
) -> None:
    questions = []
    for context, at, size in given:
        at %= len(context)
        text = context[at : at + size]
        questions.append(Question("q", "who was he?", context, ((text, at),) if size else ()))
    expected = plain_windows(tokenizer, questions, length, stride, query)
    for threads in (1, 3):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(token_rows, "TOKENIZER_BATCH", 2)
            windows = make_windows(
                questions,
                tokenizer,
                max_seq_length=length,
                doc_stride=stride,
                max_query_length=query,
                threads=threads,
            )
        for name in PLAIN:
            assert getattr(windows, name).tolist() == expected[name], name
