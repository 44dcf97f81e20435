"""Training curves and spreads over seeds as SVG, to stand in the page: no script, no font file, colours of the page.

The bytes depend on the figures alone: no date, and ids from a fixed salt.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, log, log10
from typing import Any

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from bert.report.inputs import HELD_OUT, Curve, Inputs
from bert.report.tables import Drawing


@dataclass(frozen=True)
class Seeds:
    """One score under each seed, its mean and sample standard deviation (None: of a single one there is none)."""

    values: Sequence[float]
    mean: float
    std: float | None


POINTS = 300  # more than a screen shows; a million steps must not make a page of 100 MB
INK = "#010203"  # stands for the page's own text colour, which is not known here
LINE = "#3d85c8"  # reads on white and on black
OTHER_LINE = "#d97706"  # does so too
COIN = log(2)  # nats: the next sentence, guessed
LABELS = {"mlm_loss": "MLM loss", "nsp_loss": "NSP loss"}
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "bert",
    "svg.fonttype": "none",
    "font.size": 11,  # of 403 units across: on a telephone, where they are 368 pixels, not below 10
    **dict.fromkeys(("xtick.labelsize", "ytick.labelsize", "legend.fontsize", "axes.labelsize"), 11),
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.15,
    "grid.color": INK,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
}


def thin(curve: Curve, points: int = POINTS) -> Curve:
    """At most `points` points, each the mean of as many consecutive steps as it takes."""
    steps = len(curve["step"])
    width = -(-steps // points)
    return {
        name: [sum(part) / len(part) for part in (values[i : i + width] for i in range(0, steps, width))]
        for name, values in curve.items()
    }


def inline(figure: Figure) -> Markup:
    """Drawn as an <svg> element alone, without what would leak into the page around it."""
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg")
    svg = drawn.getvalue()
    svg = svg[svg.index("<svg") :]
    # The date, among others.
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<style type=\"text/css\">.*?</style>", "", svg, flags=re.DOTALL)  # a rule for `*`: the whole page
    svg = re.sub(r"<g id=\"[^\"]*\"", "<g", svg)  # the same in each drawing, and nothing points there
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    return Markup(svg.replace(INK, "currentColor").replace("<svg ", '<svg role="img" ', 1))


def _rate_axis(axes: Axes, curve: Curve) -> None:
    """The learning rate by decades, at most three: the first steps of a warm-up would flatten all the others."""
    # The decay ends at 0, which a logarithmic axis cannot show.
    above = [(step, rate) for step, rate in zip(curve["step"], curve["learning_rate"], strict=True) if rate > 0]
    if above:
        rates = [rate for _, rate in above]
        axes.semilogy([step for step, _ in above], rates, color=INK, linewidth=1.1)
        top = ceil(log10(max(rates)))
        axes.set_ylim(10.0 ** max(floor(log10(min(rates))), top - 3), 10.0**top)
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylabel("learning rate")
    axes.set_xlabel("step")


def spread_svg(panels: Mapping[str, Mapping[str, Seeds]]) -> Markup:
    """Each seed a dot, and below the dots of a precision their mean with one standard deviation to either side.

    Args:
        panels: {what the axis shows: {precision: its seeds}}
    """
    with rc_context(STYLE):
        heights = [0.55 + 0.38 * len(rows) for rows in panels.values()]
        figure = Figure(figsize=(5.6, sum(heights) + 0.1), layout="constrained")
        drawn = figure.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
        for axes, (what, rows) in zip(drawn, panels.items(), strict=True):
            for place, seeds in enumerate(rows.values()):
                axes.plot(seeds.values, [place - 0.12] * len(seeds.values), "o", color=LINE, markersize=5, alpha=0.75)
                axes.errorbar(
                    *(seeds.mean, place + 0.2), xerr=seeds.std, fmt="|", color=OTHER_LINE, markersize=8, capsize=3
                )
            axes.set_yticks(range(len(rows)), labels=list(rows))
            axes.set_ylim(len(rows) - 0.5, -0.5)  # the first one above
            axes.grid(visible=False, axis="y")
            axes.set_xlabel(what)
            axes.margins(x=0.08)
        figure.align_ylabels()
        return inline(figure)


def losses(curve: Curve) -> list[str]:
    """The loss columns to draw: the parts of the loss where it has several."""
    return [name for name in curve if name.endswith("_loss")] or ["loss"]


def curve_svg(curve: Curve, guesses: dict[str, tuple[str, float]], held_out: Curve | None = None) -> Markup:
    """Each loss over steps with what guessing reaches, and below them the learning rate.

    Args:
        guesses: {column: (name of the guess, its loss in nats)}
        held_out: the same losses on held-out text, where there are such: few points, each drawn.
    """
    thinned, names = thin(curve), losses(curve)
    with rc_context(STYLE):
        figure = Figure(figsize=(5.6, 2.1 + 1.9 * len(names)), layout="constrained")
        *panels, rate = figure.subplots(
            len(names) + 1, 1, sharex=True, height_ratios=(3, *[1.9] * (len(names) - 1), 1.4)
        )
        for axes, name in zip(panels, names, strict=True):
            axes.plot(thinned["step"], thinned[name], color=LINE, linewidth=1.4, label="training text")
            if held_out and held_out["step"] and name in held_out:
                seen = thin(held_out)
                axes.plot(seen["step"], seen[name], "o-", color=OTHER_LINE, markersize=3.5, label="held-out text")
                if axes is panels[0]:
                    axes.legend(frameon=False, ncols=2, loc="lower right", bbox_to_anchor=(1, 1))
            if name in guesses:
                said, reached = guesses[name]
                axes.axhline(reached, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
                said = said.replace(" ", "\n")
                axes.annotate(said, (1.01, reached), xycoords=("axes fraction", "data"), va="center")
            axes.set_ylabel(f"{LABELS.get(name, 'loss')}, nats")
            axes.margins(y=0.12)
        _rate_axis(rate, thinned)
        figure.align_ylabels()
        return inline(figure)


def drawing(inputs: Inputs, key: str) -> tuple[Drawing, ...]:
    """The curve of the training `key`, where there is one."""
    curve = inputs.curves.get(key)
    if curve is None or not curve["step"]:
        return ()
    guesses = {"nsp_loss": ("coin toss", COIN)}
    entropy = inputs.metrics.get(key, {}).get("unigram_entropy")
    if entropy is not None:
        guesses["mlm_loss"] = ("unigram entropy", entropy)
    held_out = inputs.curves.get(key + HELD_OUT)
    texts = "training text, and on held-out text," if held_out and held_out["step"] else "training text"
    caption = f"{inputs.stage(key)}: loss on the {texts} up to step {curve['step'][-1]:,.0f}"
    return (Drawing(curve_svg(curve, guesses, held_out), caption),)
