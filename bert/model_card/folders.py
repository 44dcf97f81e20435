"""The kinds of folders that are given away, and how each is used."""

from __future__ import annotations

from collections.abc import Collection

from bert.checkpoints.heads import CLASSES, MASKED_LM, SPANS
from bert.model_card.card import Folder, Task

_LOAD = """\
```python
import tensorflow as tf
import tensorflow_text  # the tokenizer's operations

model = tf.saved_model.load(".")  # the folder of this file
"""


def question_answerer() -> Folder:
    """A SavedModel, strings in, answer out."""
    return Folder(
        "question-answering",
        None,
        ("tensorflow", "saved-model"),
        _LOAD
        + """\
context = "Ada was born in Oslo in 1843."
serve = model.signatures["serving_default"]
found = serve(question=tf.constant(["Where was Ada born?"]), context=tf.constant([context]))
print(found["answer"].numpy()[0].decode(), found["start"].numpy()[0], found["end"].numpy()[0])
```

`start` and `end` are code points of the context. An empty answer with 0 and 0 is none.""",
    )


def classifier(is_pair: bool, is_regression: bool) -> Folder:
    """A SavedModel, text or pair in, label or number out."""
    texts = (
        'text_a=tf.constant(["It is cold."]), text_b=tf.constant(["It is not warm."])'
        if is_pair
        else 'text=tf.constant(["It is cold."])'
    )
    shown = 'found["score"].numpy()' if is_regression else 'found["label"].numpy(), found["probabilities"].numpy()'
    return Folder(
        "text-classification",
        None,
        ("tensorflow", "saved-model"),
        f'{_LOAD}found = model.signatures["serving_default"]({texts})\nprint({shown})\n```',
    )


def checkpoint(hugging_face: bool, heads: Collection[str]) -> Folder:
    """A folder of weights, by the heads that it has."""
    tasks: dict[str, tuple[Task, str]] = {
        SPANS: ("question-answering", "AutoModelForQuestionAnswering"),
        CLASSES: ("text-classification", "AutoModelForSequenceClassification"),
        MASKED_LM: ("fill-mask", "AutoModelForMaskedLM"),
    }
    task, loader = next((found for head, found in tasks.items() if head in heads), ("feature-extraction", "AutoModel"))
    if not hugging_face:
        use = "`bert_model.ckpt`, `bert_config.json` and `vocab.txt` are TensorFlow 1's, by the names of Google's BERT."
        return Folder(task, None, ("tensorflow",), use)
    return Folder(
        task,
        "transformers",
        ("safetensors",),
        f"""\
```python
from transformers import AutoTokenizer, {loader}

tokenizer = AutoTokenizer.from_pretrained(".")  # the folder of this file
model = {loader}.from_pretrained(".")
```""",
    )
