"""bert/benchmark/flops.py, against products written out by hand for BERT-large."""

from __future__ import annotations

import pytest

from bert.benchmark import flops

LARGE = {"hidden_size": 1024, "intermediate_size": 4096, "num_layers": 24}


@pytest.mark.parametrize(
    ("sequence_length", "predictions", "expected_layer", "expected_heads", "expected_training"),
    [
        # S = 128, P = 20
        #   layer: 8 * 128 * 1024^2      = 1,073,741,824
        #          4 * 128^2 * 1024      =    67,108,864
        #          4 * 128 * 1024 * 4096 = 2,147,483,648   sum 3,288,334,336
        #   heads: 2 * 20 * 1024^2 = 41,943,040; 2 * 20 * 1024 * 30522 = 1,250,181,120; 2 * 1024^2 = 2,097,152; 4,096
        #   all:   24 * 3,288,334,336 + 1,294,225,408 = 80,214,249,472; times 3
        (128, 20, 3_288_334_336, 1_294_225_408, 240_642_748_416),
        # S = 512, P = 80
        #   layer: 4,294,967,296 + 1,073,741,824 + 8,589,934,592 = 13,958,643,712
        #   heads: 167,772,160 + 5,000,724,480 + 2,097,152 + 4,096 = 5,170,597,888
        #   all:   335,007,449,088 + 5,170,597,888 = 340,178,046,976; times 3
        (512, 80, 13_958_643_712, 5_170_597_888, 1_020_534_140_928),
    ],
)
def test_bert_large_pretraining(
    sequence_length: int, predictions: int, expected_layer: int, expected_heads: int, expected_training: int
) -> None:
    one_layer = flops.encoder(sequence_length=sequence_length, **LARGE | {"num_layers": 1})
    body = flops.encoder(sequence_length=sequence_length, **LARGE)
    heads = flops.pretraining_heads(hidden_size=1024, vocab_size=30522, num_predictions=predictions)
    assert one_layer == expected_layer
    assert body == 24 * expected_layer
    assert heads == expected_heads
    assert flops.training(body + heads) == expected_training


def test_span_and_class_heads_are_small() -> None:
    assert flops.span_head(sequence_length=384, hidden_size=1024) == 1_572_864  # 4 * 384 * 1024
    assert flops.class_head(hidden_size=1024, num_classes=3) == 2_103_296  # 2 * 1024^2 + 2 * 1024 * 3


def test_the_count_follows_parameters_times_tokens_for_short_sequences() -> None:
    """The known estimate: 2 operations a weight and token, when the S^2 part is left out."""
    weights_of_a_layer = 4 * 1024 * 1024 + 2 * 1024 * 4096
    without_scores = flops.encoder(sequence_length=16, **LARGE) - 24 * 4 * 16 * 16 * 1024
    assert without_scores == 2 * 16 * 24 * weights_of_a_layer


def test_peak_fraction_is_the_share_of_the_measured_peak() -> None:
    assert flops.peak_fraction(2_000_000_000, 30.0, 240e9) == {
        "gflops_per_second": 60.0,
        "matmul_peak_gflops_per_second": 240.0,
        "peak_fraction": 0.25,
    }


def test_a_peak_that_was_not_measured_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected a measured peak"):
        flops.peak_fraction(1, 1.0, 0.0)
