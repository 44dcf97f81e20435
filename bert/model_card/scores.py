"""How good a model is, as the metrics of its training have it, and what scores as much without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bert.model_card.lineage import Step

# {ours: (the hub's type, name)}
METRICS = {
    "exact_match": ("exact_match", "exact match"),
    "exact": ("exact_match", "exact match"),
    "accuracy": ("accuracy", "accuracy"),
    "f1": ("f1", "F1"),
    "f1_macro": ("f1", "macro F1"),
    "mcc": ("matthews_correlation", "Matthews correlation"),
    "pearson": ("pearsonr", "Pearson correlation"),
    "spearman": ("spearmanr", "Spearman correlation"),
    "mlm_loss": ("loss", "masked LM loss, nats"),
    "mlm_accuracy": ("accuracy", "masked LM accuracy"),
    "nsp_accuracy": ("accuracy", "next sentence accuracy"),
}
BASELINES = {
    "position": "the same place in each text, the one that is best on the training set",
    "random_span": "words drawn from the text",
    "random_span_of_type": "a date, a number or a name drawn from the text, whichever the right answer is",
    "no_answer": "never an answer",
    "majority": "always the most frequent class of the training set",
    "overlap": "by the share of words that the two texts have in common",
    "length": "by the number of words",
}
"""What each does."""


def scores_of(steps: Sequence[Step]) -> list[tuple[str, str, float]]:
    """(set, metric, value) of the nearest step, as its metrics have them."""
    measured = steps[0].metrics() if steps else {}
    sets = {"held-out" if "mlm_loss" in measured else "dev": measured} | {
        f"dev_{name}": value for name, value in measured.items() if isinstance(value, dict) and name == "mismatched"
    }
    return [(split, metric, of[metric]) for split, of in sets.items() for metric in METRICS if metric in of]


def score_table(steps: Sequence[Step], data: str) -> str:
    """In Markdown. data: what was measured on, in words"""
    scores = scores_of(steps)
    if not scores:
        return "None are known of it."
    measured = steps[0].metrics()
    rows = ["| set | metric | score | without a model |", "|---|---|---|---|"]
    baselines: Mapping[str, Any] = measured.get("baselines", {})
    for split, metric, value in scores:
        without = ", ".join(
            f"{of[metric]:.1f} ({name.replace('_', ' ')})" for name, of in baselines.items() if metric in of
        )
        shown = f"{value:.3f}" if metric.startswith(("mlm", "nsp")) else f"{value:.1f}"
        rows.append(f"| {split} | {METRICS[metric][1]} | {shown} | {without if split == 'dev' else ''} |")
    explained = [f"- {name.replace('_', ' ')}: {BASELINES[name]}" for name in baselines if name in BASELINES]
    if explained:
        explained = ["", "Without a model:", "", *explained]
    return "\n".join([f"On {data}.{_sizes(measured)}", "", *rows, *explained])


def _sizes(measured: Mapping[str, Any]) -> str:
    """Of the training set and of dev. Example: ' Fine-tuned on 700 questions, measured on 300 others.'"""
    for kind in ("questions", "examples"):
        if (trained := measured.get(f"train_{kind}")) is not None and "count" in measured:
            return f" Fine-tuned on {trained:,} {kind}, measured on {measured['count']:,} others."
    return ""
