"""Compare what the data stages have just written into dvc.lock with the entries in the committed one.

Training differs in the last digits between machines; up to the records all must be the same everywhere: the bytes
of the data, and also the command, the parameters and the dependencies, so that a clone's run leaves dvc.lock as it is.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

# With matrix items, as in dvc.lock: download@wikipedia, tfrecords@phase1.
STAGES = ("code", "download", "documents", "shards", "cloze", "vocab", "tfrecords", "import_checkpoint", "glue_data")

Entries = dict[tuple[str, str], str]
"""{(stage, part of its entry): value}; the part is cmd, params, or the path of a dependency or an out."""


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--revision", default="HEAD", help="the commit whose dvc.lock is right")
    parser.add_argument("--lock", type=Path, default=Path("dvc.lock"), help="the one written by this run")
    args = parser.parse_args(argv)
    show = ["git", "show", f"{args.revision}:dvc.lock"]
    shown = subprocess.run(show, capture_output=True, text=True, check=False)
    if shown.returncode:
        raise SystemExit(f"no dvc.lock is committed at {args.revision}: `make repro`, then commit dvc.lock")
    committed, written = (entries(YAML(typ="safe").load(text)) for text in (shown.stdout, args.lock.read_text()))
    keys = list(dict.fromkeys([*committed, *written]))
    if not keys:
        raise SystemExit(f"dvc.lock at {args.revision} has no entries of {', '.join(STAGES)}")
    width = max(len(stage) for stage, _ in keys)
    different = []
    for stage, part in keys:
        before, now = committed.get((stage, part), "-"), written.get((stage, part), "-")
        if before != now:
            different.append(f"{part} ({stage})")
            print(f"{stage:{width}}  {part}: {before} at {args.revision}, {now} now")
        elif part.startswith("data/"):
            print(f"{stage:{width}}  {part}: {now}, same")
    if different:
        raise SystemExit(f"{len(different)} of {len(keys)} differ from {args.revision}: {', '.join(different)}")
    count = len({stage for stage, _ in keys})
    print(f"the entries of {count} data stages are those of {args.revision}", file=sys.stderr)


def entries(lock: dict[str, Any]) -> Entries:
    """Everything that dvc.lock says of the data stages."""
    found: Entries = {}
    for name, stage in (lock.get("stages") or {}).items():
        if name.partition("@")[0] not in STAGES:
            continue
        for part, value in stage.items():
            if part not in ("deps", "outs"):
                found[name, part] = json.dumps(value, sort_keys=True)
            else:
                found |= {
                    (name, f"{each['path']} in {part}" if part == "deps" else each["path"]): str(each.get("md5"))
                    for each in value
                }
    return found


if __name__ == "__main__":
    main()
