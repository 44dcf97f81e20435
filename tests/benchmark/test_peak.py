"""bert/benchmark/peak.py: which products are tried; how fast they are is the machine's matter."""

from __future__ import annotations

import pytest
import tensorflow as tf

from bert.benchmark import peak


def tried(monkeypatch: pytest.MonkeyPatch, seconds: dict[int, float]) -> tuple[float, list[int]]:
    """The peak of a machine whose products take so long, by size, and the sizes that were tried."""
    sizes: list[int] = []

    def shortest(size: int, dtype: object) -> float:
        sizes.append(size)
        return seconds[size]

    monkeypatch.setattr(peak, "_shortest", shortest)
    return peak.matmul_peak(tf.float32), sizes


def test_on_a_gpu_the_product_grows_until_it_gains_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    reached, sizes = tried(monkeypatch, {2048: 1e-4, 4096: 2e-4, 8192: 1.4e-3, 16384: 11.3e-3})
    assert sizes == [2048, 4096, 8192, 16384] and reached == 2 * 8192**3 / 1.4e-3


def test_on_a_few_cores_the_smallest_shows_all(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tried(monkeypatch, {2048: 0.08}) == (2 * 2048**3 / 0.08, [2048])


def test_it_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peak, "SIZES", (64,))
    monkeypatch.setattr(peak, "SECONDS", 0.05)
    assert peak.matmul_peak(tf.float32) > 0
