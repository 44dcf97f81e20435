"""What the data stages take in time and memory when the corpus grows: 1, 3 and 10 times a sample.

    python -m benchmarks.scale --out scale.json                      # the embedded sample, four times over, is 1x
    python -m benchmarks.scale --dump wiki.xml.bz2 --books ~/books --out scale.json

Each stage runs as dvc.yaml has it, as a process of its own, in a folder of its own, with `--workers` processes of Beam;
the corpora are of benchmarks/copies.py. Memory is PSS summed over the stage's processes. What the imports take is that
peak on a hundred lines: libraries, Beam and its workers, without a corpus. Start-up is in the seconds. Prints Markdown:
the table, what English Wikipedia would cost by it, and how much faster two workers are than one.

1x has to fill what a stage holds at a time, or memory seems to grow while it does: so there are two shards here, and
the vocabulary is learned from 5 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ruamel.yaml import YAML

from benchmarks.copies import Copies, pages
from benchmarks.processes import watched
from bert.download.sources import package_file
from bert.pipeline.code import ROOT

SAMPLE = {
    "dump": "package://gensim/gensim/test/test_data/"
    "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2",
    "text": "package://gensim/gensim/test/test_data/lee_background.cor",
}
STAGES = (
    *(f"{stage}@{corpus}" for stage in ("download", "documents") for corpus in ("wikipedia", "books", "text")),
    "shards",
    "cloze",
    "vocab",
    "tfrecords@phase1",
    "tfrecords@phase2",
)
# What a stage reads, to say how fast: folders and files under data/.
READS = {
    "shards": ("documents",),
    "cloze": ("documents",),
    "vocab": ("shards/train",),
    "tfrecords@phase1": ("shards",),
    "tfrecords@phase2": ("shards",),
}
CHANGES: dict[str, Any] = {"shards.train": 2, "shards.test": 1, "vocab.max_bytes": 5_000_000}
IMPORTS = "imports"
A_LITTLE = 100
MB = 1e6
ALONE = "documents@wikipedia, one worker"
# English Wikipedia: wikitext with its XML, of all namespaces; the articles' prose (what others report for it).
XML_MB, PROSE_MB = 90_000, 12_500
CORES = (2, 16, 1000)
BY_MANY = {
    "documents@wikipedia": XML_MB,
    "shards": PROSE_MB,
    "tfrecords@phase1": PROSE_MB,
    "tfrecords@phase2": PROSE_MB,
}
BY_ONE = {"cloze": PROSE_MB, "vocab": 0}


def _yaml(path: Path) -> Any:
    return YAML(typ="safe", pure=True).load(path)


def command(stage: str) -> list[str]:
    """The command of `stage` or `stage@item` in dvc.yaml, with this Python."""
    name, _, item = stage.partition("@")
    described = _yaml(ROOT / "dvc.yaml")["stages"][name]
    (axis,) = described.get("matrix", {"": None})
    words = shlex.split(described["cmd"].replace(f"${{item.{axis}}}", item))
    return [sys.executable, *words[1:]]


def project(folder: Path, sources: dict[str, Path], changes: dict[str, Any]) -> None:
    """The code and params.yaml as they are here, but for the sources and `changes`."""
    for package in ("bert", "stages"):
        (folder / package).unlink(missing_ok=True)
        (folder / package).symlink_to(ROOT / package)
    params = _yaml(ROOT / "params.yaml")
    for corpus in ("wikipedia", "books", "text"):
        params["download"][corpus] = [{"url": str(sources[corpus])}] if corpus in sources else []
    for key, value in changes.items():
        *sections, last = key.split(".")
        node = params
        for section in sections:
            node = node[section]
        if last not in node:
            raise SystemExit(f"error: params.yaml has no {key}")
        node[last] = value
    with open(folder / "params.yaml", "w", encoding="utf-8") as f:
        YAML(typ="safe", pure=True).dump(params, f)


def _bytes(*paths: Path) -> int:
    files = [file for path in paths for file in ([path] if path.is_file() else path.rglob("*"))]
    return sum(file.stat().st_size for file in files if file.is_file())


def _text_bytes(source: Path) -> int:
    """Of a dump the wikitext with its XML, uncompressed."""
    return sum(len(page.encode()) for page in pages(source)) if ".xml" in source.name else _bytes(source)


def measure(
    folder: Path, sources: dict[str, Path], stages: Sequence[str], workers: int, changes: dict[str, Any]
) -> dict[str, Any]:
    """{stage: what it took, and `bytes` that it read}."""
    project(folder, sources, changes)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("BERT_", "DVC_"))}
    # Processes also where one worker or little input would be done in memory: all sizes and numbers are to be compared.
    environment["BERT_BEAM_OPTIONS"] = f"--direct_running_mode=multi_processing --direct_num_workers={workers}"
    taken: dict[str, Any] = {}
    for stage in stages:
        name, _, corpus = stage.partition("@")
        if name in ("download", "documents") and corpus not in sources:
            read = 0
        elif name in ("download", "documents"):
            read = _bytes(sources[corpus]) if name == "download" else _text_bytes(sources[corpus])
        else:
            read = _bytes(*(folder / "data" / path for path in READS[stage]))
        usage = watched(command(stage), folder, environment)
        taken[stage] = {**asdict(usage), "bytes": read}
        print(f"  {stage}: {usage.seconds:.1f} s, {usage.peak_pss / MB:.0f} MB", file=sys.stderr, flush=True)
    return taken


def _markdown(lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in (lines[0], ["---"] * len(lines[0]), *lines[1:]))


def table(taken: dict[str, Any]) -> str:
    """A line a stage: its seconds, speed and peak at each size, and how much of the peak is neither import nor file."""
    sizes = [size for size in taken if size != IMPORTS]
    head = ["stage", "imports MB", *(f"{size}: {what}" for size in sizes for what in ("s", "MB/s", "MB"))]
    lines = [[*head, "beyond imports MB"]]
    for stage in (stage for stage in taken[sizes[0]] if taken[sizes[0]][stage]["bytes"]):
        line = [stage, f"{taken[IMPORTS][stage]['peak_pss'] / MB:.0f}"]
        for size in sizes:
            of = taken[size][stage]
            line += [f"{of['seconds']:.1f}", f"{of['bytes'] / MB / of['seconds']:.1f}", f"{of['peak_pss'] / MB:.0f}"]
        beyond = [taken[size][stage]["peak_own"] - taken[IMPORTS][stage]["peak_own"] for size in sizes]
        lines.append([*line, " ".join(f"{value / MB:.0f}" for value in beyond)])
    return _markdown(lines)


def cost(taken: dict[str, Any]) -> str:
    """What English Wikipedia takes, calculated: processor seconds from the smallest to the largest size, per MB read.

    Divided by the cores where Beam divides the work; start-up, and what disks and networks take, are left out.
    """
    first, *_, last = (taken[size] for size in taken if size != IMPORTS)
    lines = [["stage", "core s/MB", "reads GB", "core hours", *(f"{cores:,} cores" for cores in CORES)]]
    for stage, read in (BY_MANY | BY_ONE).items():
        if stage in last:
            more = (last[stage]["bytes"] - first[stage]["bytes"]) / MB
            rate = (last[stage]["cpu_seconds"] - first[stage]["cpu_seconds"]) / more
            # The vocabulary is learned from a limited text, however large the corpus is.
            seconds = rate * read if read else last[stage]["cpu_seconds"]
            on = [seconds / 60 / (cores if stage in BY_MANY else 1) for cores in CORES]
            shown = [f"{rate:.3f}", f"{read / 1000:.1f}"] if read else ["", ""]
            lines.append([stage, *shown, f"{seconds / 3600:.1f}", *(f"{minutes:,.1f} min" for minutes in on)])
    return _markdown(lines)


def speedup(taken: dict[str, Any], workers: int) -> str:
    """Of documents, by more workers; without start-up."""
    last = list(taken.values())[-1]
    start = taken[IMPORTS]["documents@wikipedia"]["seconds"]
    one, many = (last[stage]["seconds"] - start for stage in (ALONE, "documents@wikipedia"))
    return f"documents@wikipedia with {workers} workers is {one / many:.2f} times as fast as with one"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dump", type=Path, help=".xml or .xml.bz2; default: the embedded sample's")
    parser.add_argument("--text", type=Path, help="a document a line; default: the embedded sample's")
    parser.add_argument("--books", type=Path, help="a folder of .txt files; default: none")
    parser.add_argument("--copies", type=int, default=4, help="of the sources that are 1x")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1, 3, 10])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--set", nargs="+", default=[], metavar="KEY=VALUE", help="parameters, as -S of dvc")
    parser.add_argument("--work", type=Path, help="a folder that stays, for single stages; default: one that goes")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args(argv)
    changes = CHANGES | {key: YAML(typ="safe").load(value) for key, _, value in (c.partition("=") for c in args.set)}
    with TemporaryDirectory(prefix="scale-") as temporary:
        work = args.work or Path(temporary)
        dump, text = args.dump or package_file(SAMPLE["dump"]), args.text or package_file(SAMPLE["text"])
        copies = Copies(dump, text, args.books, work / "copies")
        taken: dict[str, Any] = {}
        linear = args.workers > 1 and "documents@wikipedia" in args.stages
        for size in (0, *sorted(args.sizes)):
            name = f"{size}x" if size else IMPORTS
            print(name, file=sys.stderr, flush=True)
            folder = work / name
            sources = copies.write(folder / "given", size * args.copies or 1, None if size else A_LITTLE)
            taken[name] = measure(folder, sources, args.stages, args.workers, changes)
            if size == max(args.sizes) and linear:
                one = measure(folder, sources, ["documents@wikipedia"], 1, changes)
                taken[name][ALONE] = one["documents@wikipedia"]
            if not args.work:
                shutil.rmtree(folder)
    print(f"{table(taken)}\n")
    if len(args.sizes) > 1:
        print(f"English Wikipedia, calculated:\n\n{cost(taken)}\n")
    if linear:
        print(speedup(taken, args.workers))
    about = {
        "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "versions": {name: version(name) for name in ("apache-beam", "tensorflow", "tensorflow-text", "numpy")},
        "settings": {"workers": args.workers, "copies": args.copies, "params": changes},
    }
    if args.out:
        args.out.write_text(json.dumps({"stages": taken, **about}, indent=2) + "\n")


if __name__ == "__main__":
    main()
