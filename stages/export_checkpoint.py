"""Not a stage: write a model folder as somebody else's checkpoint.

python -m stages.export_checkpoint --model data/models/phase2 --out FOLDER --format hugging_face
python -m stages.export_checkpoint --model data/models/phase2 --out FOLDER --format tensorflow

hugging_face   config.json, model.safetensors, vocab.txt, tokenizer_config.json: loads in transformers as
               BertForPreTraining, BertForQuestionAnswering, BertForSequenceClassification or, without a head, BertModel
tensorflow     bert_model.ckpt.index and its data, bert_config.json, vocab.txt, tokenizer_config.json:
               TensorFlow 1 with Google's names

All heads that the model has go with it, in float32. stages.import_checkpoint reads either back, bit for bit.
A classifier's classes keep the names that its task's files have (data/glue/<task>), unless --labels gives others.
README.md is a model card: data and their licences, parameters, commit and scores, as far as dvc.lock and metrics/ have
them. The commit of a training is in metrics/provenance: `dvc pull squad`, `dvc pull glue@mrpc` bring the record with
the model; without it the card cannot name the commit.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from pathlib import Path

from bert.pipeline.errors import StageError, disk_full_as_error
from bert.pipeline.job import parser, run

log = logging.getLogger(__name__)

FORMATS = ("hugging_face", "tensorflow")
_STAGES = {"phase1": "pretrain_phase1", "phase2": "pretrain_phase2", "imported": "import_checkpoint"}


def _made_by(model: Path) -> str:
    """The command that makes a model folder."""
    task = f"glue@{model.name}" if model.parent.name == "glue" else model.name
    return f"dvc repro {_STAGES.get(model.name, task)}"


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--model", type=Path, required=True, help="a folder of data/models")
    p.add_argument("--out", type=Path, required=True, help="a new folder")
    p.add_argument("--format", required=True, choices=FORMATS)
    p.add_argument("--labels", nargs="+", default=[], help="other names of a classifier's classes, in order")
    args = p.parse_args(argv)
    out: Path = args.out.absolute()
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise StageError(
            f"{out}: is there already, expected a new or an empty folder", run="the same with another --out"
        )
    # Here, since importing TensorFlow takes longer than to see that the arguments are wrong.
    from bert.checkpoints.exporters import FORMATS as WRITERS
    from bert.checkpoints.exporters import exported
    from bert.checkpoints.folder import load_model
    from bert.checkpoints.heads import CLASSES
    from bert.model_card.card import write_card
    from bert.model_card.classes import task_of
    from bert.model_card.folders import checkpoint
    from bert.model_card.lineage import lineage

    made_by = _made_by(args.model)
    model = load_model(args.model, made_by, "another --model")
    steps = lineage(args.model)
    learned = task_of(steps)
    labels = args.labels or ([] if learned is None else list(learned.labels))
    what = exported(model, made_by, labels)
    unnamed = CLASSES in what.heads and not labels and not (learned is not None and learned.is_regression)
    if unnamed and args.format == "hugging_face":
        log.warning(
            "%s: the names of its %d classes are not known here, config.json says %s. Next: the same with --labels%s",
            args.model,
            len(what.labels),
            ", ".join(what.labels),
            f", or after dvc pull data/glue/{args.model.name}" if steps else "",
        )
    unfinished = out.with_name(f"{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    with disk_full_as_error(out.parent):
        unfinished.mkdir(parents=True)
        try:
            WRITERS[args.format](unfinished, what)
            card = checkpoint(args.format == "hugging_face", model.config, what.heads, steps, labels)
            write_card(unfinished, card, args.model.name, model.config, steps)
            unfinished.rename(out)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


if __name__ == "__main__":
    run(main)
