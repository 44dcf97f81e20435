"""bert/pipeline/keras_alone.py: TensorFlow loads without the integrations of its Keras."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOADED = "; print(sorted({'keras', 'sklearn', 'matplotlib', 'pandas', 'PIL'} & set(sys.modules)))"


def printed(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.slow
def test_keras_loads_no_integration_and_others_may() -> None:
    after = "; from sklearn.metrics import f1_score; import matplotlib.pyplot; print(f1_score([1, 0], [1, 0]))"
    assert printed("import sys, stages, tensorflow" + LOADED + after).splitlines() == ["['keras']", "1.0"]
