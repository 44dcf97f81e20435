"""Parameters of the tfrecords stage."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from bert.pipeline.params import Section


class ExamplesSettings(Section):
    """How sentences become examples; the names are those of BERT's create_pretraining_data.py."""

    masked_lm_prob: Annotated[float, Field(gt=0, lt=1)]
    dupe_factor: Annotated[int, Field(ge=1)]
    short_seq_prob: Annotated[float, Field(ge=0, le=1)]


class PhaseSettings(Section):
    """The shape of one phase's examples."""

    sequence_length: Annotated[int, Field(ge=8)]
    max_predictions: Annotated[int, Field(ge=1)]
