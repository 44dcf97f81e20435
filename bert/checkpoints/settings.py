"""Parameters of the stage import_checkpoint."""

from __future__ import annotations

from bert.pipeline.params import Section


class ImportSettings(Section):
    """What the files of a checkpoint leave open.

    weights: which of several checkpoints, by its name in the source: model.ckpt-2000, model.safetensors.
    do_lower_case: whether text is lower-cased; null: as the files say, or else the pieces of the vocabulary.
    ignore: keys of the configuration that this code does not know and that are known to change no number.
    """

    weights: str | None
    do_lower_case: bool | None
    ignore: tuple[str, ...]
