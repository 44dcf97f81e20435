"""A SQuAD v2.0 file from one of v1.1: questions are asked of another paragraph of the same article.

    python -m benchmarks.squad_v2 train-v1.1.json train-v2.0.json [--share 0.5] [--questions 4000]

Of each article's questions about `share`, chosen by a hash of their ids, move to another paragraph that holds none of
their answers, and have none there; the others stay. Such a question is on the paragraph's subject, if less near to it
than those that people wrote for SQuAD v2.0. The same file gives the same bytes. Prints how many moved.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def chance(name: str) -> float:
    """In [0, 1), by a hash of the id."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64


def with_unanswerable(document: dict[str, Any], share: float, questions: int | None = None) -> dict[str, Any]:
    """The document as SQuAD v2.0.

    Args:
        questions: so many of all, those of the lowest hash; None: all.
    """
    names = sorted((qa["id"] for a in document["data"] for p in a["paragraphs"] for qa in p["qas"]), key=_order)
    kept = set(names[:questions])
    articles = []
    for article in document["data"]:
        contexts = [paragraph["context"] for paragraph in article["paragraphs"]]
        asked: list[list[dict[str, Any]]] = [[] for _ in contexts]
        for place, paragraph in enumerate(article["paragraphs"]):
            for qa in paragraph["qas"]:
                if qa["id"] not in kept:
                    continue
                elsewhere = _other(contexts, place, qa) if chance(qa["id"]) < share else None
                if elsewhere is None:
                    asked[place].append({**qa, "is_impossible": False})
                else:
                    asked[elsewhere].append({**qa, "answers": [], "is_impossible": True})
        paragraphs = [{"context": c, "qas": qas} for c, qas in zip(contexts, asked, strict=True) if qas]
        if paragraphs:
            articles.append({**article, "paragraphs": paragraphs})
    return {"version": "v2.0", "data": articles}


def _order(name: str) -> float:
    return chance(f"order {name}")


def _other(contexts: Sequence[str], place: int, qa: dict[str, Any]) -> int | None:
    """A paragraph without any of the answers, the next one from a place by a hash on; None if there is none."""
    first = int(chance(f"paragraph {qa['id']}") * len(contexts))
    for other in (*range(first, len(contexts)), *range(first)):
        if other != place and not any(a["text"].lower() in contexts[other].lower() for a in qa["answers"]):
            return other
    return None


def main(argv: Sequence[str] | None = None) -> None:
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("source", type=Path)
    p.add_argument("out", type=Path)
    p.add_argument("--share", type=float, default=0.5, help="of the questions that lose their answer (default: 0.5)")
    p.add_argument("--questions", type=int, help="take so many (default: all)")
    args = p.parse_args(argv)
    made = with_unanswerable(json.loads(args.source.read_bytes()), args.share, args.questions)
    args.out.write_text(json.dumps(made, ensure_ascii=False) + "\n", encoding="utf-8")
    moved = [qa["is_impossible"] for a in made["data"] for p in a["paragraphs"] for qa in p["qas"]]
    print(json.dumps({"questions": len(moved), "without_answer": sum(moved)}))


if __name__ == "__main__":
    main()
