r"""Beam. Documents of all corpora -> shards of sentences, split into train and test by document.

Reads   data/documents/{wikipedia,books,text}     params: seed, shards
Writes  data/shards/{train,test}, data/shards/dropped.jsonl, metrics/shards.json

Examples:
  dvc repro shards
  python -m stages.shards --documents data/documents/wikipedia data/documents/text --out data/shards \
    --metrics metrics/shards.json
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.beam.run import Workplace
from bert.pipeline.job import job, parser, run
from bert.pipeline.machine import machine_settings
from bert.pipeline.params import section
from bert.shards.gather import DROPPED
from bert.shards.make import make_shards
from bert.shards.placement import SPLITS
from bert.shards.settings import ShardsSettings
from bert.watch.parts import watch_parts


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--documents", type=Path, nargs="+", required=True, help="folders of documents")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--metrics", type=Path, required=True)
    args = p.parse_args(argv)
    machine = machine_settings()
    settings, seed = section(ShardsSettings, "shards"), section(int, "seed")
    with job(
        "shards",
        "stages.shards",
        {"shards": settings, "seed": seed},
        args.documents,
        args.metrics,
    ) as work:
        result = work.folder / "result"
        place = Workplace(work.folder, machine.work, machine.beam_options, watch_parts)
        work.metrics |= make_shards(args.documents, settings, seed, place, result)
        work.publish({result / name: args.out / name for name in (*SPLITS, DROPPED)})


if __name__ == "__main__":
    run(main)
