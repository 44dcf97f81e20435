"""Code of a card that loads a folder in transformers and asks it something."""

from __future__ import annotations

from bert.model_card.card import Task

_START = """\
```python
import torch
from transformers import {loader}, AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(".")  # the folder of this file
model = {loader}.from_pretrained(".").eval()
inputs = tokenizer({texts}, truncation={truncation}, max_length={limit}, return_tensors="pt")
with torch.no_grad():
    found = model(**inputs)
"""
_LOADERS: dict[Task, str] = {
    "question-answering": "AutoModelForQuestionAnswering",
    "text-classification": "AutoModelForSequenceClassification",
    "fill-mask": "AutoModelForMaskedLM",
    "feature-extraction": "AutoModel",
}


def with_transformers(task: Task, is_pair: bool, is_regression: bool, max_length: int) -> str:
    """In Markdown. max_length: to which texts are cut, in tokens"""
    truncation = "True"
    if task == "question-answering":
        texts, truncation = '"Ada was born in which city in 1843?", "Ada was born in Oslo in 1843."', '"only_second"'
        shown = (
            "start, end = int(found.start_logits.argmax()), int(found.end_logits.argmax())\n"
            'print(tokenizer.decode(inputs["input_ids"][0, start : end + 1]))'
        )
    elif task == "text-classification":
        texts = '"It is cold.", "It is not warm."' if is_pair else '"It is cold."'
        shown = (
            "print(found.logits[0, 0].item())"
            if is_regression
            else "probabilities = found.logits[0].softmax(0)\n"
            "print(model.config.id2label[int(probabilities.argmax())], probabilities.tolist())"
        )
    elif task == "fill-mask":
        texts = '"Oslo is the [MASK] of Norway."'
        shown = (
            'place = inputs["input_ids"][0].tolist().index(tokenizer.mask_token_id)\n'
            "print(tokenizer.convert_ids_to_tokens(found.logits[0, place].topk(5).indices.tolist()))"
        )
    else:
        texts, shown = '"It is cold."', "print(found.last_hidden_state.shape)  # (texts, tokens, hidden size)"
    start = _START.format(loader=_LOADERS[task], texts=texts, truncation=truncation, limit=max_length)
    return f"{start}{shown}\n```"
