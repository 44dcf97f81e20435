"""The `squad` and `glue.<task>` sections of params.yaml. No value has a default here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BeforeValidator, Field, FiniteFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from bert.inference.settings import EngineName
from bert.pipeline.params import Section
from bert.training.settings import ComputeSettings, TrainingSettings

Share = Annotated[float, Field(ge=0, le=1)]
INIT_STAGES = {
    "phase1": "pretrain_phase1",
    "phase2": "pretrain_phase2",
    "imported": "import_checkpoint",
    "random": "random_weights",
}
"""{folder of data/models that fine-tuning may start from: the stage that makes it}"""
OF_THE_DAG = ("controls", "random_like")
"""Keys of `finetune` that only dvc.yaml reads: beside which other models, and in whose shape the random one is."""
FILE_KEYS = (
    *("train_file", "dev_file", "test_file", "format", "text", "label"),
    *("kind", "labels", "scale", "metrics"),
)
"""Keys of `glue.<task>` that only the stage glue_data reads: what the files of a task of one's own are."""
Control = Literal["phase1", "phase2", "imported", "random"]
"""`finetune.controls`: what the same fine-tuning starts from too, to show what `finetune.init` is worth."""


def _as_text(value: Any) -> Any:
    """Numbers as versions are written: to YAML, 1.1 and 2.0 are numbers."""
    return str(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else value


class TaskSettings(Section):
    """What fine-tuning on any task needs.

    Attributes:
        epochs: may be a fraction
        batch_size: of all ranks and micro-batches together
        warmup_proportion: of all steps
        reinit_layers: so many layers from the top, and the pooler, start anew (Zhang et al. 2021, "Revisiting
            Few-sample BERT Fine-tuning", section 5); 0 keeps all that was pretrained
    """

    max_seq_length: PositiveInt
    epochs: PositiveFloat
    batch_size: PositiveInt
    learning_rate: PositiveFloat
    warmup_proportion: Share
    reinit_layers: NonNegativeInt


class SquadSettings(TaskSettings):
    """`squad`.

    Attributes:
        data: cloze, the questions made from the corpus; download, the files of `download@squad`
        train_file, dev_file: names in that folder
        version: whose rules: 1.1, every question has its answer in the context; 2.0, some have none; auto, 2.0 where
            the files have such questions
        null_score_diff_threshold: of 2.0; the empty answer is given where its logits, those at [CLS], sum to more than
            the best span's by over this much; null searches the value that gives the dev questions the best F1
        limit_train, limit_dev: so many questions, evenly spaced; null takes all
    """

    data: Literal["cloze", "download"]
    train_file: str
    dev_file: str
    version: Annotated[Literal["auto", "1.1", "2.0"], BeforeValidator(_as_text)]
    null_score_diff_threshold: FiniteFloat | None
    limit_train: PositiveInt | None
    limit_dev: PositiveInt | None
    doc_stride: PositiveInt
    max_query_length: PositiveInt
    n_best_size: PositiveInt
    max_answer_length: PositiveInt
    predict_batch_size: PositiveInt

    @model_validator(mode="after")
    def _window_has_room(self) -> SquadSettings:
        # [CLS] question [SEP] context [SEP], with at least one token of context.
        needed = self.max_query_length + 4
        if self.max_seq_length < needed:
            raise ValueError(
                f"max_seq_length is {self.max_seq_length}; max_query_length {self.max_query_length}, 3 special tokens "
                f"and some context need at least {needed}"
            )
        return self


class GlueTaskSettings(TaskSettings):
    """`glue.<task>`, without FILE_KEYS."""


class FinetuneSettings(TrainingSettings):
    """`finetune`: what all tasks share.

    Attributes:
        init: which model of data/models to start from
        group_by_length: batches are of rows of like length, and cut to it (bert/tasks/length_buckets.py); false: of
            random rows of max_seq_length
    """

    init: Literal["phase1", "phase2", "imported"]
    group_by_length: bool


T_co = TypeVar("T_co", bound=TaskSettings, covariant=True)


@dataclass(frozen=True)
class FinetuneParams(Generic[T_co]):
    """All that params.yaml says of a task's fine-tuning.

    section: where the task's own settings stand, for messages. Example: glue.mrpc
    engine: what computes the predictions
    """

    section: str
    task: T_co
    shared: FinetuneSettings
    compute: ComputeSettings
    seed: int
    engine: EngineName
