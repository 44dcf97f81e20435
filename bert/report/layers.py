"""Where to draw the nodes of a graph without cycles: in layers, so that lines lead down and cross little.

Sugiyama, Tagawa and Toda 1981, "Methods for visual understanding of hierarchical system structures": layers by the
longest path, a bend wherever a line passes a layer, the order within each layer by the mean place of the neighbours.
The same graph gives the same places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

SWEEPS = 24
Node = tuple[str, int]
"""(name, -1) of a node; (name of the lower end, number of the line) of a bend."""


@dataclass(frozen=True)
class Placed:
    """Attributes:
    at: {node: (x of its middle, layer)}, x from 0 on
    lines: from one node to another, by their bends
    """

    at: dict[str, tuple[float, int]]
    lines: list[list[tuple[float, int]]]


def depths(needs: Mapping[str, frozenset[str]]) -> dict[str, int]:
    """{node: its layer}: below all that it needs; what needs nothing stands right above the first that needs it."""
    found: dict[str, int] = {}

    def depth(name: str) -> int:
        if name not in found:
            found[name] = max((depth(other) + 1 for other in needs[name]), default=0)
        return found[name]

    for name in needs:
        depth(name)
    for name in [name for name in needs if not needs[name]]:
        users = [found[other] for other in needs if name in needs[other]]
        found[name] = min(users, default=1) - 1
    return found


def _apart(wanted: Sequence[float], gaps: Sequence[float]) -> list[float]:
    """The places nearest to those wanted, in the same order and `gaps` apart (pool adjacent violators)."""
    offsets = [sum(gaps[:n]) for n in range(len(wanted))]
    blocks: list[list[float]] = []
    for place, offset in zip(wanted, offsets, strict=True):
        blocks.append([place - offset])
        while len(blocks) > 1 and fmean(blocks[-2]) > fmean(blocks[-1]):
            last = blocks.pop()
            blocks[-1] += last
    shifts = [fmean(block) for block in blocks for _ in block]
    return [shift + offset for shift, offset in zip(shifts, offsets, strict=True)]


def _crossings(layers: Sequence[Sequence[Node]], above: Mapping[Node, list[Node]]) -> int:
    count = 0
    for upper, lower in pairwise(layers):
        place = {node: n for n, node in enumerate(upper)}
        ends = [(place[a], n) for n, node in enumerate(lower) for a in above[node]]
        count += sum((a - c) * (b - d) < 0 for n, (a, b) in enumerate(ends) for c, d in ends[:n])
    return count


def place(needs: Mapping[str, frozenset[str]], width: float, bend: float) -> Placed:
    """needs: {node: the nodes above it}. width: that a node takes up; bend: that a line takes up beside nodes."""
    layer_of = depths(needs)
    layers: list[list[Node]] = [[] for _ in range(max(layer_of.values(), default=-1) + 1)]
    above: dict[Node, list[Node]] = {}
    below: dict[Node, list[Node]] = {}
    lines: list[list[Node]] = []
    for name in needs:
        layers[layer_of[name]].append((name, -1))
        above[name, -1], below[name, -1] = [], []
    for name, upper in needs.items():
        for other in sorted(upper, key=list(needs).index):
            bends: list[Node] = [(name, len(lines) * 100 + n) for n in range(layer_of[other] + 1, layer_of[name])]
            for n, node in enumerate(bends, start=layer_of[other] + 1):
                layers[n].append(node)
                above[node], below[node] = [], []
            line = [(other, -1), *bends, (name, -1)]
            for a, b in pairwise(line):
                above[b].append(a)
                below[a].append(b)
            lines.append(line)

    best, fewest = [list(layer) for layer in layers], _crossings(layers, above)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        neighbours = above if down else below
        for layer in layers if down else reversed(layers):
            order = {node: n for every in layers for n, node in enumerate(every)}
            layer.sort(
                key={node: fmean(order[near] for near in neighbours[node] or [node]) for node in layer}.__getitem__
            )
        if (count := _crossings(layers, above)) < fewest:
            best, fewest = [list(layer) for layer in layers], count

    x = {node: float(n) * width for layer in best for n, node in enumerate(layer)}
    for sweep in range(SWEEPS):
        for layer in best if sweep % 2 == 0 else reversed(best):
            wanted = [fmean(x[near] for near in [*above[n], *below[n]] or [n]) for n in layer]
            sizes = [width if number < 0 else bend for _, number in layer]
            gaps = [(a + b) / 2 for a, b in pairwise(sizes)]
            x |= dict(zip(layer, _apart(wanted, gaps), strict=True))
    left = min(x.values(), default=0)
    at = {node: (x[node] - left, n) for n, layer in enumerate(best) for node in layer}
    return Placed(
        {name: where for (name, number), where in at.items() if number < 0},
        [[at[node] for node in line] for line in lines],
    )
