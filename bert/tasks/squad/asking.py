"""Questions about one text, asked of a fine-tuned model: the best answers with their score and their place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from bert.checkpoints.folder import Model, check_weights, load_model
from bert.inference.forward import Forward, Rows, make_forward
from bert.inference.settings import EngineName
from bert.model.compute_weights import compute_weights
from bert.model.config import BertConfig
from bert.model.fused import compile_by
from bert.model.parameters import encoder_shapes, squad_shapes
from bert.pipeline.errors import StageError
from bert.pipeline.files import read_json
from bert.tasks.length_buckets import length_batches, token_counts
from bert.tasks.settings import SquadSettings
from bert.tasks.squad.answers import Candidate
from bert.tasks.squad.data import Question, Version
from bert.tasks.squad.features import Windows, make_windows
from bert.tasks.squad.no_answer import NULL_THRESHOLD
from bert.tasks.squad.passages import most_relevant
from bert.tasks.squad.postprocessing import postprocess
from bert.training.objectives import spans
from bert.training.precision import Precision

# Lengths that windows are cut to are multiples of it: few to compile, whatever texts come.
LENGTH_STEP = 32
FEATURES = ("input_ids", "input_mask", "segment_ids")
_FP32 = Precision("fp32", "fp32", tf.float32, scales_loss=False, xla=False)


@dataclass(frozen=True)
class Answer:
    """context[start:end], the sum of its two logits, and its share among all answers that were weighed."""

    text: str
    start: int
    end: int
    score: float
    probability: float


@dataclass(frozen=True)
class Reply:
    """What a text says to a question.

    Attributes:
        answers: best first; none where the text has no token
        no_answer: whether there is none; by SQuAD v2.0 that is said of a text with answers too, which then are what
            comes closest
        why_none: for people
        null_odds: of v2.0: by how much "no answer" scores above the best answer
        windows: that the text has
        windows_read: of these
    """

    question: str
    answers: tuple[Answer, ...]
    no_answer: bool
    why_none: str | None
    null_odds: float | None
    windows: int
    windows_read: int

    def as_json(self, n_best: int) -> dict[str, Any]:
        """Its fields, of the answers the first `n_best`."""
        return asdict(replace(self, answers=self.answers[:n_best]))


class Asker:
    """A fine-tuned model, loaded once, that answers by the rules of the stage `squad`.

    It computes in float32. One thread may ask at a time.
    """

    def __init__(
        self,
        model: Model,
        settings: SquadSettings,
        null_threshold: float | None = None,
        engine: EngineName = "tensorflow",
    ) -> None:
        """null_threshold: of a model of SQuAD v2.0, the one that its predictions were made with.

        Raises:
            StageError: the model has no span head, or positions for shorter windows alone; the engine is not installed.
        """
        folder, config = model.vocab.parent, model.config
        head = {name: shape for name, shape in squad_shapes(config).items() if name not in encoder_shapes(config)}
        check_weights(config, model.weights, folder, "give a model that was fine-tuned on SQuAD", head)
        if settings.max_seq_length > config.max_position_embeddings:
            raise StageError(
                f"squad.max_seq_length is {settings.max_seq_length}, but {folder} has positions for "
                f"{config.max_position_embeddings}",
                run=f"set it to {config.max_position_embeddings} or less in params.yaml",
            )
        self.settings, self.null_threshold = settings, null_threshold
        self._config = config
        self._tokenizer = model.tokenizer()
        if engine == "openvino":
            self._forward = make_forward(engine, spans().forward, model.weights, config, _FP32)
        else:
            self._forward = _any_number_of_rows(model.weights, config)

    @classmethod
    def load(cls, folder: Path, settings: SquadSettings, predictions: Path, engine: EngineName = "tensorflow") -> Asker:
        """From a model folder and the folder of its predictions, which has the threshold if the model is of v2.0.

        Raises StageError as `load_model` and `Asker`.
        """
        made_by = "dvc repro squad, or dvc pull data/models/squad where a remote has it"
        path = predictions / NULL_THRESHOLD
        threshold = read_json(path, made_by)["null_score_diff_threshold"] if path.exists() else None
        return cls(load_model(folder, made_by, "another --model"), settings, threshold, engine)

    def prepare(self) -> None:
        """Compile the forward pass of the longest windows, so that the first question need not wait for it."""
        row = np.zeros((1, self.settings.max_seq_length), np.int32)
        self._forward({name: row for name in FEATURES})

    def ask(
        self,
        context: str,
        questions: Sequence[str],
        *,
        windows: int | None,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Reply]:
        """A reply to each question. The context is tokenized once.

        Args:
            windows: so many of the context's windows are read for a question, those most like it (`most_relevant`);
                None reads all.
            progress: is told of (windows read, windows to read), of all questions, after each batch.

        Raises:
            StageError: the model's logits are not finite.
        """
        settings = self.settings
        asked = [Question(str(n), question, context, ()) for n, question in enumerate(questions)]
        everything = make_windows(
            asked,
            self._tokenizer,
            max_seq_length=settings.max_seq_length,
            doc_stride=settings.doc_stride,
            max_query_length=settings.max_query_length,
        )
        chosen = everything if windows is None else most_relevant(everything, windows)
        chosen_by = settings.model_copy(update={"null_score_diff_threshold": self.null_threshold})
        version: Version = "1.1" if self.null_threshold is None else "2.0"
        predicted = postprocess(asked, chosen, self._logits(chosen, progress), chosen_by, version)
        found, odds = predicted.candidates, predicted.null_odds
        all_of, read_of = (np.bincount(w.question_index, minlength=len(asked)).tolist() for w in (everything, chosen))
        return [
            self._reply(question, candidates, None if odds is None else odds[n], all_of[n], read_of[n])
            for n, (question, candidates) in enumerate(zip(questions, found, strict=True))
        ]

    def _reply(
        self, question: str, candidates: Sequence[Candidate], null_odds: float | None, windows: int, windows_read: int
    ) -> Reply:
        answers = tuple(
            Answer(c.text, c.start, c.end, c.start_logit + c.end_logit, c.probability) for c in candidates if c.text
        )
        why = None
        if not windows:
            why = "the text has no token"
        elif not answers:
            why = "none of the best ends fits any of the best starts"
        elif not candidates[0].text:
            why = f"this scores {null_odds:.2f} above the best answer, and more than {self.null_threshold:.2f} tells it"
        return Reply(question, answers, why is not None, why, null_odds, windows, windows_read)

    def _logits(self, windows: Windows, progress: Callable[[int, int], None] | None) -> np.ndarray:
        """(N, 2, S) float32, of starts and ends; 0 at padding that was not computed."""
        count, longest = windows.input_ids.shape
        found = np.zeros((count, 2, longest), np.float32)
        done = 0
        lengths = token_counts(windows.input_mask)
        batches = length_batches(lengths, longest, self.settings.predict_batch_size) if count else []
        for batch in batches:
            rows = np.unique(batch.places)  # the last batch repeats a row, which needs no second reading
            length = min(longest, -(-batch.length // LENGTH_STEP) * LENGTH_STEP)
            found[rows, :, :length] = self._forward({name: getattr(windows, name)[rows, :length] for name in FEATURES})
            done += len(rows)
            if progress is not None:
                progress(done, count)
        return found


def _any_number_of_rows(parameters: Mapping[str, np.ndarray], config: BertConfig) -> Forward:
    """The forward pass traced once a length and not compiled: so the first answer is soon there."""
    weights = compute_weights(parameters, config, tf.float32)
    function = compile_by(False, lambda rows: spans().forward(weights, config, rows, tf.float32))
    traced: dict[int, Any] = {}

    def forward(rows: Rows) -> np.ndarray:
        length = rows["input_ids"].shape[1]
        if length not in traced:
            traced[length] = function.get_concrete_function(
                {n: tf.TensorSpec([None, length], tf.int32) for n in FEATURES}
            )
        found: np.ndarray = traced[length]({name: tf.constant(rows[name]) for name in FEATURES}).numpy()
        return found

    return forward
