"""Tests for bert/tasks/feature_cache.py."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from bert.pipeline.code import ROOT, imported_files
from bert.pipeline.errors import StageError
from bert.tasks.feature_cache import KEEP, MAKERS, FeatureCache
from bert.tasks.glue import run as glue
from bert.tasks.squad import cached_windows
from tests.project import files

LENGTH = {"length": 3}


@dataclass(frozen=True)
class Made:
    """Features with nothing about them."""

    ids: npt.NDArray[np.int32]
    none: npt.NDArray[np.int32]
    counts: Counter[str]


def make() -> Made:
    return Made(np.arange(12, dtype=np.int32).reshape(4, 3), np.zeros((0, 3), np.int32), Counter({"windows": 4}))


def never() -> Made:
    raise AssertionError("made again")


@pytest.fixture
def cache(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> FeatureCache:
    caplog.set_level(logging.INFO, logger="bert")
    (tmp_path / "questions.json").write_text("who?")
    return FeatureCache(tmp_path / "features", {"bert/tokens/tokenizer.py": "1"})


def entry(cache: FeatureCache, work: Callable[[], Made] = make, **settings: Any) -> str:
    return cache.entry("squad-train", LENGTH | settings, [cache.folder.parent / "questions.json"], work)


def entries(cache: FeatureCache) -> list[str]:
    return sorted(path.name for path in cache.folder.iterdir() if path.is_dir())


def test_what_is_read_is_what_was_made_and_memory_mapped(cache: FeatureCache) -> None:
    found, expected = cache.read(entry(cache), Made), make()
    assert isinstance(found.ids, np.memmap) and not found.ids.flags.writeable
    for ours, theirs in ((found.ids, expected.ids), (found.none, expected.none)):
        assert (ours.shape, ours.dtype) == (theirs.shape, theirs.dtype)
        assert np.array_equal(ours, theirs)
    assert found.counts == expected.counts


def test_an_entry_that_is_there_is_not_made_again(cache: FeatureCache, caplog: pytest.LogCaptureFixture) -> None:
    name = entry(cache)
    before = files(cache.folder)
    assert entry(cache, never) == name
    assert files(cache.folder) == before
    assert [record.message.partition(": ")[2].split()[0] for record in caplog.records] == ["made", "made"]
    assert "made by an earlier run, read again" in caplog.messages[1]


def test_an_entry_knows_what_it_was_made_of(cache: FeatureCache, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {entry(cache), entry(cache, length=4)}
    names |= {entry(FeatureCache(cache.folder, {"bert/tokens/tokenizer.py": "2"}))}
    (cache.folder.parent / "questions.json").write_text("when?")
    names |= {entry(cache)}
    monkeypatch.setattr("importlib.metadata.version", lambda library: "0")
    names |= {entry(cache)}
    assert len(names) == 5


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a bit": lambda folder: flip(folder / "ids.npy"),
    "its end": lambda folder: (folder / "ids.npy").write_bytes((folder / "ids.npy").read_bytes()[:-4]),
    "all of a file": lambda folder: (folder / "ids.npy").write_bytes(b""),
    "a file": lambda folder: (folder / "none.npy").unlink(),
    "its counts": lambda folder: (folder / "counts.json").write_text('{"windows": 5}'),
    "its list": lambda folder: (folder / "entry.json").unlink(),
    "half its list": lambda folder: (folder / "entry.json").write_text('{"crc32": '),
    "the list in its list": lambda folder: (folder / "entry.json").write_text("[]"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_entry_is_made_again_and_said(
    cache: FeatureCache, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    name = entry(cache)
    before = files(cache.folder)
    DAMAGES[damage](cache.folder / name)
    assert files(cache.folder) != before
    caplog.clear()
    assert entry(cache) == name
    assert files(cache.folder) == before
    (warning,) = (record.message for record in caplog.records if record.levelno == logging.WARNING)
    assert f"{name}: damaged (" in warning and entries(cache) == [name]


def test_those_used_last_stay(cache: FeatureCache) -> None:
    names = [entry(cache, length=n) for n in range(KEEP)]
    entry(cache, never, length=0)
    names += [entry(cache, length=KEEP)]
    assert entries(cache) == sorted(names[:1] + names[2:])


def test_what_is_open_stays_readable_when_the_folder_goes(cache: FeatureCache) -> None:
    found = cache.read(entry(cache), Made)
    for path in sorted(cache.folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert np.array_equal(found.ids, make().ids)
    entry(cache)


def test_a_rank_that_does_not_see_the_folder_says_so(cache: FeatureCache, tmp_path: Path) -> None:
    elsewhere = FeatureCache(tmp_path / "another host", cache.code)
    with pytest.raises(StageError, match=r"another host/squad-train-\w+: the first rank has it, but") as error:
        elsewhere.read(entry(cache), Made)
    assert error.value.run == "put the repository in a folder that all hosts share, then dvc repro"


PROCESS = """
import sys, time
from pathlib import Path
import tests.tasks.test_feature_cache as test
from bert.tasks.feature_cache import FeatureCache

class Endless:
    def __array__(self, dtype=None, copy=None):
        print("writing", flush=True)
        time.sleep(600)

def make():
    print("making", flush=True)
    time.sleep(0.5)
    made = test.make()
    return test.Made(made.ids, Endless(), made.counts) if sys.argv[2] == "endless" else made

cache = FeatureCache(Path(sys.argv[1]), {"bert/tokens/tokenizer.py": "1"})
print(cache.read(test.entry(cache, make), test.Made).ids.tolist())
"""


def start(cache: FeatureCache, how: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", PROCESS, str(cache.folder), how]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_a_writer_that_is_killed_leaves_nothing_that_is_taken_for_whole(cache: FeatureCache) -> None:
    with start(cache, "endless") as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["making\n", "writing\n"]
        process.kill()
    assert list(cache.folder.glob("**/ids.npy")), "half of it was written"
    name = entry(cache)
    assert cache.read(name, Made).counts == make().counts
    assert sorted(path.name for path in cache.folder.iterdir()) == ["lock", name]


def test_of_two_processes_one_makes_and_both_read(cache: FeatureCache) -> None:
    said = [process.communicate(timeout=240)[0] for process in [start(cache, "at once") for _ in range(2)]]
    read = f"{make().ids.tolist()}\n"
    assert sorted(said) == sorted([read, f"making\n{read}"])


@pytest.mark.parametrize(
    ("module", "makers", "others"),
    [
        ("bert.tasks.squad.features", cached_windows.CODE, {"errors.py"}),
        ("bert.tasks.glue.features", glue.CODE, {"errors.py", "misfits.py"}),
    ],
)
def test_all_code_that_makes_features_is_in_their_names(module: str, makers: tuple[str, ...], others: set[str]) -> None:
    code = {str(file): "0" for file in imported_files(module)}
    assert code.keys() - FeatureCache.of(makers, code).code.keys() == {f"bert/pipeline/{name}" for name in others}
    for file in (*MAKERS, *makers):
        assert (ROOT / file).exists(), file
