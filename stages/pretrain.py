"""Horovod. Pretrain one phase with masked LM and next-sentence prediction.

Reads   data/tfrecords/<phase>, data/vocab.txt, for phase 2 data/models/phase1
        params: seed, model, precision, xla, pretrain.<phase>, and what both phases share under pretrain
Writes  data/models/<phase>, metrics/pretrain_<phase>.json, metrics/curves/pretrain_<phase>.tsv and _held_out.tsv

Starts itself under horovodrun where BERT_RANKS asks for more than one process. Killed, it goes on from its last
checkpoint when it is started again.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.launch.allocator import keep_pages
from bert.launch.stage import run_ranked, training_parser
from bert.pipeline.code import code_hashes
from bert.pipeline.job import run
from bert.pipeline.params import section
from bert.training.settings import PhaseTraining, PretrainSettings, compute_settings
from bert.training.world import Split, World, split_batch

PHASES = ("phase1", "phase2")


def main(argv: Sequence[str] | None = None) -> None:
    p = training_parser(__doc__)
    p.add_argument("--phase", required=True, choices=PHASES)
    p.add_argument("--records", type=Path, required=True)
    p.add_argument("--vocab", type=Path, required=True)
    p.add_argument("--init", type=Path, help="model folder to start from; random weights without")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--curve", type=Path, required=True, help="of the loss on the training text")
    p.add_argument("--held-out-curve", type=Path, required=True)
    args = p.parse_args(argv)
    stage = f"pretrain_{args.phase}"
    phase = section(PhaseTraining, f"pretrain.{args.phase}")
    settings = section(PretrainSettings, "pretrain", without=PHASES)
    compute = compute_settings()
    model, seed = section(str, "model"), section(int, "seed")

    def work(scratch: Path, world: World) -> None:
        from bert.training.pretraining import pretrain  # imports TensorFlow, which --help need not wait for

        pretrain(
            args.phase,
            model,
            phase,
            settings,
            compute,
            seed,
            args.records,
            args.vocab,
            args.init,
            scratch,
            world,
            code_hashes("stages.pretrain"),
        )

    def split(ranks: int) -> Split:
        rows = phase.micro_batches.rows if phase.micro_batches else None
        return split_batch(stage, f"pretrain.{args.phase}.batch_size", phase.batch_size, ranks, rows)

    run_ranked(
        stage,
        "stages.pretrain",
        argv,
        args,
        {"phase": phase, "pretrain": settings, "compute": compute, "seed": seed}
        | ({} if args.init else {"model": model}),
        [args.records / "train", args.records / "test", args.vocab, *([args.init] if args.init else [])],
        work,
        {"model": args.out, "curve.tsv": args.curve, "held_out.tsv": args.held_out_curve},
        split,
    )


if __name__ == "__main__":
    keep_pages()
    run(main)
