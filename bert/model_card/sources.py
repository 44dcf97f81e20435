"""What a model has seen: the sources of its corpus and of its tasks, and the checkpoint that it started from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from bert.model_card.lineage import Step

UNKNOWN = "unknown"
# Of the text in today's dumps: https://dumps.wikimedia.org/legal.html
WIKIPEDIA = "cc-by-sa-4.0"
# Those of https://huggingface.co/docs/hub/repositories-licenses that data and models mostly have.
HUB = frozenset(
    "apache-2.0 mit bsd-2-clause bsd-3-clause cc0-1.0 cc-by-2.0 cc-by-2.5 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 "
    "cc-by-sa-4.0 cc-by-nc-4.0 cc-by-nc-sa-4.0 cc-by-nd-4.0 gfdl odbl odc-by pddl unlicense".split()
)
CHECKPOINT = "a checkpoint to start from"


@dataclass(frozen=True)
class Seen:
    """of: wikipedia, books, text, squad, glue, or CHECKPOINT. name: its url, or the wiki and the date of its dump."""

    of: str
    name: str
    licence: str


def seen_by(steps: Sequence[Step]) -> list[Seen]:
    """All sources in the order of their names, the checkpoint last."""
    return sorted(
        {seen for step in steps for seen in _of_step(step)}, key=lambda s: (s.of == CHECKPOINT, s.of, s.name, s.licence)
    )


def _of_step(step: Step) -> Iterator[Seen]:
    for key, value in step.params.items():
        if key.startswith("download."):
            for source in value or []:
                yield Seen(key.removeprefix("download."), *_named(source))
        elif key == "import_checkpoint" and value.get("source"):
            # Its weights, vocabulary and configuration are files of one thing.
            named = [_named(source) for source in value["source"]]
            known = dict.fromkeys(licence for _, licence in named if licence != UNKNOWN)
            yield Seen(CHECKPOINT, named[0][0], ", ".join(known) or UNKNOWN)


def _named(source: dict[str, Any]) -> tuple[str, str]:
    if "wiki" in source:
        return f"{source['wiki']} {source['date']}", WIKIPEDIA
    return _for_others(source.get("manifest") or source["url"]), str(source.get("licence") or UNKNOWN)


def _for_others(url: str) -> str:
    """Without what is of this machine or of one person: a path's folders, a name and a password."""
    split = urlsplit(url)
    if split.scheme in ("", "file"):
        return split.path.rstrip("/").rpartition("/")[2]
    return urlunsplit(split._replace(netloc=split.netloc.rpartition("@")[2], query=""))


def licence_of(seen: Sequence[Seen]) -> str:
    """As the hub writes it: the one that all sources have; `other` of several or another; `unknown` if one is."""
    licences = {s.licence for s in seen} or {UNKNOWN}
    if UNKNOWN in licences:
        return UNKNOWN
    (first, *more) = sorted(licence.lower() for licence in licences)
    return first if not more and first in HUB else "other"
