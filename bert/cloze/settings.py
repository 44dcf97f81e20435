"""Parameters of the cloze stage. The values live in params.yaml alone."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from bert.cloze.paraphrases.distort import DISTORTIONS
from bert.pipeline.params import Section

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(gt=0, lt=1)]


class QuestionSettings(Section):
    """The question-answering set.

    max_train, max_dev: questions at most; whole documents are taken until there are so many.
    max_per_document, max_per_context: so that one long text does not make up the set.
    min_context_sentences: a context of fewer is skipped; of one, the question would be all of it.
    max_context_chars: a paragraph is cut into pieces of at most so many characters, between sentences.
    min_question_words, max_question_words: of the sentence without its answer; longer ones lose outer clauses.
    max_answer_words: longer spans are not asked for.
    """

    max_train: Count
    max_dev: Count
    max_per_document: Count
    max_per_context: Count
    min_context_sentences: Count
    max_context_chars: Count
    min_question_words: Count
    max_question_words: Count
    max_answer_words: Count


class ParaphraseSettings(Section):
    """The paraphrase set.

    max_train, max_dev, max_per_document: as for questions, in pairs.
    min_words, max_words: of the corpus's sentence.
    min_rewrites, max_rewrites: kinds of rewriting in one positive.
    distortions: how often each kind of distortion is tried first, relative to the others; 0 switches it off.
    distortion_rounds: a negative has its meaning changed in 1 to so many places.
    candidates: versions of a sentence to choose from, per label.
    overlap_tolerance: a sentence is used only if it has a positive and a negative whose word overlaps with it differ
        by no more than this, so that overlap says next to nothing about the label.
    """

    max_train: Count
    max_dev: Count
    max_per_document: Count
    min_words: Count
    max_words: Count
    min_rewrites: Count
    max_rewrites: Count
    distortions: dict[str, Annotated[float, Field(ge=0)]]
    distortion_rounds: Count
    candidates: Count
    overlap_tolerance: Annotated[float, Field(ge=0, le=1)]

    @model_validator(mode="after")
    def _ranges(self) -> ParaphraseSettings:
        for low, high in (("min_words", "max_words"), ("min_rewrites", "max_rewrites")):
            if getattr(self, low) > getattr(self, high):
                raise ValueError(f"{low} is {getattr(self, low)}, above {high}, {getattr(self, high)}")
        if set(self.distortions) != set(DISTORTIONS) or not any(self.distortions.values()):
            raise ValueError(
                f"distortions is {self.distortions}, expected a weight for each of {', '.join(DISTORTIONS)}, not all 0"
            )
        return self


class ClozeSettings(Section):
    """dev_share: share of the documents that go to the dev sets, by a hash of their id."""

    dev_share: Share
    questions: QuestionSettings
    paraphrases: ParaphraseSettings
