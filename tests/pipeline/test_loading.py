"""bert/pipeline/loading.py: the contexts that a library loads in."""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bert.pipeline.loading import load_inside, uncollected

LIBRARY = "import gc; found = (gc.isenabled(), [order for order in __import__('sys').loading_order])"


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that says what it has found while it was loading."""
    (tmp_path / "a_library_to_load.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "a_library_to_load", raising=False)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.setattr(sys, "loading_order", [], raising=False)
    return "a_library_to_load"


def test_a_module_loads_inside_of_its_contexts_and_has_its_own_loader(library: str) -> None:
    order: list[str] = sys.loading_order  # type: ignore[attr-defined]

    @contextmanager
    def outer() -> Iterator[None]:
        order.append("outer")
        yield
        order.append("left")

    @contextmanager
    def inner() -> Iterator[None]:
        order.append("inner")
        yield

    frozen = gc.get_freeze_count()
    try:
        load_inside(library, uncollected, outer, inner)
        import a_library_to_load as loaded

        assert loaded.found == (False, ["outer", "inner"])
        assert order == ["outer", "inner", "left"]
        assert gc.isenabled() and gc.get_freeze_count() > frozen
        assert "_Inside" not in type(loaded.__loader__).__name__
    finally:
        gc.unfreeze()


def test_other_modules_load_as_ever(library: str) -> None:
    load_inside("another_library", uncollected)
    import a_library_to_load as loaded

    assert loaded.found[0] is True


@pytest.mark.slow
def test_tensorflow_and_beam_are_no_garbage_to_look_for() -> None:
    for module in ("tensorflow", "apache_beam"):
        code = f"import gc, stages, {module}; print(gc.get_freeze_count(), gc.isenabled())"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        frozen, enabled = done.stdout.split()
        assert int(frozen) > 100_000 and enabled == "True", module
