"""Not a stage: push what every run in this cache has made, so that others need not run it again.

python -m stages.push_runs                  to the default remote
python -m stages.push_runs --remote team    to another

Somebody with the same inputs, parameters and code then gets a run by `dvc repro --pull`, whatever is in a commit.
`dvc push --run-cache` tells them that there was such a run, and neither brings its metrics, which are in git, nor the
results of runs other than the present one: without these DVC would run the stage. What `dvc gc` has removed stays away.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bert.pipeline.errors import StageError
from bert.pipeline.job import parser, run


def main(argv: Sequence[str] | None = None) -> None:
    p = parser(__doc__)
    p.add_argument("--remote", help="its name (default: DVC's default remote)")
    args = p.parse_args(argv)
    from dvc.repo import Repo

    try:
        with Repo() as repo, repo.lock:
            entries = Path(repo.stage_cache.cache_dir).glob("*/*/*")
            runs = [(entry.parent.name, entry.name) for entry in entries]
            pushed = failed = 0
            for objects in repo.stage_cache.get_used_objs(runs).values():
                result = repo.cloud.push(objects, remote=args.remote)
                pushed, failed = pushed + len(result.transferred), failed + len(result.failed)
            # Last: whoever finds a run there finds what it has made.
            if not failed:
                repo.stage_cache.push(args.remote)
    except Exception as error:  # of DVC, or whatever the library of a remote raises
        raise StageError(
            f"the runs of this cache were not pushed: {error}", run="dvc remote list, and see .dvc/config.local"
        ) from None
    if failed:
        raise StageError(f"{failed} objects of {len(runs)} runs were not pushed", run="the same again: it goes on")
    print(f"{len(runs)} runs, {pushed} new objects")


if __name__ == "__main__":
    run(main)
