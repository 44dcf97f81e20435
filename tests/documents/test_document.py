"""bert/documents/document.py: documents as lines of JSON."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from bert.documents.document import Document, read_documents

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(documents=st.lists(st.builds(Document, TEXT, TEXT, TEXT, TEXT), max_size=5))
def test_documents_come_back_from_their_lines(documents: list[Document]) -> None:
    assert list(read_documents(io.BytesIO(b"".join(d.to_json() for d in documents)))) == documents
