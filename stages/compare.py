"""Not a stage: git revisions and DVC experiments side by side, in the shape of the published tables.

python -m stages.compare                           the files here against HEAD
python -m stages.compare at-bf16                   the files here against an experiment
python -m stages.compare HEAD at-tf32 at-bf16      as many revisions as there are; `workspace`: the files here
python -m stages.compare HEAD at-bf16 --html comparison.html
python -m stages.compare main HEAD --markdown      for a comment on a pull request

Reads   metrics/, params.yaml and dvc.lock of each revision from git; metrics/provenance from DVC's cache
Writes  the tables to the terminal; with --html the same as one self-contained page

Differences and speed-ups are from the first revision. A difference of scores that their seeds explain is printed as
none. Speeds that different machines measured are never divided by one another.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.compare.comparison import TITLE, sections
from bert.compare.contents import read
from bert.compare.revisions import WORKSPACE, resolve
from bert.compare.text import as_markdown, as_text
from bert.pipeline.files import write_text
from bert.pipeline.job import parser, run
from bert.pipeline.pages import render_page


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument(
        "revisions",
        nargs="*",
        metavar="REVISION",
        help="branches, tags, commits, experiments, or workspace (without any: HEAD and workspace)",
    )
    p.add_argument("--html", type=Path, metavar="FILE", help="write the tables as a page too")
    p.add_argument("--markdown", action="store_true", help="print Markdown instead of plain text")
    args = p.parse_args(argv)

    names = list(dict.fromkeys(args.revisions)) or ["HEAD"]
    found = [read(revision) for revision in map(resolve, names if len(names) > 1 else [*names, WORKSPACE])]
    compared = sections(found)
    print(as_markdown(TITLE, compared) if args.markdown else as_text(compared), end="")
    if args.html:
        write_text(args.html, render_page("bert.report", title=TITLE, story=(), headlines=(), sections=compared))


if __name__ == "__main__":
    run(main)
