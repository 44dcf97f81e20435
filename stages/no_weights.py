"""The empty model folder from which phase 1 starts where pretrain.init is none: with random weights.

Reads   nothing
Writes  data/models/none

DVC knows no dependency that is there in some cases only. So phase 1 depends on data/models/<pretrain.init>, and there
has to be one where that is none. An import makes phase 1 run again only where it starts from it.

Examples:
  dvc repro no_weights
  python -m stages.no_weights --out data/models/none
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.pipeline import manifest
from bert.pipeline.job import job, parser, run


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--out", type=Path, required=True)
    args = p.parse_args(argv)
    with job("no_weights", "stages.no_weights", {}, [], None) as work:
        result = work.folder / "model"
        manifest.write_unconfigured(result)
        work.publish({result: args.out})


if __name__ == "__main__":
    run(main)
