"""Latency percentiles as a picture: of each cell a line from the median to the slowest call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from bert.report.cells import Cell
from bert.report.figures import INK, LINE, OTHER_LINE, STYLE, inline
from bert.report.tables import Drawing, is_number

WIDE = 8  # from the smallest to the largest: a logarithmic axis from there on
TAIL = ("p90", "p95", "p99")


@dataclass(frozen=True)
class Latencies:
    """In ms. of: {p50, p90, p95, p99, p100: ms}, any of them. published: 90, 95 and 99 % of the same work, or none."""

    of: Mapping[str, float]
    published: tuple[float, ...] = ()


def latencies_svg(rows: Mapping[str, Latencies]) -> Markup:
    """A row for each cell: the median a bar, 90, 95 and 99 % dots, the slowest call where the line ends."""
    with rc_context(STYLE):
        figure = Figure(figsize=(5.6, 0.75 + 0.34 * len(rows)), layout="constrained")
        axes = figure.subplots()
        for place, row in enumerate(rows.values()):
            known = list(row.of.values())
            axes.plot([min(known), max(known)], [place, place], color=LINE, linewidth=1.2)
            tail = [row.of[name] for name in TAIL if name in row.of]
            axes.plot(tail, [place] * len(tail), "o", color=LINE, markersize=4.5)
            if "p50" in row.of:
                axes.plot([row.of["p50"]], [place], "|", color=INK, markersize=12, markeredgewidth=2)
            if row.published:
                axes.plot(row.published, [place + 0.25] * len(row.published), "D-", color=OTHER_LINE, markersize=3)
        axes.set_yticks(range(len(rows)), labels=list(rows))
        axes.set_ylim(len(rows) - 0.4, -0.6)  # the first one above
        axes.grid(visible=False, axis="y")
        seen = [value for row in rows.values() for value in (*row.of.values(), *row.published)]
        if min(seen) > 0 and max(seen) / min(seen) > WIDE:
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter("{x:g}")
            axes.xaxis.set_minor_formatter(NullFormatter())
        else:
            axes.set_xlim(0, max(seen) * 1.05)
        axes.set_xlabel("ms")
        return inline(figure)


def drawing(cells: list[Cell], of_what: str) -> tuple[Drawing, ...]:
    """Of the cells that have latencies. of_what: a step or a batch."""
    rows: dict[str, Latencies] = {}
    beside = ""
    for cell in cells:
        latency = cell.metrics.get("latency_ms") or {}
        known = {name: latency[name] for name in ("p50", *TAIL, "p100") if is_number(latency.get(name))}
        if not known:
            continue
        theirs: tuple[float, ...] = ()
        for hardware, speeds in cell.published.items():
            theirs = speeds[str(cell.precision)].latency_ms[1:]
            beside = f"; orange, 90, 95 and 99 % as published of {hardware}" if theirs else beside
        rows[f"{cell.name}, {cell.precision or cell.metrics.get('precision')}"] = Latencies(known, theirs)
    if not rows:
        return ()
    caption = f"Latency of {of_what}: the bar is the median, dots are 90, 95 and 99 %, the line ends at the slowest"
    return (Drawing(latencies_svg(rows), caption + beside),)
