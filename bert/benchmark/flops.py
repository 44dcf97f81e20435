"""Floating-point operations of BERT, counted by hand, and the share of the machine's peak that they reach.

Counted are the matrix products, a multiply and an add as two operations. Left out are softmax, layer norm, GELU,
dropout, residuals and the optimizer: a few operations a value, bound by memory rather than by arithmetic, under 1 % of
BERT-large's total. The embeddings are look-ups: none. A recomputed activation counts once ("model" operations, not
"hardware" operations), so that saving memory does not look like speed.

Symbols: S sequence, H hidden, I intermediate, V vocabulary, P predictions, L layers. The number of heads N does not
matter: with heads of size H / N, the N products of (S, H/N) x (H/N, S) take the same 2 S^2 H in all.

A layer, for one sequence:

    queries, keys, values, output     4 products (S, H) x (H, H)      8 S H^2
    scores and their weighted sum     2 products S x S over H         4 S^2 H
    feed-forward, up and down         2 products S x H x I            4 S H I
"""

from __future__ import annotations

# Each product's backward pass is two of the same size: one for the inputs' gradient, one for the weights'.
TRAINING_PER_FORWARD = 3


def encoder(*, sequence_length: int, hidden_size: int, intermediate_size: int, num_layers: int) -> int:
    """Operations of the encoder's forward pass for one sequence."""
    s, h, i = sequence_length, hidden_size, intermediate_size
    return num_layers * (8 * s * h * h + 4 * s * s * h + 4 * s * h * i)


def pretraining_heads(*, hidden_size: int, vocab_size: int, num_predictions: int) -> int:
    """Operations of the MLM and NSP heads' forward pass for one sequence, pooler included.

    MLM: transform 2 P H^2, projection on the vocabulary 2 P H V. NSP: pooler 2 H^2, two classes 4 H.
    """
    p, h = num_predictions, hidden_size
    return 2 * p * h * h + 2 * p * h * vocab_size + 2 * h * h + 4 * h


def span_head(*, sequence_length: int, hidden_size: int) -> int:
    """Operations of the question-answering head's forward pass for one sequence: two logits a token, 4 S H."""
    return 4 * sequence_length * hidden_size


def class_head(*, hidden_size: int, num_classes: int) -> int:
    """Operations of the classifier's forward pass for one sequence: pooler 2 H^2, classes 2 H C."""
    return 2 * hidden_size * hidden_size + 2 * hidden_size * num_classes


def training(forward: int) -> int:
    """Operations of a training step for one sequence: forward and backward."""
    return TRAINING_PER_FORWARD * forward


def peak_fraction(
    flops_per_sequence: int, sequences_per_second: float, matmul_peak_flops_per_second: float
) -> dict[str, float]:
    """Operations a second, and as a fraction of what one large matrix product reached on the same machine."""
    if matmul_peak_flops_per_second <= 0:
        raise ValueError(f"expected a measured peak in operations a second, got {matmul_peak_flops_per_second}")
    reached = flops_per_sequence * sequences_per_second
    return {
        "gflops_per_second": round(reached / 1e9, 3),
        "matmul_peak_gflops_per_second": round(matmul_peak_flops_per_second / 1e9, 3),
        "peak_fraction": round(reached / matmul_peak_flops_per_second, 4),
    }
