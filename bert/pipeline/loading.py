"""Contexts in which a library loads, whoever imports it first; and the one that spares its loading a third of its time.

Python looks for garbage again and again while a library makes its hundred thousands of objects, and once more when the
process ends: of TensorFlow 0.7 s and 0.8 s. But these objects stay.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

Context = Callable[[], AbstractContextManager[None]]


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage is looked for inside, and none, ever, among what is there at the end."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()


class _Inside(Loader):
    """Loads a module by another loader, which the module then has, inside of contexts."""

    def __init__(self, loader: Loader, contexts: Sequence[Context]) -> None:
        self._loader, self._contexts = loader, contexts

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        assert module.__spec__ is not None
        module.__spec__.loader = module.__loader__ = self._loader
        with ExitStack() as stack:
            for context in self._contexts:
                stack.enter_context(context())
            self._loader.exec_module(module)


class _Finder(MetaPathFinder):
    """Finds one module, and nothing else."""

    def __init__(self, name: str, contexts: Sequence[Context]) -> None:
        self.name, self._contexts = name, contexts

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self.name:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Inside(spec.loader, self._contexts)
        return spec


def load_inside(name: str, *contexts: Context) -> None:
    """Before a module is imported: that it loads inside of these contexts, the first the outermost."""
    if not any(isinstance(finder, _Finder) and finder.name == name for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder(name, contexts))
