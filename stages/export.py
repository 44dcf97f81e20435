"""Export the fine-tuned question answerer as a SavedModel, and ask it all dev questions.

    dvc repro export

Reads   data/models/squad, data/predictions/squad, the questions of `squad.data`     params: precision, squad
        for the model card: dvc.lock, metrics/squad.json, metrics/provenance/squad.json
Writes  data/export/squad, metrics/export.json

The signature serving_default takes `question` and `context`, (B,) strings, and gives `answer`, its `start` and `end` in
code points of the context, and `score`; of SQuAD v2.0 also `null_odds`. The signature ids takes `input_ids`,
`input_mask` and `segment_ids`, (B, S) int32, and gives `start_logits` and `end_logits`. README.md is a model card.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.pipeline.files import read_json
from bert.pipeline.job import job, parser, run
from bert.pipeline.params import section
from bert.tasks.settings import SquadSettings
from bert.training.settings import PrecisionName


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--model", type=Path, required=True)
    p.add_argument("--predictions", type=Path, required=True)
    p.add_argument("--data", type=Path, required=True, help="folder of the questions")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--metrics", type=Path, required=True)
    args = p.parse_args(argv)
    settings, precision = section(SquadSettings, "squad"), section(PrecisionName, "precision")
    params = {"squad": settings, "precision": precision}
    with job("export", "stages.export", params, [args.model, args.predictions, args.data], args.metrics) as work:
        from bert.checkpoints.folder import load_model
        from bert.export.check_questions import check_questions
        from bert.export.question_answerer import export_question_answerer
        from bert.export.save import size_of
        from bert.model_card.card import write_card
        from bert.model_card.folders import question_answerer
        from bert.model_card.lineage import lineage
        from bert.tasks.squad.asking import Asker
        from bert.tasks.squad.data import evenly_spaced, read_squad

        result = work.folder / "saved_model"
        asker = Asker.load(args.model, settings, args.predictions)
        model = load_model(args.model, "dvc repro squad")
        export_question_answerer(model, settings, result, asker.null_threshold)
        questions = evenly_spaced(read_squad(args.data / settings.dev_file, settings.data)[0], settings.limit_dev)
        predicted = read_json(args.predictions / "predictions.json", "dvc repro squad")
        work.metrics |= check_questions(result, asker, questions, predicted, precision) | {"bytes": size_of(result)}
        write_card(result, question_answerer(settings), args.model.name, model.config, lineage(args.model))
        work.publish({result: args.out})


if __name__ == "__main__":
    run(main)
