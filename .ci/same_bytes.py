"""Compare what the data stages have just written with the hashes in the committed dvc.lock.

Training differs in the last digits between machines; up to the records everything must be the same bytes everywhere.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

# With matrix items, as in dvc.lock: download@wikipedia, tfrecords@phase1.
STAGES = ("download", "documents", "shards", "cloze", "vocab", "tfrecords")

Outs = dict[tuple[str, str], str]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--revision", default="HEAD", help="the commit whose dvc.lock is right")
    parser.add_argument("--lock", type=Path, default=Path("dvc.lock"), help="the one written by this run")
    args = parser.parse_args(argv)
    show = ["git", "show", f"{args.revision}:dvc.lock"]
    shown = subprocess.run(show, capture_output=True, text=True, check=False)
    if shown.returncode:
        raise SystemExit(f"no dvc.lock is committed at {args.revision}: `make repro`, then commit dvc.lock")
    committed, written = (outs(YAML(typ="safe").load(text)) for text in (shown.stdout, args.lock.read_text()))
    rows = compare(committed, written)
    first, second = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
    for stage, path, before, now in rows:
        verdict = "same" if before == now else "DIFFERS"
        print(f"{stage:{first}}  {path:{second}}  {before:36}  {now:36}  {verdict}")
    different = [f"{path} ({stage})" for stage, path, before, now in rows if before != now]
    if different:
        raise SystemExit(f"{len(different)} of {len(rows)} outs differ from {args.revision}: {', '.join(different)}")
    if not rows:
        raise SystemExit(f"dvc.lock at {args.revision} has no outs of {', '.join(STAGES)}")
    print(f"{len(rows)} outs are the same bytes as at {args.revision}", file=sys.stderr)


def outs(lock: dict[str, Any]) -> Outs:
    """The hash of each out of the data stages: {(stage, path): md5}.

    Provenance is left out: it says on which machine and when a stage ran, and is meant to differ.
    """
    return {
        (name, out["path"]): str(out.get("md5") or out.get("hash"))
        for name, stage in (lock.get("stages") or {}).items()
        if name.partition("@")[0] in STAGES
        for out in stage.get("outs", [])
        if out["path"].startswith("data/")
    }


def compare(committed: Outs, written: Outs) -> list[tuple[str, str, str, str]]:
    """A row for each out in either: (stage, path, committed, written), with '-' where it is missing."""
    keys = sorted({**committed, **written})
    return [(*key, committed.get(key, "-"), written.get(key, "-")) for key in keys]


if __name__ == "__main__":
    main()
