"""Export the fine-tuned question answerer as a SavedModel, and check it on dev questions.

Reads   data/models/squad, data/predictions/squad, the questions of `squad.data`     params: squad
Writes  data/export/squad, metrics/export.json
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from bert.pipeline.errors import StageError
from bert.pipeline.files import read_json
from bert.pipeline.job import job, parser, run
from bert.pipeline.params import section
from bert.tasks.settings import SquadSettings

CHECKED = 64
# Both cut and choose by one rule; what is left is rounding: predictions are made in the precision of the training and
# in other batches, the export computes in float32. So where two spans are about as good, the other one may win.
# A fault in the export (logits swapped, offsets off by one) leaves next to none.
LEAST_AGREEING = 0.9


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--model", type=Path, required=True)
    p.add_argument("--predictions", type=Path, required=True)
    p.add_argument("--data", type=Path, required=True, help="folder of the questions")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--metrics", type=Path, required=True)
    args = p.parse_args(argv)
    settings = section(SquadSettings, "squad")
    inputs = [args.model, args.predictions, args.data]
    with job("export", "stages.export", {"squad": settings}, inputs, args.metrics) as work:
        import tensorflow as tf

        from bert.checkpoints.folder import load_model
        from bert.tasks.squad.data import evenly_spaced, read_squad
        from bert.tasks.squad.export import export
        from bert.tasks.squad.no_answer import NULL_THRESHOLD

        result = work.folder / "saved_model"
        of_null = args.predictions / NULL_THRESHOLD  # where the model may say that there is no answer
        threshold = read_json(of_null, "dvc repro squad")["null_score_diff_threshold"] if of_null.exists() else None
        export(load_model(args.model, "dvc repro squad"), settings, result, threshold)
        questions = evenly_spaced(read_squad(args.data / settings.dev_file, settings.data)[0], settings.limit_dev)
        questions = evenly_spaced(questions, min(CHECKED, len(questions)))
        serve = tf.saved_model.load(str(result)).signatures["serving_default"]
        answered = serve(
            question=tf.constant([q.question for q in questions]), context=tf.constant([q.context for q in questions])
        )["answer"].numpy()
        expected = read_json(args.predictions / "predictions.json", "dvc repro squad")
        agreeing = sum(a.decode() == expected[q.id] for a, q in zip(answered, questions, strict=True))
        if agreeing < (least := math.ceil(LEAST_AGREEING * len(questions))):
            raise StageError(
                f"the SavedModel gives only {agreeing} of {len(questions)} checked questions the answer in "
                f"{args.predictions}, expected at least {least}: one of the two is not made from {args.model}",
                run="dvc repro -f squad, then dvc repro export; should it fail again, the export itself is wrong",
            )
        work.metrics |= {
            "checked": len(questions),
            "agreeing": agreeing,
            "bytes": sum(p.stat().st_size for p in result.rglob("*") if p.is_file()),
        }
        work.publish({result: args.out})


if __name__ == "__main__":
    run(main)
