"""Models with random weights, a vocabulary of letters, and texts that are hard to cut."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

from bert.checkpoints.folder import Model
from bert.model.config import BertConfig
from bert.model.parameters import classifier_shapes, squad_shapes
from bert.pipeline.code import ROOT
from bert.pipeline.params import load
from bert.tasks.glue.task import Task
from bert.tasks.settings import SquadSettings
from bert.tokens.vocabulary import SPECIAL_PIECES
from tests.model.reference import random_weights
from tests.stages.finetuning import CONFIG

LETTERS = "abcdefghijoses"
PIECES = list(dict.fromkeys([*SPECIAL_PIECES, "jose", *LETTERS, *(f"##{c}" for c in LETTERS), *",.!1234"]))
# Marks of one to four bytes, alone and behind others; characters that become several, or none; all sizes of UTF-8;
# tabs, spaces that do not break, Arabic.
AWKWARD = "aeo \u0301\u0300\u0489\u200d\u00ad\ufe0f\U000e0100\u0903\u0f71é\u1e69ǻ½ﬁßİ서\u1112울日😀𐍈"
AWKWARD += "\0\n\t\u00a0\u0085\u2028مرحبا\u064b,."
texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(AWKWARD), max_size=30)
LENGTH = CONFIG.max_position_embeddings


def write_vocabulary(folder: Path) -> Path:
    path = folder / "vocab.txt"
    path.write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    return path


def squad_settings(**changes: object) -> SquadSettings:
    """Those of params.yaml, for the small model."""
    small = {"max_seq_length": LENGTH, "doc_stride": 9, "max_query_length": 6, "max_answer_length": 5}
    return SquadSettings(**{**load(ROOT / "params.yaml")["squad"], **small, **changes})


def question_answering(vocab: Path, do_lower_case: bool = True, **config: object) -> Model:
    """With a head for spans."""
    described = BertConfig(**{**vars(CONFIG), "vocab_size": len(PIECES), **config})
    return Model(described, random_weights(squad_shapes(described), 3), vocab, do_lower_case)


def task_of(labels: tuple[str, ...], is_pair: bool) -> Task:
    """With these labels; without any, a regression."""
    return Task(name="letters", labels=labels, metrics=(), is_pair=is_pair, scale=None if labels else (-0.5, 0.5))


def classifying(vocab: Path, labels: int) -> Model:
    """With a head for so many labels; of a regression 1."""
    described = BertConfig(**{**vars(CONFIG), "vocab_size": len(PIECES)})
    return Model(described, random_weights(classifier_shapes(described, labels), 4), vocab)
