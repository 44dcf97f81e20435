"""Not a stage: git revisions and DVC experiments side by side, in the shape of the published tables.

python -m stages.compare                           the files here against HEAD
python -m stages.compare at-bf16                   the files here against an experiment
python -m stages.compare HEAD at-tf32 at-bf16      as many revisions as there are; `workspace`: the files here
python -m stages.compare HEAD at-bf16 --html comparison.html
python -m stages.compare main HEAD --markdown      for a comment on a pull request

Reads   metrics/, params.yaml and dvc.lock of each revision from git; metrics/provenance from DVC's cache
Writes  the tables to the terminal; with --html the same as one self-contained page

One revision alone, and HEAD where none is named, is compared with the files here. Differences and speed-ups are from
the first. A difference of scores that their seeds explain is printed as none. Speeds of different models, or of
machines of different types, are never divided by one another.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from bert.compare.comparison import TITLE, sections
from bert.compare.contents import read
from bert.compare.revisions import WORKSPACE, resolve
from bert.compare.text import as_markdown, as_text
from bert.pipeline.errors import StageError
from bert.pipeline.files import write_text
from bert.pipeline.job import parser, run
from bert.pipeline.pages import render_page

COMMAND, PAGE = "python -m stages.compare", "comparison.html"


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument(
        "revisions",
        nargs="*",
        metavar="REVISION",
        help="branches, tags, commits, experiments, or workspace, the files here; a single one is compared with these "
        "(without any: HEAD)",
    )
    p.add_argument("--html", type=Path, metavar="FILE", help="write the tables as a page too")
    p.add_argument("--markdown", action="store_true", help="print Markdown instead of plain text")
    args = p.parse_args(argv)

    if args.html:
        _check_page(args.html, args.revisions)
    found = [read(revision) for revision in map(resolve, _named(args.revisions))]
    compared = sections(found)
    print(as_markdown(TITLE, compared) if args.markdown else as_text(compared), end="")
    if args.html:
        write_text(args.html, render_page("bert.report", title=TITLE, story=(), headlines=(), sections=compared))


def _named(revisions: Sequence[str]) -> list[str]:
    """Those to compare: two at least."""
    names = list(revisions) if len(revisions) > 1 else [*(revisions or ["HEAD"]), WORKSPACE]
    for n, name in enumerate(names):
        if name in names[:n]:
            other = "" if name == WORKSPACE else f" {quote(name)}"
            raise StageError(
                f"{name}: named twice, expected revisions that differ; a single one is compared with the files here",
                run=f"{COMMAND}{other}",
            )
    return names


def _check_page(path: Path, revisions: Sequence[str]) -> None:
    """Raises StageError where no page can be written: before all is compared, not after."""

    def into(file: Path) -> str:
        return " ".join([COMMAND, *map(quote, revisions), "--html", quote(str(file))])

    expected = f"--html {path}: expected the name of a file"
    if path.is_dir():
        raise StageError(f"{expected}, got that of a folder", run=into(path / PAGE))
    if path.exists() and not path.is_file():
        raise StageError(f"{expected}, got that of a device", run=into(Path(PAGE)))
    if not path.parent.is_dir():
        raise StageError(
            f"{expected} in a folder that is there, got {path.parent}", run=f"mkdir -p {quote(str(path.parent))}"
        )
    if not os.access(path.parent, os.W_OK):
        raise StageError(f"{expected} in a folder of one's own, got {path.parent}", run=into(Path.home() / PAGE))


if __name__ == "__main__":
    run(main)
