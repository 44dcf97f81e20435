"""The shards pipeline: documents -> text shards, a sentence a line and a blank line between documents.

A salted hash of a document's id decides its split, its shard and its place in the shard, so the bytes do not depend on
how the input was cut into files. Passes over files, in each of which a worker holds one piece or one bucket:

1. `boilerplate`, where asked for: the passages that repeat.
2. scatter: documents become sentences, in runs by bucket; rows of hashes for what follows.
3. `duplicates` and `near`: which documents are dropped for another.
4. `gather`: the buckets of a shard, one after the other, sorted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bert.beam.listing import join_lists
from bert.beam.run import Item, Part, Workplace, run_parts
from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from bert.shards.boilerplate import Boilerplate, find_boilerplate
from bert.shards.duplicates import DROPS, ExactRows, find_exact, text_digest, write_drops
from bert.shards.duplicates import RUN as EXACT_RUN
from bert.shards.gather import COUNTS, DROPPED, REASONS, SHARD, Gather, Row
from bert.shards.near_duplicates import NearRows, Signer, find_near
from bert.shards.pieces import cut, read_piece
from bert.shards.placement import SPLITS, Placement
from bert.shards.sentences import split_sentences
from bert.shards.settings import ShardsSettings
from bert.shards.shuffle import write_run

# What a worker holds at a time, of a piece and of a bucket. The shards do not depend on it.
PIECE_BYTES = 16 * 2**20
BUCKET_BYTES = 16 * 2**20
RUN = "documents.run"


def shard_names(split: str, count: int) -> list[str]:
    """`train-00000-of-00008` and so on."""
    return [f"{split}-{n:05d}-of-{count:05d}" for n in range(count)]


class _Scatter:
    """A piece of the documents -> a run of rows by shard and range, and what finding duplicates needs."""

    def __init__(self, settings: ShardsSettings, placement: Placement, buckets: int, repeated: Sequence[str]) -> None:
        self._settings, self._placement, self._buckets, self._repeated = settings, placement, buckets, repeated

    def setup(self) -> None:
        self._boilerplate = Boilerplate(self._repeated)
        self._signer = Signer(self._settings.near) if self._settings.duplicates == "near" else None

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        rows: list[tuple[int, bytes]] = []
        exact = ExactRows(self._buckets)
        dropped = 0
        with ExitStack() as stack:
            near = None
            if self._signer:
                near = stack.enter_context(NearRows(self._signer, self._settings.near, self._buckets, part))
            for document in read_piece(item):
                passages = self._boilerplate.keep(document)
                dropped += len(document.passages) - len(passages)
                sentences = [s for passage in passages for s in split_sentences(passage, self._settings.language)]
                text = "".join(f"{s}\n" for s in sentences)
                encoded, digest, place = text.encode(), text_digest(text), self._placement(document.id)
                row = Row(place.order, digest, -len(encoded), encoded, document.id, len(sentences))
                rows.append((self._placement.bucket(place), row.pack()))
                if sentences:
                    exact.add(document.id, len(encoded), digest)
                    if near:
                        near.add(document.id, len(encoded), text, place.order)
            write_run(part, RUN, rows, self._placement.buckets)
            if self._settings.duplicates != "none":
                exact.finish(part)
            if near:
                near.finish()
        return {"boilerplate_passage": dropped, "exact_bytes": exact.bytes}


def _buckets(total: int) -> int:
    return max(1, -(-total // BUCKET_BYTES))


def _find_drops(
    settings: ShardsSettings,
    placement: Placement,
    scattered: list[Part],
    exact_bytes: int,
    buckets: list[Item],
    place: Workplace,
) -> tuple[list[str], list[Workplace]]:
    """Paths of the runs of drops, the exact ones last, since they overrule; and where they lie."""
    if settings.duplicates == "none":
        return [], []
    drops: list[str] = []
    places = [place.inside("exact")]
    if settings.duplicates == "near":
        places.append(place.inside("near"))
        groups = Part(places[-1].parts, "groups")
        write_drops(groups, find_near(scattered, buckets, settings.near, places[-1]), placement)
        drops.append(groups.path(DROPS))
    # A row is a hundredth of its document: what is seconds of work should not wait for processes to start.
    light = [{**bucket, "bytes": exact_bytes // len(buckets)} for bucket in buckets]
    drops += find_exact([part.path(EXACT_RUN) for part in scattered], light, placement, places[0])
    return drops, places


def make_shards(
    folders: list[Path], settings: ShardsSettings, seed: int, place: Workplace, out: Path
) -> dict[str, Any]:
    """All documents of `folders` -> `{train,test}-*-of-*.txt` in `out`/{train,test}, and `out`/dropped.jsonl.

    Returns the metrics.

    Raises:
        StageError: no documents, fewer of them than shards, two of one id that are not the same.
    """
    places = [place.inside("scatter")]
    pieces = cut(folders, PIECE_BYTES, places[0])
    if not pieces:
        raise StageError(
            f"no corpus is configured: {', '.join(map(str, folders))} are all empty",
            run="set download.wikipedia, download.books or download.text in params.yaml, then dvc repro",
        )
    total = sum(item["bytes"] for item in pieces)
    share = {"train": 1 - settings.test_fraction, "test": settings.test_fraction}
    ranges = {split: _buckets(int(total * share[split] / getattr(settings, split))) for split in SPLITS}
    placement = Placement(settings, seed, ranges)
    by_hash = [{"name": f"{n:05d}", "bytes": total // _buckets(total), "bucket": n} for n in range(_buckets(total))]

    repeated: list[str] = []
    if settings.max_repeats is not None:
        hashing, counting = place.inside("passages"), place.inside("repeated")
        repeated = find_boilerplate(pieces, by_hash, settings.max_repeats, hashing, counting)
        places += [hashing, counting]
    done = run_parts("shards: scatter", pieces, _Scatter(settings, placement, len(by_hash), repeated), places[0])
    scattered = [Part(places[0].parts, item["name"]) for item in pieces]
    exact_bytes = sum(counts["exact_bytes"] for counts in done)
    drops, more = _find_drops(settings, placement, scattered, exact_bytes, by_hash, place)
    places += more

    gathering = place.inside("gather")
    shards: list[Item] = []
    for split in SPLITS:
        for number, name in enumerate(shard_names(split, getattr(settings, split))):
            buckets = placement.buckets_of(split, number)
            weight = int(total * share[split] / getattr(settings, split))
            shards.append({"name": name, "bytes": weight, "split": split, "first": buckets.start, "end": buckets.stop})
    work = Gather([part.path(RUN) for part in scattered], drops, settings.duplicates == "none")
    gathered = run_parts("shards: gather", shards, work, gathering)
    metrics = _collect(shards, gathered, gathering, settings, out)
    metrics["dropped"]["boilerplate_passage"] = sum(counts["boilerplate_passage"] for counts in done)
    for used in (*places, gathering):
        used.forget_uploads()
    return metrics


def _collect(
    shards: list[Item], gathered: list[dict[str, Any]], place: Workplace, settings: ShardsSettings, out: Path
) -> dict[str, Any]:
    """Fetch the shards into `out`, with manifests and the list of dropped documents. Returns the metrics."""
    total = Counter(dict.fromkeys((*COUNTS, *REASONS), 0))
    splits: dict[str, Any] = {}
    for split in SPLITS:
        pairs = [(i, counts) for i, counts in zip(shards, gathered, strict=True) if i["split"] == split]
        documents = [counts["documents"] for _, counts in pairs]
        if (have := sum(documents)) < len(pairs):
            raise StageError(
                f"shards.{split} is {len(pairs)} but the {split} split has only {have} documents",
                run=f"dvc exp run -S shards.{split}={max(1, have // 2)}, or a larger corpus"
                if have
                else "change shards.test_fraction, or give a larger corpus, then dvc repro",
            )
        entries = []
        for item, counts in pairs:
            place.fetch(item, SHARD, out / split / f"{item['name']}.txt")
            entries.append({"path": f"{item['name']}.txt", **{name: counts[name] for name in COUNTS}})
            total.update(counts)
        manifest.write(out / split, entries)
        sums = {name: sum(entry[name] for entry in entries) for name in COUNTS}
        splits[split] = {**sums, "shards": len(entries), "smallest_shard_documents": min(documents)}
    some = [i for i, counts in zip(shards, gathered, strict=True) if any(counts[reason] for reason in REASONS)]
    join_lists(some, DROPPED, place, out / DROPPED)
    whole = {name: total[name] for name in COUNTS}
    return {**whole, **splits, "dropped": {reason: total[reason] for reason in REASONS}}
