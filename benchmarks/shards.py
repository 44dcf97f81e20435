"""How fast documents become shards, pass by pass, beside the least that any such program has to do.

    python -m benchmarks.shards data/documents/wikipedia data/documents/books \\
        [--copies 4] [--duplicates near] [--max-repeats 10]

In this process, in MB of documents' text per second of processor time; the median of three runs. `floor` reads the
same files, parses their JSON and writes the texts. Beam's own share is inside each pass.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bert.beam import run as beam
from bert.beam.run import Workplace
from bert.pipeline import manifest
from bert.pipeline.params import section
from bert.shards import boilerplate, duplicates
from bert.shards import make as shards
from bert.shards import near_duplicates as near
from bert.shards.settings import ShardsSettings

RUNS = 3
# A thread of another worker would count as ours, a process would not count.
BEAM_OPTIONS = ("--runner=FnApiRunner", "--direct_running_mode=in_memory")


@contextmanager
def timed_passes(seconds: dict[str, float]) -> Iterator[None]:
    """Note the processor time of each `run_parts` of the stage under its label."""
    real: Callable[..., Any] = beam.run_parts
    modules: tuple[Any, ...] = (shards, duplicates, near, boilerplate)

    def timed(label: str, *args: Any, **more: Any) -> Any:
        start = time.process_time()
        try:
            return real(label, *args, **more)
        finally:
            seconds[label] = time.process_time() - start

    for module in modules:
        module.run_parts = timed
    try:
        yield
    finally:
        for module in modules:
            module.run_parts = real


def floor(folders: Sequence[Path], target: Path) -> int:
    """Bytes of text in the folders' documents, which are read and written in no particular order."""
    size = 0
    with open(target, "wb") as out:
        for folder in folders:
            for entry in manifest.read(folder, f"dvc repro documents@{folder.name}")["files"]:
                with open(folder / entry["path"], "rb") as f:
                    for line in f:
                        size += out.write(json.loads(line)["text"].encode())
    return size


def copied(folders: Sequence[Path], copies: int, target: Path) -> list[Path]:
    """The folders again, `copies` times: each copy's documents are others, by their ids and a line of their own."""
    made = []
    for folder in folders:
        whole = target / folder.name
        whole.mkdir(parents=True)
        for number in range(copies):
            for entry in manifest.read(folder, f"dvc repro documents@{folder.name}")["files"]:
                with open(folder / entry["path"], "rb") as f, open(whole / f"{number}-{entry['path']}", "wb") as out:
                    for line in f:
                        document = json.loads(line)
                        document["id"] += f"-{number}"
                        document["text"] += f"\nThis is copy {number} of {document['id']}."
                        out.write(json.dumps(document, ensure_ascii=False).encode() + b"\n")
        manifest.write(whole)
        made.append(whole)
    return made


def main(argv: Sequence[str] | None = None) -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("folders", type=Path, nargs="+", help="folders of documents, with their manifests")
    p.add_argument("--copies", type=int, default=1, help="take the corpus so many times")
    p.add_argument("--duplicates", choices=["none", "exact", "near"], default="exact")
    p.add_argument("--max-repeats", type=int)
    args = p.parse_args(argv)
    changes = {"duplicates": args.duplicates, "max_repeats": args.max_repeats}
    settings = section(ShardsSettings, "shards").model_copy(update=changes)
    seconds: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        folders = copied(args.folders, args.copies, work / "documents")
        for number in range(RUNS):
            start = time.process_time()
            size = floor(folders, work / "floor.txt")
            seconds["floor: read, parse, write"].append(time.process_time() - start)
            passes: dict[str, float] = {}
            with timed_passes(passes):
                start = time.process_time()
                place = Workplace(work / f"{number}", options=BEAM_OPTIONS)
                metrics = shards.make_shards(folders, settings, 1, place, work / f"{number}-out")
                passes["shards: all"] = time.process_time() - start
            for label, taken in passes.items():
                seconds[label].append(taken)
    print(f"{size / 1e6:.1f} MB of text; documents kept {metrics['documents']}, dropped {metrics['dropped']}")
    for label, runs in seconds.items():
        print(f"{label:32} {size / 1e6 / statistics.median(runs):8.1f} MB/s {statistics.median(runs):8.2f} s")


if __name__ == "__main__":
    main()
