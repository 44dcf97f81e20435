"""Folders of documents -> the question-answering and the paraphrase set, and their metrics."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

from bert.cloze.draws import position
from bert.cloze.paraphrases.mrpc import Row, make_rows, write_tsv
from bert.cloze.paraphrases.overlap import best_threshold_accuracy
from bert.cloze.questions.answers import KINDS
from bert.cloze.questions.squad import Question, make_questions, write_squad
from bert.cloze.selection import Selection
from bert.cloze.settings import ClozeSettings
from bert.cloze.texts import MADE_BY, Text, count_documents, read_folders
from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from bert.pipeline.watched import Watch, unwatched

log = logging.getLogger(__name__)

SETS = ("squad", "glue")
SPLITS = ("train", "dev")
T = TypeVar("T")


class _Set(Generic[T]):
    """One of the two sets while it grows: a selection per split."""

    def __init__(self, make: Callable[[Text], tuple[list[T], Counter[str]]], limits: dict[str, int]) -> None:
        self._make = make
        self._selected: dict[str, Selection[T]] = {split: Selection(limits[split]) for split in SPLITS}

    def offer(self, text: Text, split: str, rank: float) -> None:
        selection = self._selected[split]
        if selection.wants(rank, text.id):  # a text that is in the corpus twice has one id
            selection.add(rank, text.id, *self._make(text))

    def finish(self, source: Callable[[T], str]) -> tuple[dict[str, list[T]], dict[str, Counter[str]]]:
        """Items and drops by split. A dev item whose `source` is one of train's goes: texts are quoted and repeated."""
        items = {split: [item for _, found in self._selected[split] for item in found] for split in SPLITS}
        dropped = {split: self._selected[split].dropped() for split in SPLITS}
        seen = {source(item) for item in items["train"]}
        new = [item for item in items["dev"] if source(item) not in seen]
        if len(new) < len(items["dev"]):
            dropped["dev"]["sentence is in train too"] = len(items["dev"]) - len(new)
        return {**items, "dev": new}, dropped


def make_cloze(
    folders: Sequence[Path], settings: ClozeSettings, seed: int, out: Path, watch: Watch = unwatched
) -> dict[str, Any]:
    """Write `squad/{train,dev}-v1.1.json` and `glue/MRPC/{train,dev}.tsv`, with manifests, into `out`.

    A document is in train or in dev by a hash of its id, never in both. Returns the metrics.

    Raises:
        StageError: no documents, or one of the four files would be empty.
    """
    of_questions, of_pairs = settings.questions, settings.paraphrases
    questions = _Set(
        lambda text: make_questions(text, of_questions), {"train": of_questions.max_train, "dev": of_questions.max_dev}
    )
    rows = _Set(lambda text: make_rows(text, of_pairs), {"train": of_pairs.max_train, "dev": of_pairs.max_dev})
    documents: Counter[str] = Counter()
    for document in watch(read_folders(folders), "cloze", count_documents(folders), "documents"):
        split = "dev" if position("split", document.id) < settings.dev_share else "train"
        rank, text = position("rank", document.id), Text(document, seed)
        questions.offer(text, split, rank)
        rows.offer(text, split, rank)
        documents[split] += 1
    all_questions, questions_dropped = questions.finish(lambda question: question.question)
    all_rows, rows_dropped = rows.finish(lambda row: row.pair.source)
    _check(documents, {"questions": all_questions, "paraphrase pairs": all_rows}, settings.dev_share)

    # A manifest in each: the two folders are outs of their own, so that a change of one leaves the other's users valid.
    files = {
        "squad": [_write(out / "squad", f"{split}-v1.1.json", write_squad, all_questions[split]) for split in SPLITS],
        "glue": [_write(out / "glue", f"MRPC/{split}.tsv", write_tsv, all_rows[split]) for split in SPLITS],
    }
    for folder, entries in files.items():
        manifest.write(out / folder, entries)
    return {
        "documents": {split: documents[split] for split in SPLITS},
        "questions": {split: _about_questions(all_questions[split], questions_dropped[split]) for split in SPLITS},
        "paraphrases": {split: _about_rows(all_rows[split], rows_dropped[split]) for split in SPLITS},
    }


def _write(folder: Path, name: str, write: Callable[[Path, list[T]], None], items: list[T]) -> dict[str, Any]:
    write(folder / name, items)
    return {"path": name, "count": len(items)}


def _check(documents: Counter[str], sets: dict[str, dict[str, list[Any]]], dev_share: float) -> None:
    if documents.total() < 2:
        raise StageError(
            f"the cloze set needs at least 2 documents, one for train and one for dev, but there are "
            f"{documents.total()}",
            run=f"add sources to download.wikipedia, download.books or download.text, then {MADE_BY}",
        )
    for name, items in sets.items():
        for split in SPLITS:
            if not items[split]:
                raise StageError(
                    f"no {split} {name} came out of {documents[split]} {split} documents ({documents.total()} in all, "
                    f"cloze.dev_share is {dev_share})",
                    run="add documents, or change cloze.dev_share in params.yaml, then dvc repro cloze",
                )


def _about_questions(questions: list[Question], dropped: Counter[str]) -> dict[str, Any]:
    kinds = Counter(question.answer_type for question in questions)
    return {
        "count": len(questions),
        "contexts": len({question.context for question in questions}),
        "answer_types": {kind: kinds[kind] for kind in KINDS},
        "dropped": _sorted(dropped),
    }


def _about_rows(rows: list[Row], dropped: Counter[str]) -> dict[str, Any]:
    labels = [row.pair.label for row in rows]
    overlaps = [row.pair.version.overlap for row in rows]
    paraphrases = sum(labels) / len(labels)
    return {
        "count": len(rows),
        "share_of_paraphrases": round(paraphrases, 4),
        "majority_accuracy": round(max(paraphrases, 1 - paraphrases), 4),
        # Near the majority's, or the set could be solved by counting shared words.
        "best_overlap_threshold_accuracy": round(best_threshold_accuracy(overlaps, labels), 4),
        "mean_overlap": round(sum(overlaps) / len(overlaps), 4),
        "rewritings": _sorted(Counter(kind for row in rows for kind in row.pair.version.kinds)),
        "distortions": _sorted(Counter(kind for row in rows for kind in row.pair.version.distortions)),
        "dropped": _sorted(dropped),
    }


def _sorted(counts: Iterable[str] | Counter[str]) -> dict[str, int]:
    return {name: n for name, n in sorted(Counter(counts).items()) if n}
