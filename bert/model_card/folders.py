"""The kinds of folders that are given away, and how each is used."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bert.checkpoints.heads import CLASSES, MASKED_LM, SPANS
from bert.model.config import BertConfig
from bert.model_card.asking import with_transformers
from bert.model_card.card import Folder, Task
from bert.model_card.classes import in_words, task_of
from bert.model_card.lineage import Step
from bert.tasks.glue import task as glue
from bert.tasks.settings import SquadSettings

_LOAD = """\
```python
import tensorflow as tf
import tensorflow_text  # the tokenizer's operations

model = tf.saved_model.load(".")  # the folder of this file
"""
_ANSWERS = "answers questions from a text, in the words of the text"


def question_answerer(settings: SquadSettings) -> Folder:
    """A SavedModel, strings in, answer out."""
    return Folder(
        "question-answering",
        None,
        ("tensorflow", "saved-model"),
        _ANSWERS,
        f"Text of any length is read in windows of {settings.max_seq_length} tokens, each with the question in it and "
        f"{settings.doc_stride} tokens after the one before; a question is cut to {settings.max_query_length} tokens.",
        _LOAD
        + """\
context = "Ada was born in Oslo in 1843."
questions = ["Ada was born in which city in 1843?", "In which year was Ada born?"]
serve = model.signatures["serving_default"]
found = serve(question=tf.constant(questions), context=tf.constant([context] * 2))
print([answer.decode() for answer in found["answer"].numpy()], found["start"].numpy(), found["end"].numpy())
```

`start` and `end` are code points of the context. An empty answer with 0 and 0 is none.""",
    )


def classifier(task: glue.Task, max_seq_length: int) -> Folder:
    """A SavedModel, text or pair in, label or number out."""
    texts = (
        'text_a=tf.constant(["It is cold."]), text_b=tf.constant(["It is not warm."])'
        if task.is_pair
        else 'text=tf.constant(["It is cold."])'
    )
    shown = 'found["score"].numpy()' if task.is_regression else 'found["label"].numpy(), found["probabilities"].numpy()'
    return Folder(
        "text-classification",
        None,
        ("tensorflow", "saved-model"),
        in_words(task, task.labels),
        f"Longer {_unit(task)} are cut to {max_seq_length} tokens.",
        f'{_LOAD}found = model.signatures["serving_default"]({texts})\nprint({shown})\n```',
    )


def checkpoint(
    hugging_face: bool, config: BertConfig, heads: Collection[str], steps: Sequence[Step], labels: Sequence[str]
) -> Folder:
    """A folder of weights, by the heads that it has. labels: names of a classifier's classes, [] if not known"""
    learned = task_of(steps)
    task: Task
    if SPANS in heads:
        task, does = "question-answering", _ANSWERS
    elif CLASSES in heads:
        task, does = "text-classification", in_words(learned, labels)
    elif MASKED_LM in heads:
        task, does = "fill-mask", "gives the words that are masked in a text"
    else:
        task, does = "feature-extraction", "gives features of a text and of its tokens"
    trained = _trained_length(steps)
    length = f"It takes at most {config.max_position_embeddings} tokens"
    if trained is not None:
        unit = "windows of at most" if SPANS in heads else f"{_unit(learned)} cut to"
        length += f", and was fine-tuned on {unit} {trained}"
    if not hugging_face:
        use = "`bert_model.ckpt`, `bert_config.json` and `vocab.txt` are TensorFlow 1's, by the names of Google's BERT."
        return Folder(task, None, ("tensorflow",), does, f"{length}.", use)
    is_pair, is_regression = (learned.is_pair, learned.is_regression) if learned is not None else (False, False)
    use = with_transformers(task, is_pair, is_regression, trained or config.max_position_embeddings)
    return Folder(task, "transformers", ("safetensors",), does, f"{length}.", use)


def _trained_length(steps: Sequence[Step]) -> int | None:
    """max_seq_length of the fine-tuning that is the nearest step; None of any other."""
    stage, _, name = steps[0].stage.partition("@") if steps else ("", "", "")
    settings = steps[0].params.get(f"glue.{name}" if stage == "glue" else stage, {}) if steps else {}
    found = settings.get("max_seq_length") if isinstance(settings, dict) else None
    return None if found is None else int(found)


def _unit(task: glue.Task | None) -> str:
    return "pairs" if task is not None and task.is_pair else "texts"
