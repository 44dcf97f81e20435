"""Keras without what it loads for integrations that nobody uses here: a quarter of the time that TensorFlow loads in.

TensorFlow imports Keras, and Keras imports scikit-learn, Matplotlib, pandas and Pillow where they are installed, for
its wrappers, plots and data adapters. It does without where they are not. So they are not, while it loads.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

INTEGRATIONS = frozenset({"sklearn", "matplotlib", "pandas", "PIL"})


class _NotForKeras(MetaPathFinder):
    """Finds nothing; fails for an integration that is asked for while Keras loads."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        keras = sys.modules.get("keras")
        if fullname in INTEGRATIONS and getattr(getattr(keras, "__spec__", None), "_initializing", False):
            raise ModuleNotFoundError(f"{fullname}: not loaded for Keras", name=fullname)
        return None


def load_keras_alone() -> None:
    """Before TensorFlow is imported: what is asked for later, by other than Keras, is found as ever."""
    if not any(isinstance(finder, _NotForKeras) for finder in sys.meta_path):
        sys.meta_path.insert(0, _NotForKeras())
