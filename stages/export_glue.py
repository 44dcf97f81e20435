"""Export the model of one GLUE task as a SavedModel, and ask it about all examples of the dev sets.

Reads   data/models/glue/<task>, data/predictions/glue/<task>, the data of `glue.data`
        params: precision, glue.data, glue.<task>
Writes  data/export/glue/<task>, metrics/export_glue/<task>.json

The signature serving_default takes `text`, of a task on pairs `text_a` and `text_b`, (B,) strings, and gives `label` as
the files of the task write it, and `probabilities` (B, L) in the order of the labels; of a regression `score`. The
signature ids takes `input_ids`, `input_mask` and `segment_ids`, (B, S) int32, and gives `logits` and `probabilities`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.pipeline.job import job, parser, run
from bert.pipeline.params import section
from bert.tasks.glue.data import Source
from bert.tasks.glue.tasks import TASKS
from bert.tasks.settings import GlueTaskSettings
from bert.training.settings import PrecisionName


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--task", required=True, choices=TASKS)
    p.add_argument("--model", type=Path, required=True)
    p.add_argument("--predictions", type=Path, required=True)
    p.add_argument("--data", type=Path, required=True, help="folder of the GLUE tasks")
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--metrics", type=Path, required=True)
    args = p.parse_args(argv)
    task, source = TASKS[args.task], section(Source, "glue.data")
    settings, precision = section(GlueTaskSettings, f"glue.{task.name}"), section(PrecisionName, "precision")
    stage, made_by = f"export_glue@{task.name}", f"dvc repro glue@{task.name}"
    params = {"task": settings, "source": source, "precision": precision}
    with job(stage, "stages.export_glue", params, [args.model, args.predictions, args.data], args.metrics) as work:
        from bert.checkpoints.folder import load_model
        from bert.export.check_examples import check_examples, read_predictions
        from bert.export.classifier import export_classifier
        from bert.export.save import size_of
        from bert.tasks.glue.data import read_glue

        result, model = work.folder / "saved_model", load_model(args.model, made_by)
        export_classifier(model, task.labels, task.is_pair, settings.max_seq_length, result)
        examples = {dev: read_glue(args.data, task, dev, source)[0] for dev in task.devs}
        predicted = {dev: read_predictions(args.predictions / f"{dev}.tsv", made_by) for dev in task.devs}
        work.metrics |= check_examples(
            result, model, task.labels, settings.max_seq_length, examples, predicted, precision, task.name
        )
        work.metrics["bytes"] = size_of(result)
        work.publish({result: args.out})


if __name__ == "__main__":
    run(main)
