"""bert/documents/variants.py: language variants."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bert.documents.settings import DocumentsSettings
from bert.documents.variants import VARIANTS, variant_of, words_of
from bert.pipeline.errors import StageError
from bert.pipeline.params import section
from tests.corpus import documents_settings


@pytest.mark.parametrize(
    ("language", "wanted", "variant"),
    [
        ("zh", None, "zh"),
        ("zh", "zh-hant", "zh-hant"),
        ("zh-hans", None, "zh-hans"),
        ("zh", "sr-el", "zh"),  # of another language than the wiki's
        ("sr", "sr-el", "sr-el"),
        ("en", "zh-hant", None),
        ("", None, None),
    ],
)
def test_a_wiki_is_read_in_the_wanted_variant_of_its_own_language(
    language: str, wanted: str | None, variant: str | None
) -> None:
    assert variant_of(language, wanted) == variant


def test_a_variant_that_is_none_is_refused_with_those_that_are(tmp_path: Path) -> None:
    params = documents_settings().model_dump(mode="json") | {"language_variant": "zh-tiawan"}
    (tmp_path / "params.yaml").write_text(json.dumps({"documents": params}))
    with pytest.raises(StageError, match=r"documents\.language_variant: .*none of ban, .*zh-tw.*\(got 'zh-tiawan'\)"):
        section(DocumentsSettings, "documents", tmp_path / "params.yaml")


@given(text=st.text(st.sampled_from("az-:;=>|{}THN 计"), max_size=30), variant=st.sampled_from(VARIANTS))
def test_whatever_stands_in_the_marks_gives_text(text: str, variant: str) -> None:
    assert isinstance(words_of(text.split("|"), variant), str)
