"""Parameters of the stage that turns sources into documents: `documents`."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from bert.documents.variants import VARIANTS
from bert.pipeline.params import Section

CORPORA = ("wikipedia", "books", "text")


def _is_variant(code: str) -> str:
    if code not in VARIANTS:
        raise ValueError(f"none of {', '.join(VARIANTS)}")
    return code


class DocumentsSettings(Section):
    """What is dropped, and what makes the stage fail.

    min_passage_chars: shorter passages are dropped, counted.
    max_page_bytes / nodes / depth: wiki pages over one of these limits fail: size of the source in UTF-8, pieces of
        markup, pieces of markup open at a time.
    max_error_rate: of the articles; when more of them fail, the stage does.
    tail_sections: headings, in any case, of sections that come after the prose.
    language_variant: which words of `-{zh-hans:...;zh-hant:...}-` are taken, on wikis in that language.
    """

    min_passage_chars: Annotated[int, Field(ge=1)]
    max_page_bytes: Annotated[int, Field(ge=1)]
    max_page_nodes: Annotated[int, Field(ge=1)]
    max_page_depth: Annotated[int, Field(ge=1)]
    max_error_rate: Annotated[float, Field(ge=0, le=1)]
    tail_sections: tuple[str, ...]
    language_variant: Annotated[str, AfterValidator(_is_variant)] | None
