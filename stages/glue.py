r"""Horovod. Fine-tune on one task of classes or numbers, GLUE's or one's own, predict, score.

Reads   data/models/<finetune.init>, data/glue/<task>
        params: seed, precision, xla, attention, deterministic, allreduce, finetune, inference, glue.<task>
Writes  data/models/glue/<task>, data/predictions/glue/<task>, metrics/glue/<task>.json

Predictions are of the dev sets (dev.tsv; of MNLI dev_matched.tsv and dev_mismatched.tsv) and of the files without
labels that are there, under the names by which the leaderboard takes them: RTE.tsv, MNLI-m.tsv, ... AX.tsv is the
diagnostic set (diagnostic/diagnostic.tsv) by the model of MNLI. Of a task of one's own they are dev.tsv and test.tsv,
and beside them the probabilities of its classes: dev_probabilities.tsv, test_probabilities.tsv.

With --seed it is a run of the stability test, in the precision that --precision says, with --control one from another
model (finetune.controls): of these only the metrics are kept.

Examples:
  dvc repro glue@mrpc
  python -m stages.glue --task mrpc --init data/models/imported --data data/glue/mrpc --out data/models/glue/mrpc \
    --predictions data/predictions/glue/mrpc --metrics metrics/glue/mrpc.json \
    --provenance metrics/provenance/glue/mrpc.json
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.inference.settings import InferenceSettings
from bert.launch.stage import TrainingStage, run_ranked, training_parser
from bert.pipeline.job import run
from bert.pipeline.machine import machine_settings
from bert.pipeline.params import section
from bert.tasks.settings import FILE_KEYS, OF_THE_DAG, FinetuneParams, FinetuneSettings, GlueTaskSettings
from bert.training.context import Context, Outcome
from bert.training.seed_run import add_seed_options, compute_settings, seed_run
from bert.training.world import split_batch


def main(argv: Sequence[str] | None = None) -> None:
    p = training_parser(__doc__)
    p.add_argument("--task", required=True)
    p.add_argument("--init", type=Path, required=True, help="model folder to start from")
    p.add_argument("--data", type=Path, required=True, help="folder of the task")
    add_seed_options(p)
    p.add_argument("--control", action="store_true", help="a run beside that from finetune.init, to compare with")
    p.add_argument("--out", type=Path)
    p.add_argument("--predictions", type=Path)
    args = p.parse_args(argv)
    machine = machine_settings()
    section_name = f"glue.{args.task}"
    settings, shared = (
        section(GlueTaskSettings, section_name, without=FILE_KEYS),
        section(FinetuneSettings, "finetune", without=OF_THE_DAG),
    )
    seed, beside = section(int, "seed"), seed_run(args)
    stage_name, outs = f"glue@{args.task}", {"model": args.out, "predictions": args.predictions}
    if beside is not None:
        stage_name, outs, seed = f"stability_glue@{args.task}-{beside}", {}, beside.seed
    elif args.control:
        stage_name, outs = f"glue_control@{args.task}-{args.init.name}", {}
    inference = section(InferenceSettings, "inference")
    params = FinetuneParams(section_name, settings, shared, compute_settings(beside), seed, inference.engine)

    def work(context: Context) -> Outcome | None:
        from bert.tasks.glue.run import run_glue  # imports TensorFlow, which --help need not wait for

        return run_glue(stage_name, args.data, args.init, params, context, "predictions" in stage.outs)

    stage = TrainingStage(
        stage_name,
        "stages.glue",
        {"task": settings, "finetune": shared, "compute": params.compute, "inference": inference, "seed": seed},
        [args.init, args.data],
        {name: out for name, out in outs.items() if out is not None},
        lambda ranks: split_batch(
            stage_name,
            f"{section_name}.batch_size",
            settings.batch_size,
            ranks,
            machine.micro_batch_of(stage_name, f"glue@{args.task}"),
        ),
    )
    run_ranked(stage, work, args, argv, machine)


if __name__ == "__main__":
    run(main)
