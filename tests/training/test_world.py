"""Tests for bert/training/world.py; the ranks themselves are in test_ranks.py."""

from __future__ import annotations

import pytest
import tensorflow as tf

from bert.pipeline.errors import StageError
from bert.training.world import LostRanks, Split, World, split_batch, wanted_micro_batch

PARAMETER = "pretrain.phase1.batch_size"


def test_the_whole_share_of_a_rank_is_one_micro_batch_unless_told_otherwise() -> None:
    assert split_batch("pretrain_phase1", PARAMETER, 32, 4) == Split(ranks=4, accumulate=1, micro_batch=8)


def test_micro_batches_are_accumulated_to_the_global_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERT_MICRO_BATCH", "2")
    split = split_batch("pretrain_phase1", PARAMETER, 32, 4)
    assert split == Split(ranks=4, accumulate=4, micro_batch=2)
    assert split.ranks * split.rows_per_rank == 32


def test_a_batch_that_ranks_cannot_share_names_the_parameter_and_what_to_change() -> None:
    with pytest.raises(StageError, match="batch_size is 32, which 3 ranks") as error:
        split_batch("pretrain_phase1", PARAMETER, 32, 3)
    assert "set BERT_RANKS to a divisor of 32, or pretrain.phase1.batch_size to a multiple of 3" in str(error.value)


@pytest.mark.parametrize("micro", ["3", "16", "0"])
def test_a_micro_batch_that_does_not_divide_names_all_numbers(monkeypatch: pytest.MonkeyPatch, micro: str) -> None:
    monkeypatch.setenv("BERT_MICRO_BATCH", micro)
    with pytest.raises(StageError, match=rf"BERT_MICRO_BATCH is {micro}, .*8 rows.*batch_size 32 / 4 ranks") as error:
        split_batch("pretrain_phase1", PARAMETER, 32, 4)
    assert "a divisor of 8" in str(error.value)


def test_a_micro_batch_that_the_result_depends_on_is_no_matter_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert split_batch("pretrain_phase1", PARAMETER, 32, 2, rows=4) == Split(2, 4, 4)
    monkeypatch.setenv("BERT_MICRO_BATCH", "pretrain_phase1=4")
    assert split_batch("pretrain_phase1", PARAMETER, 32, 2, rows=4) == Split(2, 4, 4)
    monkeypatch.setenv("BERT_MICRO_BATCH", "8")
    with pytest.raises(StageError, match=r"BERT_MICRO_BATCH is 8, but pretrain_phase1's result .* of 4 rows"):
        split_batch("pretrain_phase1", PARAMETER, 32, 2, rows=4)


def test_rows_that_do_not_divide_a_ranks_share_name_all_numbers() -> None:
    with pytest.raises(StageError, match=r"micro_batches\.rows is 3, .*8 rows.*batch_size 32 / 4 ranks"):
        split_batch("pretrain_phase1", PARAMETER, 32, 4, rows=3)


@pytest.mark.parametrize(
    ("told", "stage", "expected"),
    [
        ("", "squad", None),
        (" 16 ", "squad", 16),
        ("pretrain_phase1=64,squad=32", "squad", 32),
        ("pretrain_phase1=64, squad=32", "squad", 32),
        ("pretrain_phase1=64,squad=32", "pretrain_phase2", None),
        ("glue=8", "glue@mrpc", 8),
        ("glue=8,glue@mrpc=4", "glue@mrpc", 4),
    ],
)
def test_micro_batches_can_be_told_by_stage(
    monkeypatch: pytest.MonkeyPatch, told: str, stage: str, expected: int | None
) -> None:
    monkeypatch.setenv("BERT_MICRO_BATCH", told)
    assert wanted_micro_batch(stage) == expected


@pytest.mark.parametrize("told", ["many", "squad", "squad=", "squad=x", "-4", "1.5", "a=1=2", "²"])
def test_micro_batches_that_make_no_sense_are_shown(monkeypatch: pytest.MonkeyPatch, told: str) -> None:
    monkeypatch.setenv("BERT_MICRO_BATCH", told)
    with pytest.raises(StageError, match=r"BERT_MICRO_BATCH is .* expected a number or stage=number"):
        wanted_micro_batch("squad")


def test_a_micro_batch_for_a_stage_that_does_not_train_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERT_MICRO_BATCH", "squad=8,pretrain=64")
    with pytest.raises(StageError, match=r"BERT_MICRO_BATCH names pretrain, expected .* pretrain_phase1"):
        wanted_micro_batch("squad")


def test_a_world_of_one_needs_no_horovod() -> None:
    world = World()
    assert world.is_first
    assert world.sum([1, 2], "x") == [1, 2]
    assert world.gather({"a": 1}) == [{"a": 1}]


@pytest.mark.parametrize(
    "said",
    [
        "Horovod has been shut down. This was caused by an exception on one of the ranks",
        "[/src/gloo/transport/tcp/unbound_buffer.cc:81] Timed out waiting 4000ms for recv operation to complete",
        "[/src/gloo/transport/tcp/pair.cc:589] Read error [10.77.0.2]:4711: Connection reset by peer",
    ],
)
def test_whatever_says_first_that_ranks_are_lost_is_one_error_and_saves_before_it(said: str) -> None:
    saved: list[str] = []
    world = World(rank=0, size=2, hvd="Horovod")
    told = world.lost_ranks_told("step 3", lambda: saved.append("saved"))
    with pytest.raises(LostRanks, match="step 3: rank 0 has lost the others"), told:
        raise tf.errors.UnknownError(None, None, said)
    assert saved == ["saved"]


def test_another_error_among_ranks_stays_what_it_is() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError), World(size=2, hvd="Horovod").lost_ranks_told("step 3"):
        raise tf.errors.InvalidArgumentError(None, None, "shapes differ")
