"""Training curves as SVG, to stand inside the page: no script, no font file, colours of the page.

The bytes depend on the curve alone: no date, and ids from a fixed salt.
"""

from __future__ import annotations

import io
import re
from math import ceil, floor, log, log10
from typing import Any

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from bert.report.inputs import Curve

POINTS = 300  # more than a screen shows; a million steps must not make a page of 100 MB
INK = "#010203"  # stands for the page's own text colour, which is not known here
LINE = "#3d85c8"  # reads on white and on black
COIN = log(2)  # nats: the next sentence, guessed
STYLE: dict[Any, Any] = {
    "svg.hashsalt": "bert",
    "svg.fonttype": "none",
    "font.size": 9,
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


def _inline(svg: str) -> Markup:
    """The <svg> element alone, without what would leak into the page around it."""
    svg = svg[svg.index("<svg") :]
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
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_ylabel("learning rate")
    axes.set_xlabel("step")


def curve_svg(curve: Curve, unigram_entropy: float | None) -> Markup:
    """Both losses over steps, each with what is reached without learning, and below them the learning rate.

    unigram_entropy: nats; what a model reaches that sees no context.
    """
    thinned = thin(curve)
    with rc_context(STYLE):
        figure = Figure(figsize=(6.4, 5.2), layout="constrained")
        mlm, nsp, rate = figure.subplots(3, 1, sharex=True, height_ratios=(3, 1.4, 1))
        for axes, name, without in ((mlm, "mlm_loss", unigram_entropy), (nsp, "nsp_loss", COIN)):
            axes.plot(thinned["step"], thinned[name], color=LINE, linewidth=1.4)
            if without is not None:
                axes.axhline(without, color=INK, linewidth=0.9, linestyle=(0, (4, 3)))
                said = "unigram\nentropy" if name == "mlm_loss" else "coin\ntoss"
                axes.annotate(said, (1.01, without), xycoords=("axes fraction", "data"), va="center", fontsize=8)
            axes.set_ylabel(f"{name.split('_')[0].upper()} loss, nats")
            axes.margins(y=0.12)
        _rate_axis(rate, thinned)
        figure.align_ylabels()
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    return _inline(text.getvalue())
