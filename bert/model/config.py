"""bert_config.json: the shape of a model, with Google's keys."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from bert.pipeline.errors import StageError
from bert.pipeline.params import Section

Positive = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(ge=0, lt=1)]
MODELS = ("tiny", "mini", "small", "medium", "base", "large")
CONFIG_FILE = "bert_config.json"
Activation = Literal["gelu", "gelu_erf", "relu"]


class BertConfig(Section):
    """As in google-research/bert, whose code has the two values that its files don't say.

    hidden_act: gelu is the tanh approximation, as there. Hugging Face's files call that gelu_new or gelu_pytorch_tanh,
        and gelu what is gelu_erf here: bert/checkpoints/configurations.py translates.
    layer_norm_eps: Hugging Face's key; 1e-12 there.
    """

    vocab_size: Positive
    hidden_size: Positive
    num_hidden_layers: Positive
    num_attention_heads: Positive
    intermediate_size: Positive
    hidden_act: Activation
    hidden_dropout_prob: Rate
    attention_probs_dropout_prob: Rate
    max_position_embeddings: Positive
    type_vocab_size: Positive
    initializer_range: Annotated[float, Field(gt=0)]
    layer_norm_eps: Annotated[float, Field(gt=0, lt=1)] = 1e-12

    @model_validator(mode="after")
    def _heads_divide(self) -> BertConfig:
        if self.hidden_size % self.num_attention_heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is no multiple of num_attention_heads {self.num_attention_heads}"
            )
        return self

    @classmethod
    def named(cls, name: str, vocab_size: int, dropout: float | None = None) -> BertConfig:
        """One of MODELS with the vocabulary's real size.

        Args:
            dropout: both dropout rates, where they shall differ from the published 0.1.

        Raises:
            StageError: no such model.
        """
        if name not in MODELS:
            raise StageError(
                f"params.yaml: model: {name!r} is none of {', '.join(MODELS)}", run=f"dvc exp run -S model={MODELS[0]}"
            )
        text = (resources.files("bert.model") / "configs" / f"{name}.json").read_text(encoding="utf-8")
        values = json.loads(text) | {"vocab_size": vocab_size}
        if dropout is not None:
            values |= {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
        return cls(**values)

    @classmethod
    def read(cls, path: Path, made_by: str) -> BertConfig:
        """Parse a bert_config.json. Raises StageError, naming the file, where it is missing or does not fit."""
        try:
            return cls(**json.loads(path.read_bytes()))
        except FileNotFoundError:
            raise StageError(f"{path}: no such file", run=made_by) from None
        except (ValueError, TypeError) as error:
            raise StageError(f"{path}: not a bert_config.json: {error}", run=made_by) from None

    def text(self) -> str:
        """What `read` parses. What is Google's own is left out, so that their code reads it as long as it can."""
        values = self.model_dump()
        if self.layer_norm_eps == type(self).model_fields["layer_norm_eps"].default:
            del values["layer_norm_eps"]
        return json.dumps(values, indent=2, sort_keys=True) + "\n"

    def with_dropout(self, rate: float | None, attention: float | None = None) -> BertConfig:
        """The same model with both dropout rates set, where `rate` is given, and its attention's, where that is."""
        rates = {} if rate is None else {"hidden_dropout_prob": rate, "attention_probs_dropout_prob": rate}
        if attention is not None:
            rates["attention_probs_dropout_prob"] = attention
        return self.model_copy(update=rates) if rates else self
