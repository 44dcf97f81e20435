r"""Beam. Shards of sentences -> TFRecords of examples for one phase.

Reads   data/shards/{train,test}, data/vocab.txt, data/tokenizer_config.json
        params: seed, tfrecords.examples, tfrecords.<phase>
Writes  data/tfrecords/<phase>/{train,test}, metrics/tfrecords/<phase>.json, metrics/lengths/<phase>.tsv

Examples:
  dvc repro tfrecords@phase1
  python -m stages.tfrecords --phase phase1 --train data/shards/train --test data/shards/test --vocab data/vocab.txt \
    --out data/tfrecords/phase1 --metrics metrics/tfrecords/phase1.json --lengths metrics/lengths/phase1.tsv
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.beam.run import Workplace
from bert.examples.settings import ExamplesSettings, PhaseSettings
from bert.examples.writing import make_records
from bert.pipeline.files import write_text
from bert.pipeline.job import job, parser, run
from bert.pipeline.machine import machine_settings
from bert.pipeline.params import section
from bert.tokens.casing import lower_cases
from bert.watch.parts import watch_parts


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--phase", required=True, choices=("phase1", "phase2"))
    p.add_argument("--train", type=Path, required=True, help="train shards")
    p.add_argument("--test", type=Path, required=True, help="test shards")
    p.add_argument("--vocab", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--metrics", type=Path, required=True)
    p.add_argument("--lengths", type=Path, required=True, help="histogram of the sequences' lengths")
    args = p.parse_args(argv)
    machine = machine_settings()
    settings = section(ExamplesSettings, "tfrecords.examples")
    phase = section(PhaseSettings, f"tfrecords.{args.phase}")
    seed = section(int, "seed")
    do_lower_case = lower_cases(args.vocab, "dvc repro vocab")
    with job(
        f"tfrecords@{args.phase}",
        "stages.tfrecords",
        {"examples": settings, "phase": phase, "seed": seed, "do_lower_case": do_lower_case},
        [args.train, args.test, args.vocab],
        args.metrics,
    ) as work:
        result = work.folder / "result"
        shards = {"train": args.train, "test": args.test}
        place = Workplace(work.folder, machine.work, machine.beam_options, watch_parts)
        metrics, lengths = make_records(shards, args.vocab, args.phase, phase, settings, seed, place, result)
        work.metrics |= metrics
        table = [("split", "tokens", "sequences"), *lengths]
        write_text(work.folder / "lengths.tsv", "".join("\t".join(map(str, row)) + "\n" for row in table))
        work.publish({result: args.out, work.folder / "lengths.tsv": args.lengths})


if __name__ == "__main__":
    run(main)
