"""A text shard in windows of whole documents, so that memory does not grow with the shard.

What is drawn from other documents, the random next sentences, comes from the same window. Documents lie in a shard in
the order of a hash of their ids, so a window is a random sample of the corpus.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

# About so much text a window: a thousand Wikipedia articles, or ten books. Part of the format: under another number
# larger shards would give other records.
WINDOW_BYTES = 4 * 2**20
# A random next sentence comes from another document.
LEAST_DOCUMENTS = 2

Sentences = list[str]
"""Of one document."""


def windows(lines: Iterable[bytes], size: int) -> Iterator[list[Sentences]]:
    """The documents of a shard (a sentence a line, a blank line between documents), window by window.

    Args:
        lines: of the shard.
        size: of the shard in bytes; the windows share it evenly.
    """
    number = max(1, round(size / WINDOW_BYTES))
    share, done, at = size / number, 1, 0
    documents: list[Sentences] = []
    sentences: Sentences = []
    for line in lines:
        at += len(line)
        if text := line.decode().removesuffix("\n"):
            sentences.append(text)
            continue
        if sentences:
            documents.append(sentences)
            sentences = []
        if len(documents) >= LEAST_DOCUMENTS and done < number and at >= done * share:
            yield documents
            documents = []
            done = int(at / share) + 1
    if sentences:
        documents.append(sentences)
    if documents:
        yield documents
