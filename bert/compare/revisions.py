"""Git revisions and DVC's experiments by name, and the files that are in them.

An experiment is a commit that no branch has: refs/exps/<2 and 38 digits of the commit it started from>/<name>.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from shlex import quote

from bert.pipeline.errors import StageError

WORKSPACE = "workspace"
"""The name of the files as they lie here, committed or not; DVC calls them so too."""

_EXPERIMENT = re.compile(r"refs/exps/([0-9a-f]{2})/([0-9a-f]{38})/(.+)")
_LIST = "dvc exp list --all-commits"


@dataclass(frozen=True)
class Revision:
    """name: as it was asked for. commit: its 40 digits; None: the workspace."""

    name: str
    commit: str | None


@dataclass(frozen=True)
class _Experiment:
    name: str
    baseline: str
    commit: str


def _git(*arguments: str, given: bytes | None = None) -> bytes | None:
    """What git says; None where it fails."""
    try:
        done = subprocess.run(["git", *arguments], input=given, capture_output=True, check=False)
    except FileNotFoundError:
        raise StageError("git: no such program; revisions are read by it", run="install git") from None
    return done.stdout if done.returncode == 0 else None


def _lines(*arguments: str) -> list[str]:
    return (_git(*arguments) or b"").decode().splitlines()


def _commit(name: str) -> str | None:
    found = _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return found.decode().strip() if found else None


def _experiments() -> list[_Experiment]:
    found = []
    for line in _lines("for-each-ref", "--format=%(objectname) %(refname)", "refs/exps"):
        commit, _, ref = line.partition(" ")
        if match := _EXPERIMENT.fullmatch(ref):
            found.append(_Experiment(match[3], match[1] + match[2], commit))
    return found


def _names(experiments: Iterable[_Experiment]) -> list[str]:
    """What a user may have meant: branches, tags, experiments."""
    refs = _lines("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/tags", "refs/remotes")
    return [*dict.fromkeys([WORKSPACE, "HEAD", *refs, *(experiment.name for experiment in experiments)])]


def resolve(name: str) -> Revision:
    """The revision called `name`: workspace, a branch, a tag, an experiment, or anything else that git understands.

    An experiment comes before an abbreviated commit, which a name such as `bf16` could be as well. Of several
    experiments of one name it is the one that started from HEAD, as in DVC.

    Raises:
        StageError: there is none, with the names that look most like it; or several experiments have the name.
    """
    if name == WORKSPACE:
        return Revision(name, None)
    if _git("rev-parse", "--git-dir") is None:
        raise StageError(f"{Path.cwd()}: expected a git repository", run="cd to the folder of dvc.yaml")
    for kind in ("refs/heads", "refs/tags"):
        if commit := _commit(f"{kind}/{name}"):
            return Revision(name, commit)
    experiments = _experiments()
    same = [experiment for experiment in experiments if experiment.name == name]
    if len(same) > 1:
        same = [experiment for experiment in same if experiment.baseline == _commit("HEAD")] or same
    if len(same) > 1:
        which = ", ".join(f"{one.commit[:7]} (from {one.baseline[:7]})" for one in same)
        raise StageError(
            f"{name!r}: {len(same)} experiments have this name, none of them from HEAD: {which}; name the commit",
            run=_LIST,
        )
    if commit := same[0].commit if same else _commit(name):
        return Revision(name, commit)
    near = get_close_matches(name, _names(experiments), n=5, cutoff=0.5)
    hint = f"; near it: {', '.join(near)}" if near else ""
    raise StageError(f"{name!r}: no branch, tag, commit or experiment here has this name{hint}", run=_elsewhere(name))


def _elsewhere(name: str) -> str:
    """The commands that show the experiments of the first remote, and get one; without a remote those that are here."""
    remotes = _lines("remote")
    if not remotes:
        return _LIST
    return f"{_LIST} {quote(remotes[0])}, and if it is there: dvc exp pull {quote(remotes[0])} {quote(name)}"


def files(revision: Revision, paths: Iterable[str]) -> dict[str, bytes]:
    """{path relative to here: content} of the files at or under `paths` that the revision has."""
    if revision.commit is None:
        return {path: Path(path).read_bytes() for path in _in_workspace(paths)}
    listed = _git("ls-tree", "-r", "-z", revision.commit, "--", *paths)
    if listed is None:
        raise StageError(f"{revision.name}: git cannot list its files", run=f"git ls-tree {revision.commit}")
    blobs = {}
    for entry in filter(None, listed.decode().split("\0")):
        meta, _, path = entry.partition("\t")
        _, kind, blob = meta.split()
        if kind == "blob":
            blobs[path] = blob
    return dict(zip(blobs, _contents(blobs.values()), strict=True))


def _in_workspace(paths: Iterable[str]) -> list[str]:
    found: list[str] = []
    for path in map(Path, paths):
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        found += [file.as_posix() for file in inside if file.is_file()]
    return found


def _contents(blobs: Iterable[str]) -> list[bytes]:
    """Of git's objects, in one call: a header line that ends in the size, the bytes, a line feed; and so on."""
    said = _git("cat-file", "--batch", given="".join(f"{blob}\n" for blob in blobs).encode())
    if said is None:
        raise StageError("git cat-file: it cannot read the objects of this repository", run="git fsck")
    found = []
    while said:
        header, _, said = said.partition(b"\n")
        size = int(header.split()[-1])
        found.append(said[:size])
        said = said[size + 1 :]
    return found
