"""Horovod. Fine-tune on question answering, predict, score; the same from random weights as a control.

Reads   data/models/<finetune.init>, the questions of `squad.data`     params: seed, precision, xla, finetune, squad
Writes  data/models/squad, data/predictions/squad, metrics/squad.json, metrics/curves/squad.tsv
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.launch.allocator import keep_pages
from bert.launch.stage import run_ranked, training_parser
from bert.pipeline.code import code_hashes
from bert.pipeline.job import run
from bert.pipeline.params import section
from bert.tasks.settings import FinetuneSettings, SquadSettings
from bert.training.settings import compute_settings
from bert.training.world import World, split_batch


def main(argv: Sequence[str] | None = None) -> None:
    p = training_parser(__doc__)
    p.add_argument("--init", type=Path, required=True, help="model folder to start from")
    p.add_argument("--data", type=Path, required=True, help="folder of the questions")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--predictions", type=Path, required=True)
    p.add_argument("--curve", type=Path, required=True)
    args = p.parse_args(argv)
    settings = section(SquadSettings, "squad")
    finetuning = section(FinetuneSettings, "finetune")
    compute = compute_settings()
    seed = section(int, "seed")

    def work(scratch: Path, world: World) -> None:
        from bert.tasks.squad.run import run_squad

        code = code_hashes("stages.squad")
        run_squad(args.data, args.init, settings, finetuning, compute, seed, scratch, world, code)

    run_ranked(
        "squad",
        "stages.squad",
        argv,
        args,
        {"squad": settings, "finetune": finetuning, "compute": compute, "seed": seed},
        [args.init, args.data],
        work,
        {"model": args.out, "predictions": args.predictions, "curve.tsv": args.curve},
        lambda ranks: split_batch("squad", "squad.batch_size", settings.batch_size, ranks),
    )


if __name__ == "__main__":
    keep_pages()
    run(main)
