r"""Horovod. Pretrain one phase with masked LM and next-sentence prediction.

Reads   data/tfrecords/<phase>, data/vocab.txt, data/tokenizer_config.json, for phase 2 data/models/phase1, for phase 1
        data/models/<pretrain.init> (none: random weights)
        params: seed, model, precision, xla, attention, deterministic, allreduce, pretrain.<phase>, and what both phases
        share under pretrain
Writes  data/models/<phase>, metrics/pretrain_<phase>.json, metrics/curves/pretrain_<phase>.tsv and _held_out.tsv

With --seed it is a run of the stability test, in the precision that --precision says, of which the metrics are kept,
and of phase 1 the model, for phase 2 under the same seed.

Starts itself under horovodrun where BERT_RANKS asks for more than one process. Killed, it goes on from its last
checkpoint when it is started again.

Examples:
  dvc repro pretrain_phase1
  python -m stages.pretrain --phase phase2 --records data/tfrecords/phase2 --vocab data/vocab.txt \
    --init data/models/phase1 --out data/models/phase2 --metrics metrics/pretrain_phase2.json \
    --curve metrics/curves/pretrain_phase2.tsv --held-out-curve metrics/curves/pretrain_phase2_held_out.tsv \
    --provenance metrics/provenance/pretrain_phase2.json
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.launch.stage import TrainingStage, run_ranked, training_parser
from bert.pipeline.job import run
from bert.pipeline.machine import machine_settings
from bert.pipeline.params import section
from bert.training.context import Context, Outcome
from bert.training.seed_run import add_seed_options, compute_settings, seed_run
from bert.training.settings import PhaseTraining, PretrainParams, PretrainSettings
from bert.training.world import split_batch

PHASES = ("phase1", "phase2")
NO_WEIGHTS = "none"
"""The value of pretrain.init, and folder of data/models, without weights: stages/no_weights.py."""


def main(argv: Sequence[str] | None = None) -> None:
    p = training_parser(__doc__)
    p.add_argument("--phase", required=True, choices=PHASES)
    p.add_argument("--records", type=Path, required=True)
    p.add_argument("--vocab", type=Path, required=True)
    p.add_argument("--init", type=Path, help="model folder to start from; without, or called none: random weights")
    add_seed_options(p)
    p.add_argument("--out", type=Path)
    p.add_argument("--curve", type=Path, help="of the loss on the training text")
    p.add_argument("--held-out-curve", type=Path)
    args = p.parse_args(argv)
    machine = machine_settings()
    beside, repeated = seed_run(args), f"pretrain_{args.phase}"
    params = PretrainParams(
        f"stability_{args.phase}@{beside}" if beside else repeated,
        args.phase,
        section(str, "model"),
        section(PhaseTraining, f"pretrain.{args.phase}"),
        section(PretrainSettings, "pretrain", without=(*PHASES, "init")),
        compute_settings(beside),
        beside.seed if beside else section(int, "seed"),
    )
    own = params.own
    outs = {"model": args.out, "curve.tsv": args.curve, "held_out.tsv": args.held_out_curve}
    init = args.init if args.init is not None and args.init.name != NO_WEIGHTS else None

    def work(context: Context) -> Outcome | None:
        from bert.training.pretraining import pretrain  # imports TensorFlow, which --help need not wait for

        return pretrain(params, args.records, args.vocab, init, context)

    stage = TrainingStage(
        params.stage,
        "stages.pretrain",
        {"phase": own, "pretrain": params.shared, "compute": params.compute, "seed": params.seed}
        | ({} if init else {"model": params.model}),
        [args.records / "train", args.records / "test", args.vocab, *([init] if init else [])],
        {name: out for name, out in outs.items() if out is not None},
        lambda ranks: split_batch(
            params.stage,
            f"pretrain.{args.phase}.batch_size",
            own.batch_size,
            ranks,
            machine.micro_batch_of(params.stage, repeated),
            own.micro_batches.rows if own.micro_batches else None,
        ),
    )
    run_ranked(stage, work, args, argv, machine)


if __name__ == "__main__":
    run(main)
