"""The same fine-tuning by transformers: the same weights, rows, batches, rates and updates as a stage of ours.

    python -m benchmarks.transformers_finetuning write --section squad --init data/models/imported \
        --data data/download/squad --out FOLDER
    python -m benchmarks.transformers_finetuning train FOLDER
    python -m benchmarks.transformers_finetuning answer FOLDER --data data/download/squad
    python -m stages.score_squad data/download/squad/dev-v1.1.json FOLDER/predictions.json

`write` reads params.yaml, as the stage does, and leaves in FOLDER the model with its new head in Hugging Face's format,
the rows, and the number of each row in each batch. `train` needs torch and transformers, and nothing of this project
but this file; it runs on a GPU where torch sees one, in float32, and prints the score of a classifier. `answer` turns
its logits into predictions by the stage's own rules, so that what differs is the training and the forward pass.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

FEATURES = {"input_ids": "input_ids", "input_mask": "attention_mask", "segment_ids": "token_type_ids"}
"""{ours: transformers'}"""
PREDICT_ROWS = 64
Arrays = dict[str, Any]


def write(section_name: str, init: Path, data: Path, out: Path) -> None:
    """Leave start/, rows.npz and settings.json in `out`.

    Args:
        section_name: of params.yaml: squad, or glue.<task>.
        init: model folder to start from.
        data: folder of the questions, or of the GLUE tasks.
    """
    from bert.checkpoints.exporters import exported, write_hugging_face
    from bert.checkpoints.folder import Model, load_model
    from bert.model.parameters import classifier_shapes, make_parameters, squad_shapes
    from bert.pipeline.params import section
    from bert.tasks.glue.tasks import TASKS
    from bert.tasks.length_buckets import LengthGroups
    from bert.tasks.settings import OF_THE_DAG, FinetuneSettings, GlueTaskSettings, SquadSettings
    from bert.tasks.squad.run import to_arrays
    from bert.training.batches import array_batches
    from bert.training.world import World, split_batch

    shared, seed = section(FinetuneSettings, "finetune", without=OF_THE_DAG), section(int, "seed")
    start = load_model(init, f"dvc repro {init.name}")
    settings: SquadSettings | GlueTaskSettings
    if section_name == "squad":
        settings = section(SquadSettings, "squad")
        train, dev = (to_arrays(_windows(data, settings, start, which)[1]) for which in ("train", "dev"))
        shapes, head = squad_shapes(start.config), "BertForQuestionAnswering"
    else:
        task, settings = TASKS[section_name.partition(".")[2]], section(GlueTaskSettings, section_name)
        if task.is_regression:
            raise SystemExit(f"{section_name}: only tasks with classes are compared")
        train, dev = (_pairs(data, task, settings, start, which) for which in ("train", task.devs[0]))
        shapes, head = classifier_shapes(start.config, len(task.labels)), "BertForSequenceClassification"
    steps = max(1, round(len(train["input_ids"]) * settings.epochs / settings.batch_size))
    numbers = {"number": np.arange(len(train["input_ids"]), dtype=np.int32)}
    split = split_batch("peer", "batch_size", settings.batch_size, 1)
    groups = LengthGroups.of(train["input_mask"], steps) if shared.group_by_length else None
    order = [batch["number"].numpy() for batch in array_batches(numbers, seed, 0, steps, split, World(), groups)]
    encoder = {name: w for name, w in start.weights.items() if name.startswith("bert/")}
    weights = {name: p.numpy() for name, p in make_parameters(shapes, start.config, seed, encoder).items()}
    (out / "start").mkdir(parents=True)
    config = start.config.with_dropout(shared.dropout, shared.attention_dropout)
    model = Model(config, weights, start.vocab, start.do_lower_case)
    write_hugging_face(out / "start", exported(model, "this script"))
    small = {f"train_{n}": _small(a) for n, a in train.items()} | {f"dev_{n}": _small(a) for n, a in dev.items()}
    np.savez_compressed(out / "rows.npz", allow_pickle=False, order=np.stack(order), **small)
    described = {
        "head": head,
        "steps": steps,
        "warmup": round(settings.warmup_proportion * steps),
        "learning_rate": settings.learning_rate,
        "optimizer": shared.optimizer.model_dump(mode="json"),
    }
    (out / "settings.json").write_text(json.dumps(described, indent=1) + "\n")


def _small(array: np.ndarray) -> np.ndarray:
    return array.astype(np.uint16 if array.size and array.min() >= 0 and array.max() < 65536 else np.int32)


def _windows(data: Path, settings: Any, start: Any, which: str) -> tuple[Any, Any]:
    """Questions and their windows."""
    from bert.tasks.squad.data import evenly_spaced, read_squad
    from bert.tasks.squad.features import make_windows

    file, limit = getattr(settings, f"{which}_file"), getattr(settings, f"limit_{which}")
    questions = evenly_spaced(read_squad(data / file, settings.data)[0], limit)
    windows = make_windows(
        questions,
        start.tokenizer(),
        max_seq_length=settings.max_seq_length,
        doc_stride=settings.doc_stride,
        max_query_length=settings.max_query_length,
    )
    return questions, windows


def _pairs(data: Path, task: Any, settings: Any, start: Any, which: Any) -> Arrays:
    from bert.tasks.glue.data import read_glue
    from bert.tasks.glue.features import make_rows
    from bert.tasks.glue.run import to_arrays

    examples, _ = read_glue(data, task, which, "download")
    return to_arrays(make_rows(examples, start.tokenizer(), max_seq_length=settings.max_seq_length))


def rate(step: int, peak: float, warmup: int, steps: int) -> float:
    """As bert/optim/schedule.py, with a decay to 0 that is linear from the end of the warm-up."""
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * (1 - (step - warmup) / max(1, steps - warmup))


def _groups(model: Any, weight_decay: float) -> list[dict[str, Any]]:
    """torch's groups of parameters: LayerNorm and biases are not decayed."""
    plain = [p for name, p in model.named_parameters() if "LayerNorm" in name or name.endswith("bias")]
    decayed = [p for name, p in model.named_parameters() if "LayerNorm" not in name and not name.endswith("bias")]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]


def fine_tune(model: Any, rows: Arrays, order: Any, settings: Mapping[str, Any], device: str) -> float:
    """Train a transformers model in place; the mean loss of the last tenth of the steps.

    Args:
        rows: {feature: (N, S) or (N,)} torch tensors on the device, int64.
        order: (steps, batch) numbers of rows.
    """
    import torch
    from torch.nn.functional import cross_entropy

    wanted = settings["optimizer"]
    optimizer = torch.optim.AdamW(
        _groups(model, wanted["weight_decay"]), betas=(wanted["beta1"], wanted["beta2"]), eps=wanted["epsilon"]
    )
    losses = []
    for step, numbers in enumerate(order):
        chosen = torch.as_tensor(np.asarray(numbers, np.int64), device=device)
        found = model(**{theirs: rows[ours][chosen] for ours, theirs in FEATURES.items()})
        if "labels" in rows:
            loss = cross_entropy(found.logits, rows["labels"][chosen])
        else:
            ends = (found.start_logits, "start_positions"), (found.end_logits, "end_positions")
            loss = sum(cross_entropy(logits, rows[name][chosen]) for logits, name in ends) / 2
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), wanted["clip_norm"])
        for group in optimizer.param_groups:
            group["lr"] = rate(step, settings["learning_rate"], settings["warmup"], settings["steps"])
        optimizer.step()
        losses.append(loss.detach())
    return float(torch.stack(losses[-max(1, len(losses) // 10) :]).mean())


def predict(model: Any, rows: Arrays) -> np.ndarray:
    """Logits of all rows: (N, 2, S) of spans, (N, L) of classes; float32."""
    import torch

    def batches() -> Iterator[Any]:
        for first in range(0, len(rows["input_ids"]), PREDICT_ROWS):
            part = slice(first, first + PREDICT_ROWS)
            found = model(**{theirs: rows[ours][part] for ours, theirs in FEATURES.items()})
            of_spans = "start_logits" in found
            yield torch.stack([found.start_logits, found.end_logits], 1) if of_spans else found.logits

    with torch.no_grad():
        logits: np.ndarray = torch.cat([batch.float().cpu() for batch in batches()]).numpy()
    return logits


def load_rows(folder: Path, which: str, device: str) -> Arrays:
    """{feature: torch tensor, int64} of the rows to train on, or of dev."""
    import torch

    with np.load(folder / "rows.npz") as stored:
        names = [name for name in stored.files if name.startswith(f"{which}_")]
        return {n.removeprefix(f"{which}_"): torch.as_tensor(stored[n].astype(np.int64), device=device) for n in names}


def train(folder: Path) -> None:
    """Leave logits.npy in the folder, (N, 2, S) or (N, L) float16: of spans and classes that decides no answer."""
    import torch
    import transformers

    device = "cuda" if torch.cuda.is_available() else "cpu"
    settings = json.loads((folder / "settings.json").read_text())
    model = getattr(transformers, settings["head"]).from_pretrained(folder / "start", dtype=torch.float32).to(device)
    model.train()
    order = np.load(folder / "rows.npz")["order"]
    loss = fine_tune(model, load_rows(folder, "train", device), order, settings, device)
    model.eval()
    dev = load_rows(folder, "dev", device)
    logits = predict(model, dev)
    np.save(folder / "logits.npy", logits)
    figures: dict[str, Any] = {"device": device, "steps": len(order), "train_loss": round(loss, 4)}
    if "labels" in dev:
        figures["accuracy"] = round(100 * float((logits.argmax(-1) == dev["labels"].cpu().numpy()).mean()), 2)
    print(json.dumps(figures))


def answer(folder: Path, data: Path, init: Path) -> None:
    """logits.npy -> predictions.json of SQuAD v1.1."""
    from bert.checkpoints.folder import load_model
    from bert.pipeline.params import section
    from bert.tasks.settings import SquadSettings
    from bert.tasks.squad.postprocessing import postprocess

    settings = section(SquadSettings, "squad")
    questions, windows = _windows(data, settings, load_model(init, f"dvc repro {init.name}"), "dev")
    logits = np.load(folder / "logits.npy").astype(np.float32)
    postprocess(questions, windows, logits, settings, "1.1").write(folder)


def main(argv: Sequence[str] | None = None) -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = p.add_subparsers(dest="command", required=True)
    of_write = commands.add_parser("write", help="the model and the rows, for transformers")
    of_write.add_argument("--section", default="squad", help="of params.yaml: squad (default), glue.mrpc, ...")
    of_write.add_argument("--out", type=Path, required=True, help="a new folder")
    of_train = commands.add_parser("train", help="fine-tune and predict, by torch and transformers")
    of_train.add_argument("folder", type=Path)
    of_answer = commands.add_parser("answer", help="predictions of SQuAD from the logits")
    of_answer.add_argument("folder", type=Path)
    for command in (of_write, of_answer):
        command.add_argument("--init", type=Path, required=True, help="model folder that the stage starts from")
        command.add_argument("--data", type=Path, required=True, help="folder that the stage reads")
    args = p.parse_args(argv)
    if args.command == "write":
        write(args.section, args.init, args.data, args.out)
    elif args.command == "train":
        train(args.folder)
    else:
        answer(args.folder, args.data, args.init)


if __name__ == "__main__":
    main()
