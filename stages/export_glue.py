"""Export the model of one task as a SavedModel, and ask it about all examples of the dev sets.

    dvc repro export_glue@mrpc

Reads   data/models/glue/<task>, data/predictions/glue/<task>, data/glue/<task>     params: precision, glue.<task>
        for the model card: dvc.lock, metrics/glue/<task>.json, metrics/provenance/glue/<task>.json
Writes  data/export/glue/<task>, metrics/export_glue/<task>.json

The signature serving_default takes `text`, of a task on pairs `text_a` and `text_b`, (B,) strings, and gives `label` as
the files of the task write it, and `probabilities` (B, L) in the order of the labels; of a regression `score`. The
signature ids takes `input_ids`, `input_mask` and `segment_ids`, (B, S) int32, and gives `logits` and `probabilities`.
README.md is a model card.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.pipeline.job import job, parser, run
from bert.pipeline.params import section
from bert.tasks.settings import FILE_KEYS, GlueTaskSettings
from bert.training.settings import PrecisionName


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--task", required=True)
    p.add_argument("--model", type=Path, required=True)
    p.add_argument("--predictions", type=Path, required=True)
    p.add_argument("--data", type=Path, required=True, help="folder of the task")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--metrics", type=Path, required=True)
    args = p.parse_args(argv)
    settings = section(GlueTaskSettings, f"glue.{args.task}", without=FILE_KEYS)
    precision = section(PrecisionName, "precision")
    stage, made_by = f"export_glue@{args.task}", f"dvc repro glue@{args.task}"
    params = {"task": settings, "precision": precision}
    with job(stage, "stages.export_glue", params, [args.model, args.predictions, args.data], args.metrics) as work:
        from bert.checkpoints.folder import load_model
        from bert.export.check_examples import check_examples, read_predictions
        from bert.export.classifier import export_classifier
        from bert.export.save import size_of
        from bert.model_card.card import write_card
        from bert.model_card.folders import classifier
        from bert.model_card.lineage import lineage
        from bert.tasks.glue.examples import read_examples, read_task

        data_by = f"dvc repro glue_data@{args.task}"
        task = read_task(args.data, data_by)
        result, model = work.folder / "saved_model", load_model(args.model, made_by)
        export_classifier(model, task, settings.max_seq_length, result)
        examples = {dev: read_examples(args.data, dev, data_by) for dev in task.devs}
        predicted = {dev: read_predictions(args.predictions / f"{dev}.tsv", made_by) for dev in task.devs}
        work.metrics |= check_examples(result, model, task, settings.max_seq_length, examples, predicted, precision)
        work.metrics["bytes"] = size_of(result)
        card = classifier(task, settings.max_seq_length)
        write_card(result, card, args.model.name, model.config, lineage(args.model))
        work.publish({result: args.out})


if __name__ == "__main__":
    run(main)
