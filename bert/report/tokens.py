"""How many of the tokens that pretraining computes are text, and how many fill rows up to their length."""

from __future__ import annotations

from typing import Any

from bert.report.inputs import Inputs
from bert.report.tables import is_number


def real_share(inputs: Inputs, phase: str) -> float | None:
    """The share of the tokens in a phase's training rows that are no padding, in [0, 1]; None where it is not known.

    It is of rows, packed or not, as `tokens_per_second` is: the product of both is a speed in real tokens.

    phase: the key of its metrics. Example: pretrain_phase1
    """
    records = inputs.metrics.get(f"tfrecords/{phase.removeprefix('pretrain_')}", {})
    padding: Any = (records.get("train") or {}).get("padding")
    return 1 - padding if is_number(padding) else None
