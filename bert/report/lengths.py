"""The histogram of the sequences' lengths: what padding costs, and what packing could save."""

from __future__ import annotations

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure

from bert.report.figures import INK, LINE, STYLE, inline
from bert.report.inputs import Histogram, Inputs
from bert.report.tables import Drawing


def lengths_svg(histogram: Histogram) -> Markup:
    """A panel per split: the share of its sequences in each bin."""
    with rc_context(STYLE):
        figure = Figure(figsize=(5.6, 0.6 + 1.3 * len(histogram)), layout="constrained")
        panels = figure.subplots(len(histogram), 1, sharex=True, squeeze=False)[:, 0]
        for axes, (split, bins) in zip(panels, histogram.items(), strict=True):
            total = max(1, sum(count for _, count in bins))
            edges = [0, *(tokens for tokens, _ in bins)]
            axes.stairs([100 * count / total for _, count in bins], edges, fill=True, color=LINE)
            axes.set_ylabel(f"{split}, %")
        panels[-1].set_xlabel("tokens in a sequence")
        figure.align_ylabels()
        for axes in panels:
            axes.tick_params(color=INK)
        return inline(figure)


def drawing(inputs: Inputs, key: str) -> tuple[Drawing, ...]:
    """The lengths of the records of `key`, where they are known."""
    histogram = inputs.lengths.get(key)
    if not histogram:
        return ()
    total = sum(count for bins in histogram.values() for _, count in bins)
    return (Drawing(lengths_svg(histogram), f"{inputs.stage(key)}: lengths of {total:,} sequences"),)
