"""Not a stage: write a model folder as somebody else's checkpoint.

python -m stages.export_checkpoint --model data/models/phase2 --out FOLDER --format hugging_face
python -m stages.export_checkpoint --model data/models/phase2 --out FOLDER --format tensorflow

hugging_face   config.json, model.safetensors, vocab.txt, tokenizer_config.json: loads in transformers as
               BertForPreTraining, BertForQuestionAnswering, BertForSequenceClassification or, without a head, BertModel
tensorflow     bert_model.ckpt.index and its data, bert_config.json, vocab.txt: TensorFlow 1 with Google's names

All heads that the model has go with it, in float32. stages.import_checkpoint reads either back, bit for bit.
README.md is a model card: data and their licences, parameters, commit and scores, as far as dvc.lock and metrics/ have
them. The commit of a training is in metrics/provenance: `dvc pull squad` brings the record with the model (or another
stage, as of `dvc stage list`); without it the card cannot name the commit.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from bert.pipeline.errors import StageError, disk_full_as_error
from bert.pipeline.job import parser, run

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
    p.add_argument("--labels", nargs="+", default=[], help="names of a classifier's classes, in their order")
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
    from bert.model_card.card import write_card
    from bert.model_card.folders import checkpoint

    made_by = _made_by(args.model)
    what = exported(load_model(args.model, made_by, "another --model"), made_by, args.labels)
    unfinished = out.with_name(f"{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    with disk_full_as_error(out.parent):
        unfinished.mkdir(parents=True)
        try:
            WRITERS[args.format](unfinished, what)
            card = checkpoint(args.format == "hugging_face", what.heads)
            write_card(unfinished, card, args.model, what.model.config)
            unfinished.rename(out)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


if __name__ == "__main__":
    run(main)
