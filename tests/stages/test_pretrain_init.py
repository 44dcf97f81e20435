"""stages/pretrain.py: phase 1 from an imported model (pretrain.init)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bert.checkpoints.folder import Model, load_model, save_model
from bert.model.parameters import pretraining_shapes
from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from stages.pretrain import main
from tests.model.reference import random_weights
from tests.training import stage
from tests.training.stage import masked_lm_alone
from tests.training.tiny import CONFIG, PIECES, write_vocab


def write_imported(folder: Path, pieces: list[str] = PIECES, cased: bool = False, without: str = "none") -> Model:
    """A model as stages/import_checkpoint.py leaves it, of another shape than params.yaml's."""
    config = CONFIG.model_copy(update={"hidden_act": "gelu_erf", "layer_norm_eps": 1e-5})
    weights = {
        name: 0.1 * value
        for name, value in random_weights(pretraining_shapes(config), seed=4).items()
        if without not in name
    }
    vocab = write_vocab(folder / "theirs.txt", pieces)
    save_model(folder / "data/models/imported", config, weights, vocab, do_lower_case=not cased)
    return load_model(folder / "data/models/imported", "")


@pytest.mark.parametrize("without", ["none", "seq_relationship"])
def test_phase_1_goes_on_from_an_imported_model_in_its_shape_with_its_heads(here: Path, without: str) -> None:
    start = write_imported(here, without=without)
    if without != "none":
        masked_lm_alone(here)
    phase1 = {"steps": 2, "eval_every": None, "learning_rate": 1e-9}
    stage.write_params(here, phase1=phase1, pretrain={"init": "imported"})
    main(stage.arguments(init="imported"))
    model = load_model(here / "data/models/phase1", "")
    assert model.config == start.config, "and not of params.yaml's model"
    for name, value in start.weights.items():
        np.testing.assert_allclose(model.weights[name], value, rtol=0, atol=1e-6, err_msg=name)
    # Phase 2 follows as ever.
    main(stage.arguments("phase2"))
    assert load_model(here / "data/models/phase2", "").config == start.config


def test_without_init_an_import_changes_nothing(here: Path, pretrained: Path) -> None:
    write_imported(here)
    stage.write_params(here, phase1={"steps": 1, "eval_every": None})
    main(stage.arguments())
    main([a for a in stage.arguments(out="plain") if a not in ("--init", "data/models/none")])
    one, other = (here / "data/models" / name / "weights.safetensors" for name in ("phase1", "plain"))
    assert one.read_bytes() == other.read_bytes()
    assert load_model(one.parent, "").config == load_model(pretrained / "data/models/phase1", "").config


def test_an_imported_model_without_a_head_that_is_trained_is_refused(here: Path) -> None:
    write_imported(here, without="seq_relationship")
    with pytest.raises(StageError, match="data/models/imported: has no next-sentence head, "):
        main(stage.arguments(init="imported"))
    assert not (here / "data/models/phase1").exists()


def test_an_import_without_a_source_names_both_parameters(here: Path) -> None:
    manifest.write_unconfigured(here / "data/models/imported")
    with pytest.raises(StageError, match="data/models/imported is empty: its source is not configured") as error:
        main(stage.arguments(init="imported"))
    assert error.value.run == (
        "set import_checkpoint.source (or pretrain.init to none), then dvc repro import_checkpoint"
    )


def test_records_of_another_vocabulary_than_the_imported_models_name_vocab_source(here: Path) -> None:
    write_imported(here, [*PIECES[:-1], "another"])
    with pytest.raises(StageError, match=r"another vocabulary .* than data/models/imported/vocab\.txt") as error:
        main(stage.arguments(init="imported"))
    assert error.value.run == (
        "set vocab.source to {url: data/models/imported/vocab.txt} in params.yaml, then dvc repro tfrecords@phase1"
    )
    write_imported(here, cased=True)
    with pytest.raises(StageError, match=r"made with do_lower_case: true, but for .*imported/vocab\.txt") as error:
        main(stage.arguments(init="imported"))
    assert error.value.run == "set vocab.do_lower_case to false in params.yaml, then dvc repro tfrecords@phase1"
