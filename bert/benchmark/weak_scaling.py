"""Weak scaling: the same work a rank, on one rank and on all of them, as in the published tables."""

from __future__ import annotations

from typing import Any


def weak_scaling(all_ranks: dict[str, Any], one_rank: dict[str, Any]) -> dict[str, Any]:
    """{"weak_scaling": a row for one rank and one for all}, of the metrics of both; {} where one did not fit."""
    if "sequences_per_second" not in one_rank or "sequences_per_second" not in all_ranks:
        return {}
    alone = one_rank["sequences_per_second"]
    rows = [
        {
            "ranks": metrics["ranks"],
            "global_batch": metrics["global_batch"],
            "sequences_per_second": metrics["sequences_per_second"],
            "speedup": round(metrics["sequences_per_second"] / alone, 3),
        }
        for metrics in (one_rank, all_ranks)
    ]
    return {"weak_scaling": rows}
