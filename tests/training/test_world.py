"""Tests for bert/training/world.py; the ranks themselves are in test_ranks.py."""

from __future__ import annotations

import pytest
import tensorflow as tf

from bert.pipeline.errors import StageError
from bert.training.world import LostRanks, Split, World, split_batch

PARAMETER = "pretrain.phase1.batch_size"


def test_the_whole_share_of_a_rank_is_one_micro_batch_unless_told_otherwise() -> None:
    assert split_batch("pretrain_phase1", PARAMETER, 32, 4) == Split(ranks=4, accumulate=1, micro_batch=8)


def test_micro_batches_are_accumulated_to_the_global_batch() -> None:
    split = split_batch("pretrain_phase1", PARAMETER, 32, 4, micro_batch=2)
    assert split == Split(ranks=4, accumulate=4, micro_batch=2)
    assert split.ranks * split.rows_per_rank == 32


def test_a_batch_that_ranks_cannot_share_names_the_parameter_and_what_to_change() -> None:
    with pytest.raises(StageError, match="batch_size is 32, which 3 ranks") as error:
        split_batch("pretrain_phase1", PARAMETER, 32, 3)
    assert "set BERT_RANKS to a divisor of 32, or pretrain.phase1.batch_size to a multiple of 3" in str(error.value)


@pytest.mark.parametrize("micro", [3, 16])
def test_a_micro_batch_that_does_not_divide_names_all_numbers(micro: int) -> None:
    with pytest.raises(StageError, match=rf"BERT_MICRO_BATCH is {micro}, .*8 rows.*batch_size 32 / 4 ranks") as error:
        split_batch("pretrain_phase1", PARAMETER, 32, 4, micro)
    assert "a divisor of 8" in str(error.value)


def test_a_micro_batch_that_the_result_depends_on_is_no_matter_of_the_machine() -> None:
    assert split_batch("pretrain_phase1", PARAMETER, 32, 2, result_rows=4) == Split(2, 4, 4)
    assert split_batch("pretrain_phase1", PARAMETER, 32, 2, micro_batch=4, result_rows=4) == Split(2, 4, 4)
    with pytest.raises(StageError, match=r"BERT_MICRO_BATCH is 8, but pretrain_phase1's result .* of 4 rows"):
        split_batch("pretrain_phase1", PARAMETER, 32, 2, micro_batch=8, result_rows=4)


def test_rows_that_do_not_divide_a_ranks_share_name_all_numbers() -> None:
    with pytest.raises(StageError, match=r"micro_batches\.rows is 3, .*8 rows.*batch_size 32 / 4 ranks"):
        split_batch("pretrain_phase1", PARAMETER, 32, 4, result_rows=3)


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
    world = World(rank=0, size=2, hvd="Horovod", stall_seconds=7)
    together = world.together("step 3", lambda: saved.append("saved"))
    expected = r"step 3: rank 0 has lost the others: .* silent for 7 s \(BERT_STALL_SECONDS\)"
    with pytest.raises(LostRanks, match=expected), together:
        raise tf.errors.UnknownError(None, None, said)
    assert saved == ["saved"]


def test_another_error_among_ranks_stays_what_it_is() -> None:
    with pytest.raises(tf.errors.InvalidArgumentError), World(size=2, hvd="Horovod").together("step 3"):
        raise tf.errors.InvalidArgumentError(None, None, "shapes differ")
