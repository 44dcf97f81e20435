"""Parameters of the tfrecords stage."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bert.pipeline.params import Section


class ExamplesSettings(Section):
    """How sentences become examples; the first three are named as in BERT's create_pretraining_data.py."""

    masked_lm_prob: Annotated[float, Field(gt=0, lt=1)]
    dupe_factor: Annotated[int, Field(ge=1)]
    short_seq_prob: Annotated[float, Field(ge=0, le=1)]
    masking: Literal["static", "dynamic"]
    whole_word: bool
    max_ngram: Annotated[int, Field(ge=1)]
    objective: Literal["mlm+nsp", "mlm+sop", "mlm"]

    @model_validator(mode="after")
    def _ngrams_are_of_words(self) -> ExamplesSettings:
        if self.max_ngram > 1 and not self.whole_word:
            raise ValueError("an n-gram is of whole words: max_ngram above 1 needs whole_word: true")
        return self


class PhaseSettings(Section):
    """The shape of one phase's rows, in tokens: without packing a row is one sequence, else up to `max_sequences`."""

    sequence_length: Annotated[int, Field(ge=8)]
    max_predictions: Annotated[int, Field(ge=1)]
    packing: bool
    max_sequences: Annotated[int, Field(ge=2)]
