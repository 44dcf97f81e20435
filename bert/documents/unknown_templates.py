"""What was lost with templates that are not known: a line of templates.jsonl for each, a summary for the metrics."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

PREFIX = "template:"
"""Of counts that belong here: `template:<inline, block or words>:<name>`, as `wikipedia.articles` has them."""
MOST = 20


@dataclass(frozen=True)
class UnknownTemplate:
    """One template by its name.

    inline: those in a passage that was kept: holes in sentences. block: those that have a line for themselves.
    words: in their arguments without a name, which mostly are what a reader sees.
    """

    template: str
    inline: int
    block: int
    words: int


def take_unknown(counts: Counter[str]) -> list[UnknownTemplate]:
    """Remove the counts of templates from `counts`; the templates, those first that took most words."""
    by_name: dict[str, Counter[str]] = {}
    for key in [key for key in counts if key.startswith(PREFIX)]:
        place, _, name = key.removeprefix(PREFIX).partition(":")
        by_name.setdefault(name, Counter())[place] = counts.pop(key)
    found = [UnknownTemplate(name, n["inline"], n["block"], n["words"]) for name, n in by_name.items()]
    return sorted(found, key=lambda t: (-t.words, -t.inline, -t.block, t.template))


def json_lines(templates: list[UnknownTemplate]) -> str:
    """The contents of templates.jsonl."""
    return "".join(json.dumps(asdict(template), ensure_ascii=False) + "\n" for template in templates)


def summary(templates: list[UnknownTemplate], words: int) -> dict[str, Any]:
    """For the metrics. `words`: of all passages."""
    often = sorted((t for t in templates if t.inline), key=lambda t: (-t.inline, t.template))[:MOST]
    inline = sum(t.inline for t in templates)
    return {
        "names": len(templates),
        "inline": inline,
        "inline_per_1000_words": round(1000 * inline / words, 4) if words else 0.0,
        "block": sum(t.block for t in templates),
        "words": sum(t.words for t in templates),
        "most_frequent": {t.template: t.inline for t in often},
    }
