"""bert/tasks/squad/asking.py: whatever is asked of whatever text, an answer is a part of it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bert.checkpoints.folder import load_model
from bert.model.parameters import pretraining_shapes
from bert.pipeline.errors import StageError
from bert.tasks.squad.answers import best_answers
from bert.tasks.squad.asking import Asker, Reply
from bert.tasks.squad.data import Question
from bert.tasks.squad.features import make_windows
from bert.training.objectives import spans
from tests.tasks.squad.tiny_asker import CONFIG, LETTERS, tiny_asker, tiny_settings, write_model

# Combining marks, alone and behind others; white space of all kinds; what becomes several characters, or none.
MARKS, SPACES = "\u0301\u0323\u0489\u302e\u200d\u00ad\ufe0f\U000e0100\u0903", " \0\t\r\n\u0085\u00a0\u2028\u3000"
AWKWARD = f"ae{MARKS}é\u1e69½ﬁßİ서울月قمر\u064e😀👩𐍈{SPACES},.\ud800"
texts = st.text(st.characters() | st.sampled_from(AWKWARD), max_size=60)
FAMILY = "👩\u200d👩\u200d👧"


@pytest.fixture(scope="module", params=[None, 0.0], ids=["v1.1", "v2.0"])
def asker(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Asker:
    return tiny_asker(tmp_path_factory.mktemp("asker"), request.param)


@pytest.fixture(scope="module")
def cased(tmp_path_factory: pytest.TempPathFactory) -> Asker:
    return tiny_asker(tmp_path_factory.mktemp("cased"), do_lower_case=False)


def check(reply: Reply, context: str) -> None:
    for answer in reply.answers:
        assert 0 <= answer.start < answer.end <= len(context)
        assert answer.text == context[answer.start : answer.end]
        assert 0 <= answer.probability <= 1 and math.isfinite(answer.score)
    scores = [answer.score for answer in reply.answers]
    assert scores == sorted(scores, reverse=True)
    assert reply.windows_read <= reply.windows
    assert reply.no_answer == (reply.why_none is not None)
    assert reply.answers or reply.no_answer


@settings(max_examples=300, deadline=None)
@given(context=texts, question=texts, windows=st.sampled_from([None, 1, 2]))
@example(context="", question="", windows=None)
@example(context="", question="moon?", windows=1)
@example(context=" \t\n\u00a0\u3000\u0301", question="moon?", windows=1)
@example(context="moon", question="", windows=1)
@example(context="moon", question=" \t\u0301", windows=None)
@example(context=f"{FAMILY} moon\u00a0moon\t{FAMILY}", question="😀", windows=1)
@example(context="القَمَرُ فِي السَّمَاءِ", question="أين القمر؟", windows=None)
@example(context="a\u302e\U0001d165b \u0323\u0301c", question="a", windows=None)
@example(context="moon " * 60 + "e\u0301", question="moon " * 20, windows=2)
def test_an_answer_is_a_part_of_the_context(
    asker: Asker, cased: Asker, context: str, question: str, windows: int | None
) -> None:
    for one in (asker, cased):
        (reply,) = one.ask(context, [question], windows=windows)
        assert reply.question == question
        check(reply, context)


@pytest.mark.parametrize("context", ["", " \t\r\n\u00a0\u3000", "\u0301\u200d\0"])
def test_a_text_without_a_token_has_no_answer_and_that_is_said(asker: Asker, context: str) -> None:
    (reply,) = asker.ask(context, ["moon?"], windows=None)
    assert (reply.answers, reply.no_answer, reply.windows) == ((), True, 0)
    assert reply.why_none == "the text has no token"


def test_answers_reach_both_edges_of_the_text(asker: Asker) -> None:
    """Of three tokens every span is weighed: the first token's, the last one's, and the whole."""
    context = "Moón,\u00a0s\u0301"
    found = set()
    for question in ("a", "b", "c d", "moon?", "", "x y z", "1 2"):
        (reply,) = asker.ask(context, [question], windows=None)
        check(reply, context)
        found |= {(answer.start, answer.end) for answer in reply.answers}
    assert {start for start, _ in found} >= {0} and {end for _, end in found} >= {len(context)}


def test_a_question_is_answered_as_by_the_stage(asker: Asker, tmp_path: Path) -> None:
    """Against the stage's functions, over all windows in one batch of their full length."""
    if asker.null_threshold is not None:
        pytest.skip("the null answer is taken out of what is listed")
    context = "the moon is far, 12 34. " * 6 + "qed"
    questions = ["who is it?", "moon", ""]
    model = load_model(write_model(tmp_path / "squad"), "")
    options = tiny_settings()
    asked = [Question("", question, context, ()) for question in questions]
    windows = make_windows(asked, model.tokenizer(), max_seq_length=24, doc_stride=8, max_query_length=6)
    rows = {name: tf.constant(getattr(windows, name)) for name in ("input_ids", "input_mask", "segment_ids")}
    logits = spans().forward(model.weights, model.config, rows, tf.float32).numpy()
    limits = {"n_best_size": options.n_best_size, "max_answer_length": options.max_answer_length}
    expected = best_answers(asked, windows, logits[:, 0], logits[:, 1], **limits)
    for reply, candidates in zip(asker.ask(context, questions, windows=None), expected, strict=True):
        assert [(a.start, a.end) for a in reply.answers] == [(c.start, c.end) for c in candidates]
        sums = [c.start_logit + c.end_logit for c in candidates]
        assert [a.score for a in reply.answers] == pytest.approx(sums, abs=1e-4)
        assert [a.probability for a in reply.answers] == pytest.approx([c.probability for c in candidates], abs=1e-4)


@pytest.mark.parametrize("windows", [None, 2])
def test_a_text_of_200_000_characters(asker: Asker, windows: int | None) -> None:
    chance = np.random.default_rng(0)
    words = ["".join(chance.choice(list(LETTERS), 4)) for _ in range(40_000)]
    words[31_234] = "moon"
    context = " ".join(words)[:199_998] + "é😀"
    assert len(context) == 200_000
    seen: list[tuple[int, int]] = []
    (reply,) = asker.ask(context, ["moon"], windows=windows, progress=lambda *of: seen.append(of))
    check(reply, context)
    assert reply.windows > 9000
    assert reply.windows_read == (windows or reply.windows)
    assert seen[-1] == (reply.windows_read, reply.windows_read)
    if windows:
        # What was read lies about the one word that the question shares.
        place = context.index(" moon ")
        assert all(abs(answer.start - place) < 100 for answer in reply.answers)


def test_the_threshold_decides_what_is_said_of_a_text_without_an_answer(tmp_path: Path) -> None:
    for threshold in (-1e12, 1e12):
        asker = tiny_asker(tmp_path / str(threshold), threshold)
        (reply,) = asker.ask("the moon is far", ["moon?"], windows=None)
        assert reply.null_odds is not None
        assert reply.no_answer == (reply.null_odds > threshold) == (threshold < 0)
        assert reply.answers and (reply.why_none is None) == (threshold > 0)


def test_no_question_gets_no_reply(asker: Asker) -> None:
    assert asker.ask("the moon", [], windows=1) == []


def test_a_model_that_was_not_tuned_on_squad_is_refused(tmp_path: Path) -> None:
    model = write_model(tmp_path / "phase2", pretraining_shapes(CONFIG))
    with pytest.raises(StageError, match="phase2: has no weight cls/squad/output_"):
        Asker.load(model, tiny_settings(), tmp_path)


def test_windows_that_the_model_has_no_positions_for_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StageError, match=r"squad\.max_seq_length is 33, but .* has positions for 32"):
        Asker.load(write_model(tmp_path / "squad"), tiny_settings(max_seq_length=33), tmp_path)


def test_openvino_gives_the_answers_of_tensorflow(tmp_path: Path) -> None:
    pytest.importorskip("openvino")
    context = "the moon is far, 12 34. " * 6 + "qed"
    model = load_model(write_model(tmp_path / "squad"), "")
    replies = {
        engine: Asker(model, tiny_settings(), engine=engine).ask(context, ["who is it?", "moon"], windows=None)
        for engine in ("tensorflow", "openvino")
    }
    for ours, theirs in zip(replies["openvino"], replies["tensorflow"], strict=True):
        assert [(a.start, a.end) for a in ours.answers] == [(a.start, a.end) for a in theirs.answers]
        assert [a.score for a in ours.answers] == pytest.approx([a.score for a in theirs.answers], abs=1e-4)
