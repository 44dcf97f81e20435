"""bert/export/tokenizer.py: in the graph as in Python."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bert.export.tokenizer import GraphTokenizer
from bert.tokens.tokenizer import WordPieceTokenizer
from tests.export.models import texts


@pytest.fixture(scope="module", params=[True, False], ids=["uncased", "cased"])
def both(request: pytest.FixtureRequest, vocab: Path) -> tuple[WordPieceTokenizer, GraphTokenizer, Any]:
    """The tokenizer, that of the graph, and a graph of it."""
    model: Any = SimpleNamespace(vocab=vocab, do_lower_case=request.param)
    of_graph = GraphTokenizer(model)
    strings = [tf.TensorSpec([None], tf.string)]
    traced = tf.function(lambda x: vars(of_graph.tokenize_with_offsets(x)), input_signature=strings)
    return WordPieceTokenizer(vocab, request.param), of_graph, traced


@settings(max_examples=100, deadline=None)
@given(asked=st.lists(texts, min_size=1, max_size=4))
@example(asked=["Jose\u0301, or Jos\u00e9"])
@example(asked=["Jose\u0301\u0301\u0300", "\u0301a"])
@example(asked=["\u0301 \u0301a", "", "b"])
@example(asked=["a\ufe0f\U000e0100", "", "", "a"])
@example(asked=[""])
def test_pieces_are_cut_from_the_same_characters(
    both: tuple[WordPieceTokenizer, GraphTokenizer, Any], asked: list[str]
) -> None:
    tokenizer, of_graph, traced = both
    ids, starts, ends = tokenizer.tokenize_with_offsets(asked)
    found = {name: values.numpy().tolist() for name, values in traced(asked).items()}
    bounds = [*found["first"], len(found["ids"])]
    assert found["count"] == [b - a for a, b in pairwise(bounds)]
    for n, (text, (a, b)) in enumerate(zip(asked, pairwise(bounds), strict=True)):
        assert found["ids"][a:b] == ids[n].tolist()
        assert found["start"][a:b] == starts[n].tolist()
        assert found["end"][a:b] == ends[n].tolist()
        raw, of_bytes = text.encode(), zip(found["start_byte"][a:b], found["end_byte"][a:b], strict=True)
        assert [raw[x:y].decode() for x, y in of_bytes] == [text[x:y] for x, y in zip(starts[n], ends[n], strict=True)]
    alone = [values.numpy().tolist() for values in of_graph.tokenize(asked)]
    assert alone == [found["ids"], found["first"], found["count"]]
