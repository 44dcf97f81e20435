"""Horovod. Pretrain one phase with masked LM and next-sentence prediction.

Reads   data/tfrecords/<phase>, data/vocab.txt, for phase 2 data/models/phase1
        params: seed, model, precision, xla, pretrain.<phase>, pretrain.optimizer, ...
Writes  data/models/<phase>, metrics/pretrain_<phase>.json, metrics/curves/pretrain_<phase>.tsv

Starts itself under horovodrun where BERT_RANKS asks for more than one process.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from bert.pipeline.code import code_hashes
from bert.pipeline.files import read_json
from bert.pipeline.params import load, section
from bert.pipeline.stage import job, parser, run
from bert.training.distributed import is_rank, join, launch, wanted_ranks
from bert.training.settings import ComputeSettings, PhaseTraining, PretrainSettings

PHASES = ("phase1", "phase2")


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--phase", required=True, choices=PHASES)
    p.add_argument("--records", type=Path, required=True)
    p.add_argument("--vocab", type=Path, required=True)
    p.add_argument("--init", type=Path, help="model folder to start from; random weights without")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--metrics", type=Path, required=True)
    p.add_argument("--curve", type=Path, required=True)
    p.add_argument("--provenance", type=Path, required=True)
    p.add_argument("--scratch", type=Path, help="set for the ranks that this stage starts")
    args = p.parse_args(argv)
    phase = section(PhaseTraining, f"pretrain.{args.phase}")
    shared = {k: v for k, v in load()["pretrain"].items() if k not in PHASES}
    settings = PretrainSettings(**shared)
    compute = ComputeSettings(precision=load()["precision"], xla=load()["xla"])
    model, seed = section(str, "model"), section(int, "seed")

    def train(scratch: Path) -> None:
        from bert.training.pretraining import pretrain

        pretrain(
            args.phase, model, phase, settings, compute, seed, args.records, args.vocab, args.init, scratch, join(),
            code_hashes("stages.pretrain"),
        )

    if is_rank():
        train(args.scratch)
        return
    params = {"phase": phase, "pretrain": settings, "compute": compute, "seed": seed}
    params |= {} if args.init else {"model": model}
    inputs = [args.records / "train", args.records / "test", args.vocab, *([args.init] if args.init else [])]
    with job(f"pretrain_{args.phase}", params, inputs, args.metrics, args.provenance) as work:
        if not (work.folder / "metrics.json").exists():  # else it was finished, but DVC did not commit it
            if wanted_ranks() > 1:
                launch("stages.pretrain", [*(argv or sys.argv[1:]), "--scratch", str(work.folder)])
            else:
                train(work.folder)
        work.metrics |= read_json(work.folder / "metrics.json", f"dvc repro pretrain_{args.phase}")
        work.provenance |= read_json(work.folder / "run.json", f"dvc repro pretrain_{args.phase}")
        work.publish({work.folder / "model": args.out, work.folder / "curve.tsv": args.curve})


if __name__ == "__main__":
    run(main)
