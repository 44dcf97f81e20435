"""stages/random_weights.py: the control of fine-tuning."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bert.checkpoints.folder import load_model
from bert.model.parameters import encoder_shapes
from stages.random_weights import main
from tests.project import Project, files
from tests.stages import finetuning
from tests.stages.command import arguments

RANDOM = Path("data/models/random")


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    project = finetuning.write_project(tmp_path / "project")
    monkeypatch.chdir(project.path)
    return project


def test_the_model_has_the_shape_and_the_vocabulary_of_the_given_one_and_not_its_weights(small: Project) -> None:
    main(arguments("random_weights"))
    given, made = (load_model(path, "x") for path in (small.path / "data/models/phase2", small.path / RANDOM))
    assert made.config == given.config and made.vocab.read_bytes() == given.vocab.read_bytes()
    assert made.do_lower_case == given.do_lower_case
    assert {name: w.shape for name, w in made.weights.items()} == encoder_shapes(given.config)
    kernels = [name for name in made.weights if name.endswith("kernel")]
    assert kernels and not any(np.allclose(made.weights[name], given.weights[name], atol=1e-3) for name in kernels)


def test_a_seed_gives_the_same_bytes_and_another_seed_others(small: Project) -> None:
    main(arguments("random_weights"))
    first = files(small.path / RANDOM)
    main(arguments("random_weights"))
    assert files(small.path / RANDOM) == first
    finetuning.write_params(small.path, seed=7)
    main(arguments("random_weights"))
    assert files(small.path / RANDOM) != first
