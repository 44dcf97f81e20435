"""What the result of each stage depends on in the code: a hash of the meaning of each project file that it runs.

Reads   bert, stages
Writes  code/<stage>.json, {file: hash}, which git keeps and the stage has as its one code dependency

A comment, a docstring or a new layout changes no hash, so that nothing but this stage runs again. A change of meaning
shows in `git diff code/`, file by file: the results of these stages move.

Examples:
  dvc repro code
  python -m stages.code --out code
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.pipeline.code import FOLDER, ROOT, code_hashes
from bert.pipeline.files import write_json
from bert.pipeline.job import parser, run

NO_STAGES = (
    "__init__", "ask", "code", "compare", "export_checkpoint", "preset", "push_runs", "scratch", "score_squad",
)  # fmt: skip
"""Files of stages/ that no stage of dvc.yaml with a result runs."""


def stage_modules(root: Path = ROOT) -> list[str]:
    """The modules of all stages. Example: stages.squad"""
    names = sorted(path.stem for path in (root / "stages").glob("*.py"))
    return [f"stages.{name}" for name in names if name not in NO_STAGES]


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--out", type=Path, default=FOLDER, help="folder of the files (default: code)")
    args = p.parse_args(argv)
    for module in stage_modules():
        write_json(args.out / f"{module.removeprefix('stages.')}.json", code_hashes(module))


if __name__ == "__main__":
    run(main)
