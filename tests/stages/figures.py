"""What holds for the metrics of both benchmarks."""

from __future__ import annotations

from typing import Any

import pytest

COMMON = {
    *("warmup", "iterations", "first_call_seconds", "compile_seconds"),
    *("sequences_per_second", "tokens_per_second", "latency_ms"),
    *("roofline", "reference_rules", "sequence_length", "batch_size", "ranks"),
    *("precision", "precision_effective", "xla", "attention", "peak_rss_mb"),
}
ENERGY = {"energy_joules_per_sequence", "average_watts"}
"""Where the machine tells it."""
LATENCIES = ["p50", "p90", "p95", "p99", "p100"]


def assert_figures(metrics: dict[str, Any], *, warmup: int, iterations: int, rows: int, tokens: int) -> None:
    """The clean figures are positive and fit each other. rows, tokens: of a call."""
    assert (metrics["warmup"], metrics["iterations"]) == (warmup, iterations)
    whole = metrics.get("global_batch", metrics["batch_size"])
    assert (whole, whole * metrics["sequence_length"]) == (rows, tokens)
    latency = metrics["latency_ms"]
    assert latency.keys() == {"mean", *LATENCIES}
    assert 0 < latency["p50"] <= latency["p90"] <= latency["p95"] <= latency["p99"] <= latency["p100"]
    assert latency["mean"] <= latency["p100"]
    assert metrics["sequences_per_second"] == pytest.approx(1000 * rows / latency["mean"], rel=1e-3)
    assert metrics["tokens_per_second"] == pytest.approx(metrics["sequences_per_second"] * tokens / rows, rel=1e-5)
    assert metrics["first_call_seconds"] > latency["p50"] / 1000, "it compiles"
    beyond = metrics["first_call_seconds"] - latency["p50"] / 1000
    assert metrics["compile_seconds"] == pytest.approx(beyond, abs=1e-3)
    assert metrics["peak_rss_mb"] > 100
    roofline = metrics["roofline"]
    assert 0 < roofline["gflops_per_second"] < roofline["matmul_peak_gflops_per_second"]
    assert 0 < roofline["peak_fraction"] < 1
