"""Where scores stand between nothing and everything: the result's, its controls' and the guesses'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bert.report.chance import ERRORS, standard_error
from bert.report.figures import INK, LINE, OTHER_LINE, STYLE, inline
from bert.report.tables import Drawing


@dataclass(frozen=True)
class Standing:
    """Values of one score in per cent. count: of how many examples; 0 where that is not known."""

    score: str
    result: float
    controls: Sequence[float]
    guesses: Sequence[float]
    count: int


def _row(axes: Axes, place: int, of: Standing) -> None:
    if of.count:
        width = ERRORS * standard_error(of.score, of.result, of.count)
        axes.plot([of.result - width, of.result + width], [place, place], color=LINE, linewidth=1.4)
    axes.plot(of.guesses, [place] * len(of.guesses), "|", color=INK, markersize=11, label="no model")
    axes.plot(of.controls, [place] * len(of.controls), "D", color=OTHER_LINE, markersize=5, alpha=0.8, label="control")
    axes.plot([of.result], [place], "o", color=LINE, markersize=7, label="result")


def standing_svg(rows: Mapping[str, Standing]) -> Markup:
    """A row for each score: the result a dot in the range of its error, controls diamonds, guesses bars."""
    with rc_context(STYLE):
        figure = Figure(figsize=(5.6, 0.95 + 0.34 * len(rows)), layout="constrained")
        axes = figure.subplots()
        for place, of in enumerate(rows.values()):
            _row(axes, place, of)
        axes.set_yticks(range(len(rows)), labels=list(rows))
        axes.set_ylim(len(rows) - 0.5, -0.5)  # the first one above
        axes.set_xlim(min(-2, *(value - 2 for of in rows.values() for value in (of.result, *of.controls))), 102)
        axes.grid(visible=False, axis="y")
        axes.set_xlabel("%")
        handles, labels = axes.get_legend_handles_labels()
        known = dict(zip(reversed(labels), reversed(handles), strict=True))
        axes.legend(
            list(known.values()),
            list(known),
            frameon=False,
            ncols=3,
            loc="lower right",
            bbox_to_anchor=(1, 1),
        )
        return inline(figure)


def drawing(rows: Mapping[str, Standing], what: str) -> tuple[Drawing, ...]:
    """Where any score has something to stand beside."""
    if not any(of.controls or of.guesses for of in rows.values()):
        return ()
    caption = (
        f"{what}: the result with {ERRORS} standard errors of its examples to either side, the same training from "
    )
    return (Drawing(standing_svg(rows), f"{caption}other weights (control), and what needs no model"),)
