"""How long the windows of a SQuAD file take: reading, tokenizing, filling the rows; and reading them from the cache.

    python -m benchmarks.squad_features train-v1.1.json vocab.txt [--threads 1 2] [--runs 5]

Of each part the median of the runs, in seconds of the clock and of processor time. `read` parses and checks the JSON;
`tokenize` is the tokenizer's part of `make_windows`, with so many threads, and `fill` the rest of it. `write` makes an
entry of the cache; `cached` finds and checks it, as the first rank does, and then copies all of its rows, of which a
rank needs its own alone. The files are in the operating system's cache.

SQuAD v1.1 train, 87,599 questions in 88,641 windows of 384 with BERT's uncased vocabulary, on two cores of a cloud
machine that others used too, so in seconds of processor time: read 0.98, tokenize 0.80, fill 0.22, cached 0.17. Before
the rows were filled by NumPy at once, `make_windows` took 1.59 where these take 1.09, in turns with it in one process.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import numpy as np

from bert.launch.allocator import keep_pages
from bert.tasks.feature_cache import FeatureCache
from bert.tasks.squad.data import read_squad
from bert.tasks.squad.features import Windows, make_windows
from bert.tasks.token_rows import tokenize, tokenize_with_offsets
from bert.tokens.tokenizer import WordPieceTokenizer

Times = dict[str, tuple[float, float]]
"""{part: seconds of the clock, seconds of processor time}"""


@contextmanager
def timed(times: Times, part: str) -> Iterator[None]:
    clock, processor = time.perf_counter(), time.process_time()
    yield
    times[part] = time.perf_counter() - clock, time.process_time() - processor


def measure(path: Path, tokenizer: WordPieceTokenizer, shape: dict[str, int], threads: Sequence[int]) -> Times:
    """One run of each part."""
    times: Times = {}
    windows: Windows | None = None
    with timed(times, "read"):
        questions, _ = read_squad(path, "download")
    contexts = list(dict.fromkeys(question.context for question in questions))
    for count in threads:
        tokenizing, filling = f"tokenize, threads: {count}", f"fill, threads: {count}"
        with timed(times, tokenizing):
            tokenize_with_offsets(contexts, tokenizer, count)
            tokenize([question.question for question in questions], tokenizer, count)
        windows = None  # the memory of the former ones goes back first
        with timed(times, filling):
            windows = make_windows(questions, tokenizer, threads=count, **shape)
        whole, part = times[filling], times[tokenizing]
        times[filling] = whole[0] - part[0], whole[1] - part[1]
    assert windows is not None
    made = windows
    with tempfile.TemporaryDirectory() as folder:
        cache = FeatureCache(Path(folder), {})
        with timed(times, "write"):
            cache.entry("squad", shape, [path], lambda: made)
        with timed(times, "cached"):
            found = cache.read(cache.entry("squad", shape, [path], lambda: made), Windows)
            for field in fields(found):
                if field.name != "counts":
                    np.array(getattr(found, field.name))
    return times


def main(argv: Sequence[str] | None = None) -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("questions", type=Path)
    p.add_argument("vocab", type=Path)
    p.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    p.add_argument("--runs", type=int, default=5)
    p.add_argument("--max-seq-length", type=int, default=384)
    p.add_argument("--doc-stride", type=int, default=128)
    p.add_argument("--max-query-length", type=int, default=64)
    args = p.parse_args(argv)
    shape = {name: getattr(args, name) for name in ("max_seq_length", "doc_stride", "max_query_length")}
    tokenizer = WordPieceTokenizer(args.vocab)
    tokenizer.tokenize_with_offsets(["warm"])
    runs: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(args.runs):
        for part, seconds in measure(args.questions, tokenizer, shape, args.threads).items():
            runs[part].append(seconds)
    medians = {
        part: {
            name: round(statistics.median(values), 3)
            for name, values in zip(("clock", "processor"), zip(*of, strict=True), strict=True)
        }
        for part, of in runs.items()
    }
    print(json.dumps(medians, indent=2))


if __name__ == "__main__":
    keep_pages()
    main()
