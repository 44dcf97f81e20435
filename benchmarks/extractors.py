"""Our documents beside those of another extractor, page by page: what only one of the two has.

    pip install wikiextractor==3.1.0                       # in an environment of its own: its licence is the AGPL
    wikiextractor --json --no-templates -b 1G -o theirs dump.xml.bz2
    python benchmarks/extractors.py data/documents/wikipedia theirs [--title Anarchism] [--most 20]

Both sides are JSON lines with `id`, `title` and `text`: files, or folders whose files are read in order. Texts are
compared by words; a difference is a run of words that one side has and the other has not. Prints the pages that only
one side has, the words of both, and the longest differences.
"""

from __future__ import annotations

import argparse
import difflib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# Words shown before a difference, and at most of each side.
BEFORE, SHOWN = 6, 40


@dataclass(frozen=True)
class Difference:
    """A run of words where the two texts of a page are not the same."""

    title: str
    before: str
    ours: list[str]
    theirs: list[str]

    @property
    def size(self) -> int:
        return max(len(self.ours), len(self.theirs))

    def __str__(self) -> str:
        ours, theirs = (" ".join(w[:SHOWN]) + (" ..." if len(w) > SHOWN else "") for w in (self.ours, self.theirs))
        return f"{self.title}: ... {self.before}\n    ours:   {ours}\n    theirs: {theirs}"


def read(path: Path) -> dict[str, dict[str, str]]:
    """Documents by their page id (`wikipedia:12` and `12` are the same page); those without text are left out."""
    files = (
        sorted(p for p in path.rglob("*") if p.is_file() and p.name not in ("manifest.json", "errors.jsonl"))
        if path.is_dir()
        else [path]
    )
    found = {}
    for file in files:
        with open(file, encoding="utf-8") as lines:
            for line in lines:
                document = json.loads(line)
                if document.get("text", "").strip():
                    found[str(document["id"]).rpartition(":")[2]] = document
    return found


def differences(title: str, ours: str, theirs: str) -> Iterator[Difference]:
    a, b = ours.split(), theirs.split()
    for tag, a1, a2, b1, b2 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if tag != "equal":
            yield Difference(title, " ".join(a[max(0, a1 - BEFORE) : a1]), a[a1:a2], b[b1:b2])


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ours", type=Path)
    parser.add_argument("theirs", type=Path)
    parser.add_argument("--title", help="this page only")
    parser.add_argument("--most", type=int, default=20, help="differences to show")
    args = parser.parse_args(argv)
    ours, theirs = read(args.ours), read(args.theirs)
    for name, left, right in (("ours", ours, theirs), ("theirs", theirs, ours)):
        print(f"{name}: {len(left)} pages, {sum(len(d['text'].split()) for d in left.values())} words")
        print(f"  only here: {', '.join(left[i]['title'] for i in left if i not in right) or 'none'}")
    found = [
        difference
        for page in ours
        if page in theirs and args.title in (None, ours[page]["title"])
        for difference in differences(ours[page]["title"], ours[page]["text"], theirs[page]["text"])
    ]
    print(f"{len(found)} differences: words of ours only {sum(len(d.ours) for d in found)}, "
          f"of theirs only {sum(len(d.theirs) for d in found)}")  # fmt: skip
    for difference in sorted(found, key=lambda d: -d.size)[: args.most]:
        print(difference)


if __name__ == "__main__":
    main()
