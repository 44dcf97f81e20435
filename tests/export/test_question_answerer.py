"""bert/export/question_answerer.py: the graph cuts and chooses as the stage does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bert.export import encoder
from bert.export.question_answerer import Answers, QuestionAnswerer, export_question_answerer
from bert.export.tokenizer import GraphTokenizer
from bert.tasks.squad.asking import Asker
from bert.tasks.squad.data import Question
from bert.tasks.squad.features import make_windows
from bert.tasks.squad.no_answer import NO_SPAN
from bert.tasks.squad.postprocessing import postprocess
from bert.tokens.tokenizer import WordPieceTokenizer
from bert.training.objectives import spans
from tests.export.models import question_answering, squad_settings, texts

KINDS = 997


class MadeUpLogits:
    """Logits that follow from a piece, its place and all else in its row, for NumPy and for a graph.

    Few distinct ones: many ties.
    """

    def __init__(self, distinct: int) -> None:
        chance = np.random.Generator(np.random.Philox(5))
        self._tables = chance.integers(0, distinct, (2, KINDS)).astype(np.float32) / 7

    def numbers(self, ids: Any, mask: Any, segments: Any, column: Any, total: Callable[[Any], Any]) -> Any:
        return (ids * 31 + column * 17 + total(ids * mask + 3 * segments + mask) * 7) % KINDS

    def in_numpy(self, ids: np.ndarray, mask: np.ndarray, segments: np.ndarray) -> np.ndarray:
        kinds = self.numbers(ids, mask, segments, np.arange(ids.shape[1])[None], lambda x: x.sum(1, keepdims=True))
        return np.stack([table[kinds] for table in self._tables], 1)

    def in_graph(self, ids: Any, mask: Any, segments: Any) -> tuple[Any, Any]:
        with tf.control_dependencies([tf.debugging.assert_less_equal(tf.shape(ids)[0], encoder.ROWS)]):
            column = tf.range(tf.shape(ids)[1])[None]
        kinds = self.numbers(ids, mask, segments, column, lambda x: tf.reduce_sum(x, 1, keepdims=True))
        start, end = (tf.gather(table, kinds) for table in self._tables)
        return start, end


# (distinct logits, threshold of v2.0, what of the settings is other)
CASES: list[tuple[int, float | None, dict[str, int]]] = [
    (1000, None, {}),
    (2, None, {"doc_stride": 1, "n_best_size": 4, "max_answer_length": 3, "max_seq_length": 10}),
    (4, 0.0, {"doc_stride": 5, "n_best_size": 12, "max_seq_length": 11}),
    (1000, 1 / 7, {"max_query_length": 2, "n_best_size": 1, "max_answer_length": 1, "max_seq_length": 7}),
    (1000, 1e12, {}),
    (4, -1.5, {}),
]


@pytest.fixture(scope="module", params=CASES, ids=str)
def both(request: pytest.FixtureRequest, vocab: Path) -> Any:
    """Strings -> answers, in Python and in a graph that reads three windows at a time."""
    distinct, threshold, changes = request.param
    logits, chosen = MadeUpLogits(distinct), squad_settings(**changes, null_score_diff_threshold=threshold)
    model = question_answering(vocab)
    strings = [tf.TensorSpec([None], tf.string)] * 2
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoder, "ROWS", 3)
        answers = Answers(GraphTokenizer(model), logits.in_graph, chosen, threshold)
        traced = tf.function(answers, input_signature=strings, autograph=False)
        traced.get_concrete_function()
    tokenizer = WordPieceTokenizer(vocab, True)

    def in_python(asked: list[Question]) -> Any:
        windows = make_windows(
            asked,
            tokenizer,
            max_seq_length=chosen.max_seq_length,
            doc_stride=chosen.doc_stride,
            max_query_length=chosen.max_query_length,
        )
        found = logits.in_numpy(windows.input_ids, windows.input_mask, windows.segment_ids)
        return postprocess(asked, windows, found, chosen, "1.1" if threshold is None else "2.0")

    return in_python, traced


@settings(max_examples=40, deadline=None)
@given(asked=st.lists(st.tuples(texts, texts | st.text("abcdef ", min_size=20, max_size=90)), min_size=1, max_size=5))
@example(asked=[("", "")])
@example(asked=[("a b", ""), ("a", "a b c"), ("", " \u0301")])
@example(asked=[("", "jose\u0301 a b c d"), ("c d e f g h i", "a b c d e f g h i j a b c d e f " * 9)])
def test_the_same_answers_are_given_or_none(both: Any, asked: list[tuple[str, str]]) -> None:
    in_python, traced = both
    questions = [Question(str(n), question, context, ()) for n, (question, context) in enumerate(asked)]
    expected = in_python(questions)
    found = traced(*([text for text in texts] for texts in zip(*asked, strict=True)))
    found = {name: values.numpy().tolist() for name, values in found.items()}
    best = [candidates[0] for candidates in expected.candidates]
    assert [answer.decode() for answer in found["answer"]] == [candidate.text for candidate in best]
    assert list(zip(found["start"], found["end"], strict=True)) == [(c.start, c.end) for c in best]
    scores = [c.start_logit + c.end_logit if c.text or expected.null_odds else NO_SPAN for c in best]
    np.testing.assert_array_equal(found["score"], np.array(scores, np.float32))
    if expected.null_odds is not None:
        np.testing.assert_array_equal(found["null_odds"], np.array(expected.null_odds, np.float32))


def test_no_question_has_no_answers(both: Any) -> None:
    found = both[1](tf.constant([], tf.string), tf.constant([], tf.string))
    assert {tuple(values.shape) for values in found.values()} == {(0,)}


@pytest.fixture(scope="module", params=[None, 0.0], ids=["v1.1", "v2.0"])
def served(request: pytest.FixtureRequest, vocab: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An exported model, and the same by the stage's own code."""
    model, folder = question_answering(vocab), tmp_path_factory.mktemp("export") / "model"
    export_question_answerer(model, squad_settings(), folder, request.param)
    loaded = tf.saved_model.load(str(folder))

    def serve(asked: list[tuple[str, str]]) -> list[dict[str, Any]]:
        questions, contexts = ([*texts] for texts in zip(*asked, strict=True))
        found = loaded.signatures["serving_default"](question=tf.constant(questions), context=tf.constant(contexts))
        return [
            dict(zip(found, values, strict=True))
            for values in zip(*(v.numpy().tolist() for v in found.values()), strict=True)
        ]

    return serve, Asker(model, squad_settings(), request.param), loaded


WORDS = "jose\u0301 😀 مرحبا\u064b بك a\tb\u00a0c e\u0308\u0301 d. 日本 \U0001f468\u200d\U0001f469 \u200f "
ASKED = [
    ("who?", ""),
    ("", "abc"),
    ("a", "\t\u00a0 \n"),
    ("b", "😀"),
    ("jose", "jose\u0301\u0301"),
    ("c", "\u0301\u0301a"),
    ("مرحبا", WORDS),
    ("a b c d e f g h i j", WORDS * 7),
    ("e", WORDS * 500),
]


def test_an_answer_is_where_it_says_in_any_context(served: Any) -> None:
    serve, asker, _ = served
    assert len(ASKED[-1][1]) == 20_000
    for (question, context), found in zip(ASKED, serve(ASKED), strict=True):
        assert found["answer"].decode() == context[found["start"] : found["end"]]
        (reply,) = asker.ask(context, [question], windows=None)
        best = reply.answers[0] if reply.answers and not reply.no_answer else None
        assert found["answer"].decode() == (best.text if best else "")
        if best:
            assert (found["start"], found["end"]) == (best.start, best.end)
            assert found["score"] == pytest.approx(best.score, abs=1e-4)
        if reply.null_odds is not None and reply.answers:
            assert found["null_odds"] == pytest.approx(reply.null_odds, abs=1e-4)


def test_a_batch_is_what_its_questions_are_alone(served: Any) -> None:
    serve, _, _ = served
    together, alone = serve(ASKED), [serve([pair])[0] for pair in ASKED]
    for one, other in zip(together, alone, strict=True):
        assert {k: v for k, v in one.items() if k in ("answer", "start", "end")}.items() <= other.items()
        assert {k: v for k, v in one.items() if isinstance(v, float)} == pytest.approx(
            {k: v for k, v in other.items() if isinstance(v, float)}, abs=1e-4
        )


@pytest.mark.parametrize("length", [1, 5, 16, 32])
def test_ids_of_any_length_have_the_logits_of_the_model(served: Any, vocab: Path, length: int) -> None:
    chance = np.random.Generator(np.random.Philox(length))
    ids = chance.integers(0, 20, (3, length)).astype(np.int32)
    mask = (np.arange(length) < np.array([[length], [1 + length // 2], [1]])).astype(np.int32)
    batch = {"input_ids": ids, "input_mask": mask, "segment_ids": mask * (ids % 2)}
    found = served[2].signatures["ids"](**{name: tf.constant(values) for name, values in batch.items()})
    model = question_answering(vocab)
    expected = spans().forward(model.weights, model.config, batch, tf.float32)
    np.testing.assert_allclose(found["start_logits"], expected[:, 0], atol=1e-4)
    np.testing.assert_allclose(found["end_logits"], expected[:, 1], atol=1e-4)


def operations(function: Any) -> set[str]:
    """The types of all operations of a function and of those that it calls."""
    graph = function.graph.as_graph_def()
    library = {f.signature.name: f for f in graph.library.function}
    found, waiting, seen = set(), [graph.node], set()
    while waiting:
        for node in waiting.pop():
            found.add(node.op)
            for value in node.attr.values():
                for name in [value.func.name, *(f.name for f in value.list.func)]:
                    if name in library and name not in seen:
                        seen.add(name)
                        waiting.append(library[name].node_def)
    return found


def test_ids_need_no_string_operation(served: Any) -> None:
    signatures = served[2].signatures
    of_strings = operations(signatures["serving_default"])
    assert any("Wordpiece" in op for op in of_strings) and "Substr" in of_strings
    of_ids = operations(signatures["ids"])
    assert "MatMul" in of_ids and "ReadVariableOp" in of_ids
    assert not [op for op in of_ids if "String" in op or "Wordpiece" in op or "Normalize" in op or op == "Substr"]


def test_a_cased_model_is_asked_in_its_case(vocab: Path) -> None:
    model = question_answering(vocab, do_lower_case=False)
    answerer = QuestionAnswerer(model, squad_settings())
    found = answerer.serve(["A"], ["JOSE\u0301 a\u0301 b"])
    (reply,) = Asker(model, squad_settings()).ask("JOSE\u0301 a\u0301 b", ["A"], windows=None)
    assert found["answer"].numpy()[0].decode() == reply.answers[0].text
    assert found["score"].numpy()[0] == pytest.approx(reply.answers[0].score, abs=1e-4)
