"""The headlines of a run as one flat table: what `dvc metrics diff` and `dvc exp show` fit into a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bert.report.inputs import Inputs, Metrics
from bert.report.overview import hardware, precision
from bert.report.stability import SCORES
from bert.report.tables import is_number

PHASES = ("phase1", "phase2")
SPEED, SHORT = "sequences_per_second", "seq_per_s"
TRAINED = ("pretrain_phase1", "squad", "pretrain_phase2")
"""Of these, the first that has run says on which machine, and in which precision, the run was."""


def summary(inputs: Inputs, params: Mapping[str, Any]) -> dict[str, Any]:
    """{headline: figure} of what has run; nothing of what has not.

    Losses in nats, scores in per cent, speeds in sequences/s, latencies in ms. Of a task it is the main score; of its
    seeds, in the same precision, their mean, sample standard deviation and number. Of either benchmark it is the first
    cell that params name. `machine` is that of the first training; what was timed by another stage has its own.

    params: model, precision, seed, glue.tasks, benchmark_training.cells, benchmark_inference.cells
    """
    ran = next((key for key in TRAINED if key in inputs.metrics), "")
    found: dict[str, Any] = {
        "model": params["model"],
        "precision": precision({"precision": params["precision"]} | inputs.metrics.get(ran, {})),
        "machine": hardware(inputs, ran),
        "seed": params["seed"],
    }
    for phase in PHASES:
        key = f"pretrain_{phase}"
        metrics = inputs.metrics.get(key, {})
        found |= _figure(f"{phase}_mlm_loss", metrics.get("mlm_loss")) | _seeds(
            inputs, key, "mlm_loss", f"{phase}_mlm_loss"
        )
        found |= _figure(f"{phase}_{SHORT}", metrics.get(SPEED))
        if metrics and key != ran:
            found[f"{phase}_machine"] = hardware(inputs, key)
    squad = inputs.metrics.get("squad", {})
    found |= _figure("squad_exact_match", squad.get("exact_match", squad.get("exact")))  # of version 1.1, of 2.0
    found |= _figure("squad_f1", squad.get("f1")) | _seeds(inputs, "squad", "f1", "squad_f1")
    for task in params["glue.tasks"]:
        metrics = inputs.metrics.get(f"glue/{task}", {})
        if score := main_score(metrics):
            found |= _figure(f"glue_{task}", metrics[score]) | _seeds(inputs, f"glue/{task}", score, f"glue_{task}")
    found |= _benchmark(inputs, "training", params["benchmark_training.cells"])
    return found | _benchmark(inputs, "inference", params["benchmark_inference.cells"])


def main_score(metrics: Metrics) -> str | None:
    """The score by which a task is judged: its metrics hold it first."""
    return next((name for name in metrics if name in SCORES), None)


def _figure(name: str, value: Any) -> dict[str, float]:
    return {name: round(value, 4)} if is_number(value) else {}


def _seeds(inputs: Inputs, key: str, score: str, name: str) -> dict[str, float]:
    """Mean, spread and number of a task's seeds, in the precision of its result; nothing of fewer than two."""
    task = key.removeprefix("glue/")
    summary: Any = inputs.metrics.get("stability", {}).get(task)
    of = (summary or {}).get(str(inputs.metrics.get(key, {}).get("precision")), {})
    spread = of.get(score, {})
    if "std" not in spread:
        return {}
    return {
        **_figure(f"{name}_mean", spread["mean"]),
        **_figure(f"{name}_std", spread["std"]),
        f"{name}_seeds": len(of.get("seeds", {})),
    }


def _benchmark(inputs: Inputs, kind: str, cells: Sequence[str]) -> dict[str, Any]:
    key = f"benchmark_{kind}/{cells[0]}" if cells else ""
    metrics = inputs.metrics.get(key, {})
    if not metrics:
        return {}
    figures = _figure(f"{kind}_{SHORT}", metrics.get(SPEED))
    latency = metrics.get("latency_ms") or {}
    return {
        f"{kind}_cell": cells[0],
        f"{kind}_machine": hardware(inputs, key),
        **figures,
        **_figure(f"{kind}_latency_ms", latency.get("mean")),
    }
