"""Horovod. Fine-tune on one GLUE task, predict, score; the same from random weights as a control.

Reads   data/models/<finetune.init>, the data of `glue.data`     params: seed, precision, xla, finetune, glue.<task>
Writes  data/models/glue/<task>, data/predictions/glue/<task>.tsv, metrics/glue/<task>.json

With --seed it is one run of the stability test: no control, and only the metrics are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.launch.allocator import keep_pages
from bert.launch.stage import run_ranked, training_parser
from bert.pipeline.code import code_hashes
from bert.pipeline.job import run
from bert.pipeline.params import section
from bert.tasks.settings import FinetuneSettings, GlueTaskSettings
from bert.training.settings import compute_settings
from bert.training.world import World, split_batch


def main(argv: Sequence[str] | None = None) -> None:
    p = training_parser(__doc__)
    p.add_argument("--task", required=True)
    p.add_argument("--init", type=Path, required=True, help="model folder to start from")
    p.add_argument("--data", type=Path, required=True, help="folder of the GLUE tasks")
    p.add_argument("--seed", type=int, help="instead of the parameter `seed`")
    p.add_argument("--out", type=Path)
    p.add_argument("--predictions", type=Path)
    args = p.parse_args(argv)
    settings = section(GlueTaskSettings, f"glue.{args.task}")
    finetuning = section(FinetuneSettings, "finetune")
    compute = compute_settings()
    seed, source = section(int, "seed"), section(str, "glue.data")
    stage, outs = f"glue@{args.task}", {"model": args.out, "predictions.tsv": args.predictions}
    if args.seed is not None:
        stage, outs, seed = f"stability_run@{args.task}-{args.seed}", {}, args.seed
        settings = settings.model_copy(update={"random_control": False})

    def work(scratch: Path, world: World) -> None:
        from bert.tasks.glue.run import run_glue

        code = code_hashes("stages.glue")
        run_glue(
            stage, args.task, args.data, source, args.init, settings, finetuning, compute, seed, scratch, world, code
        )

    run_ranked(
        stage,
        "stages.glue",
        argv,
        args,
        {"task": settings, "finetune": finetuning, "compute": compute, "seed": seed, "source": source},
        [args.init, args.data],
        work,
        {name: out for name, out in outs.items() if out is not None},
        lambda ranks: split_batch(stage, f"glue.{args.task}.batch_size", settings.batch_size, ranks),
    )


if __name__ == "__main__":
    keep_pages()
    run(main)
