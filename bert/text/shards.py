"""The shards pipeline: documents -> text shards, a sentence a line and a blank line between documents.

A salted hash of a document's id decides its split, its shard and its place in the shard, so the bytes do not depend on
how the input was cut into files. A global shuffle without holding the corpus: (1) scatter each input file into one
bucket per shard, (2) sort each bucket. Memory is bounded by the largest shard.
"""

from __future__ import annotations

import json
import resource
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bert.pipeline import manifest
from bert.pipeline.beam import Item, Part, Workplace, read, run_parts
from bert.pipeline.errors import StageError
from bert.text.document import Document, position, read_documents
from bert.text.sentences import split_sentences
from bert.text.settings import ShardsSettings

SPLITS = ("train", "test")
# Open files that a worker has beside its buckets, with some room.
OTHER_FILES = 256


def shard_names(split: str, count: int) -> list[str]:
    """`train-00000-of-00008` and so on."""
    return [f"{split}-{n:05d}-of-{count:05d}" for n in range(count)]


class Placement:
    """Where a document goes."""

    def __init__(self, settings: ShardsSettings, seed: int) -> None:
        self._settings, self._seed = settings, seed
        self.names = {split: shard_names(split, getattr(settings, split)) for split in SPLITS}

    def shard(self, identity: str) -> tuple[str, int]:
        """(split, number of the shard) of a document id."""
        is_test = position("split", self._seed, identity) < self._settings.test_fraction
        split = "test" if is_test else "train"
        return split, int(position("shard", self._seed, identity) * len(self.names[split]))

    def order(self, identity: str) -> float:
        """Sort key inside the shard."""
        return position("order", self._seed, identity)


class _Scatter:
    """One JSON-lines file of documents -> a bucket of split documents per shard."""

    def __init__(self, placement: Placement, language: str) -> None:
        self._placement, self._language = placement, language

    def setup(self) -> None:
        # A bucket per shard is open at a time; 1024 files is a common limit, which a process may raise.
        soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        needed = sum(map(len, self._placement.names.values())) + OTHER_FILES
        if resource.RLIM_INFINITY != most < needed:
            raise StageError(
                f"shards.train and shards.test need {needed} open files, this machine allows {most}",
                run="fewer shards in params.yaml, or raise `ulimit -Hn`, then dvc repro",
            )
        if resource.RLIM_INFINITY != soft < needed:
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed, most))

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        counts: Counter[str] = Counter()
        with ExitStack() as stack, read(item["path"]) as f:
            buckets: dict[str, Any] = {}
            for document in read_documents(f):
                split, number = self._placement.shard(document.id)
                name = self._placement.names[split][number]
                if name not in buckets:
                    buckets[name] = stack.enter_context(part.create(f"{name}.jsonl"))
                buckets[name].write(self._line(document))
                counts[f"bucket:{name}"] += 1
                counts["documents"] += 1
        return dict(counts)

    def _line(self, document: Document) -> bytes:
        sentences = [s for passage in document.passages for s in split_sentences(passage, self._language)]
        return (
            json.dumps([self._placement.order(document.id), document.id, sentences], ensure_ascii=False).encode()
            + b"\n"
        )


class _Gather:
    """The buckets of one shard -> the shard."""

    def setup(self) -> None:
        pass

    def __call__(self, item: Item, part: Part) -> dict[str, Any]:
        rows = []
        for path in item["buckets"]:
            with read(path) as f:
                rows += [json.loads(line) for line in f]
        rows.sort(key=lambda row: row[:2])
        counts = Counter({"documents": 0, "sentences": 0, "words": 0})
        previous = None
        with part.create("shard.txt") as out:
            for _, identity, sentences in rows:
                if identity == previous:
                    raise StageError(
                        f"two documents have the id {identity!r}: the same page or file is in the corpus twice",
                        run="remove the duplicate source from params.yaml, then dvc repro",
                    )
                previous = identity
                if counts["documents"]:
                    out.write(b"\n")
                out.write("".join(f"{s}\n" for s in sentences).encode())
                counts["documents"] += 1
                counts["sentences"] += len(sentences)
                counts["words"] += sum(len(s.split()) for s in sentences)
        return dict(counts)


def make_shards(folders: list[Path], settings: ShardsSettings, seed: int, scratch: Path, out: Path) -> dict[str, Any]:
    """All documents of `folders` -> `{train,test}-*-of-*.txt` in `out`/{train,test}. Returns the metrics.

    Raises:
        StageError: no documents, fewer of them than shards, two of one id.
    """
    placement = Placement(settings, seed)
    scattering = Workplace(scratch / "scatter")
    items: list[Item] = []
    for folder in folders:
        listed = manifest.read(folder, f"dvc repro documents@{folder.name}")
        for file in listed["files"]:
            path = scattering.share(folder / file["path"])
            items.append({"name": f"{folder.name}-{Path(file['path']).stem}", "bytes": file["bytes"], "path": path})
    if not items:
        raise StageError(
            f"no corpus is configured: {', '.join(map(str, folders))} are all empty",
            run="set download.wikipedia, download.books or download.text in params.yaml, then dvc repro",
        )
    scattered = run_parts("shards: scatter", items, _Scatter(placement, settings.language), scattering)
    in_bucket: Counter[str] = Counter()
    for counts in scattered:
        in_bucket.update({name.removeprefix("bucket:"): n for name, n in counts.items() if name.startswith("bucket:")})
    for split in SPLITS:
        have, want = sum(in_bucket[n] for n in placement.names[split]), getattr(settings, split)
        if have < want:
            raise StageError(
                f"shards.{split} is {want} but the {split} split has only {have} documents",
                run=f"dvc exp run -S shards.{split}={max(1, have // 2)}, or a larger corpus"
                if have
                else "change shards.test_fraction, or give a larger corpus, then dvc repro",
            )
    gathering = Workplace(scratch / "gather")
    gather_items: list[Item] = []
    for split in SPLITS:
        for name in placement.names[split]:
            paths = [
                Part(scattering.parts, item["name"]).path(f"{name}.jsonl")
                for item, counts in zip(items, scattered, strict=True)
                if f"bucket:{name}" in counts
            ]
            gather_items.append({"name": name, "bytes": in_bucket[name], "buckets": paths})
    gathered = run_parts("shards: gather", gather_items, _Gather(), gathering)
    metrics: dict[str, Any] = {"documents": sum(in_bucket.values())}
    for split in SPLITS:
        entries, total = [], Counter({"documents": 0, "sentences": 0, "words": 0})
        for item, counts in zip(gather_items, gathered, strict=True):
            if item["name"] in placement.names[split]:
                gathering.fetch(item, "shard.txt", out / split / f"{item['name']}.txt")
                entries.append({"path": f"{item['name']}.txt", **counts})
                total.update(counts)
        manifest.write(out / split, entries)
        smallest = min(e["documents"] for e in entries)
        metrics[split] = {**total, "shards": len(entries), "smallest_shard_documents": smallest}
    for place in (scattering, gathering):
        place.forget_uploads()
    return metrics
