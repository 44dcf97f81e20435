r"""Horovod. Fine-tune on question answering, predict, score.

Reads   data/models/<finetune.init>, the questions of `squad.data`
        params: seed, precision, xla, attention, deterministic, allreduce, finetune, inference, squad
Writes  data/models/squad, data/predictions/squad, metrics/squad.json, metrics/curves/squad.tsv

With --seed it is a run of the stability test, in the precision that --precision says, with --control one from another
model (finetune.controls): of these only the metrics are kept.

Examples:
  dvc repro squad
  python -m stages.squad --init data/models/imported --data data/cloze/squad --out data/models/squad \
    --predictions data/predictions/squad --curve metrics/curves/squad.tsv --metrics metrics/squad.json \
    --provenance metrics/provenance/squad.json
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.inference.settings import InferenceSettings
from bert.launch.stage import TrainingStage, run_ranked, training_parser
from bert.pipeline.job import run
from bert.pipeline.machine import machine_settings
from bert.pipeline.params import section
from bert.tasks.settings import OF_THE_DAG, FinetuneParams, FinetuneSettings, SquadSettings
from bert.training.context import Context, Outcome
from bert.training.seed_run import add_seed_options, compute_settings, seed_run
from bert.training.world import split_batch


def main(argv: Sequence[str] | None = None) -> None:
    p = training_parser(__doc__)
    p.add_argument("--init", type=Path, required=True, help="model folder to start from")
    p.add_argument("--data", type=Path, required=True, help="folder of the questions")
    add_seed_options(p)
    p.add_argument("--control", action="store_true", help="a run beside that from finetune.init, to compare with")
    p.add_argument("--out", type=Path)
    p.add_argument("--predictions", type=Path)
    p.add_argument("--curve", type=Path)
    args = p.parse_args(argv)
    machine = machine_settings()
    settings = section(SquadSettings, "squad")
    shared = section(FinetuneSettings, "finetune", without=OF_THE_DAG)
    seed, beside = section(int, "seed"), seed_run(args)
    stage_name, outs = "squad", {"model": args.out, "predictions": args.predictions, "curve.tsv": args.curve}
    if beside is not None:
        stage_name, outs, seed = f"stability_squad@{beside}", {}, beside.seed
    elif args.control:
        stage_name, outs = f"squad_control@{args.init.name}", {}
    inference = section(InferenceSettings, "inference")
    params = FinetuneParams("squad", settings, shared, compute_settings(beside), seed, inference.engine)

    def work(context: Context) -> Outcome | None:
        from bert.tasks.squad.run import run_squad  # imports TensorFlow, which --help need not wait for

        return run_squad(stage_name, args.data, args.init, params, context)

    stage = TrainingStage(
        stage_name,
        "stages.squad",
        {"squad": settings, "finetune": shared, "compute": params.compute, "inference": inference, "seed": params.seed},
        [args.init, args.data],
        {name: out for name, out in outs.items() if out is not None},
        lambda ranks: split_batch(
            stage_name, "squad.batch_size", settings.batch_size, ranks, machine.micro_batch_of(stage_name, "squad")
        ),
    )
    run_ranked(stage, work, args, argv, machine)


if __name__ == "__main__":
    run(main)
