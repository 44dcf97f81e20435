"""The pipeline as a picture: a box for each stage of dvc.yaml, below those that it needs."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from bert.report.dag import Stage
from bert.report.layers import place
from bert.report.tables import Drawing, Section

WIDTH, HEIGHT, GAP, LAYER = 140, 36, 12, 74  # in pixels: of a box, between boxes, from layer to layer
BEND = 22
# Where the figures of a stage stand, by how its name begins.
CHAPTERS = {
    **dict.fromkeys(("download", "documents", "shards", "cloze", "vocab", "tfrecords", "glue_data"), "corpus"),
    **dict.fromkeys(("no_weights", "pretrain"), "pretraining"),
    **dict.fromkeys(("squad", "export"), "squad"),
    **dict.fromkeys(("glue", "export_glue"), "glue"),
    **{"stability": "stability", "benchmark_training": "training", "benchmark_inference": "inference"},
}


def chapter(stage: str) -> str | None:
    """The anchor of the section with a stage's figures: that of the longest name that it begins with."""
    known = [name for name in CHAPTERS if stage.startswith(name)]
    return CHAPTERS[max(known, key=len)] if known else None


def _line(points: Sequence[tuple[float, int]]) -> str:
    """A path from the bottom of one box through its bends to the top of another."""
    (x, y), *rest = [(left + WIDTH / 2, LAYER * layer) for left, layer in points]
    path = f"M{x:.0f} {y + HEIGHT}"
    for x_next, y_next in rest:
        middle = (y + HEIGHT + y_next) / 2
        path += f"C{x:.0f} {middle:.0f} {x_next:.0f} {middle:.0f} {x_next:.0f} {y_next}"
        x, y = x_next, y_next
        if (x_next, y_next) != rest[-1]:
            path += f"V{y_next + HEIGHT}"
    return path


def _box(stage: Stage, at: tuple[float, int]) -> Markup:
    x, y = round(at[0]), LAYER * at[1]
    members = "" if stage.members is None else f"× {stage.members}"
    name_y = y + (15 if members else 22)
    under = Markup('<text class="few" x="{}" y="{}">{}</text>').format(x + WIDTH // 2, y + 29, members)
    box = Markup(
        '<g class="{}{}"><title>{}: {}</title><rect x="{}" y="{}" width="{}" height="{}" rx="5"/>'
        '<text x="{}" y="{}">{}</text>{}</g>'
    ).format(
        *(stage.kind, " none" if stage.members == 0 else "", stage.name, stage.desc),
        *(x, y, WIDTH, HEIGHT, x + WIDTH // 2, name_y, stage.name, under if members else ""),
    )
    link = chapter(stage.name)
    return Markup('<a href="#{}">{}</a>').format(link, box) if link else box


def dag_svg(stages: Sequence[Stage]) -> Markup:
    """The lines first, then the boxes on them. Colours are the page's."""
    placed = place({stage.name: stage.needs for stage in stages}, WIDTH + GAP, BEND)
    width = round(max(x for x, _ in placed.at.values())) + WIDTH
    width = max(width, round(max((x for line in placed.lines for x, _ in line), default=0)) + WIDTH)
    height = LAYER * max(layer for _, layer in placed.at.values()) + HEIGHT
    lines = Markup("").join(Markup('<path d="{}"/>').format(_line(line)) for line in placed.lines)
    boxes = Markup("").join(_box(stage, placed.at[stage.name]) for stage in stages)
    return Markup('<svg class="dag" viewBox="-2 -2 {} {}" role="img" aria-label="The pipeline">{}{}</svg>').format(
        width + 4, height + 4, lines, boxes
    )


def section(stages: Sequence[Stage]) -> tuple[Section, ...]:
    """Nothing without stages."""
    if not stages:
        return ()
    caption = (
        "Each stage stands below what it needs. Blue: Apache Beam; orange: Horovod; × so many members of its matrix, "
        "broken where there is none. A click leads to the figures. Not drawn: code, which each needs, and params, "
        "which checks the parameters and none needs."
    )
    return (Section("pipeline", "Pipeline", drawings=(Drawing(dag_svg(stages), caption, wide=True),)),)
