"""The empty model folder from which phase 1 starts where pretrain.init is null: with random weights.

Reads   nothing
Writes  data/models/None

DVC knows no dependency that is there in some cases only. So phase 1 depends on data/models/<pretrain.init>, in which
null is written None, and there has to be such a folder. An import makes phase 1 run again only where it starts from it.
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
