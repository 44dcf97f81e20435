"""Whether an imported model lower-cases: by its files, its pieces, or import_checkpoint.do_lower_case."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bert.checkpoints.folder import load_model, save_model
from bert.checkpoints.importers import read_checkpoint
from bert.pipeline.errors import StageError
from tests.checkpoints.hugging_face import hugging_face_weights, write_hugging_face
from tests.training.tiny import CONFIG, PIECES, write_vocab

CASED = [*PIECES[:-3], "Paris", "##Fi", "Ärger"]


@pytest.mark.parametrize(
    ("files", "pieces", "parameter", "expected"),
    [
        ({}, PIECES, None, (True, "the pieces")),
        ({}, CASED, None, (False, "the pieces")),
        ({"tokenizer_config.json": {"do_lower_case": False}}, PIECES, None, (False, "tokenizer_config.json")),
        ({"tokenizer_config.json": {"do_lower_case": False}}, CASED, None, (False, "tokenizer_config.json")),
        (
            {"tokenizer.json": {"normalizer": {"type": "BertNormalizer", "lowercase": False}}},
            PIECES,
            None,
            (False, "tokenizer.json"),
        ),
        ({"tokenizer_config.json": {"do_lower_case": True}}, PIECES, False, (False, "import_checkpoint.do_lower_case")),
        ({}, CASED, True, (True, "import_checkpoint.do_lower_case")),
    ],
)
def test_the_casing_is_what_the_files_say_or_the_pieces_or_the_parameter(
    tmp_path: Path, files: dict[str, object], pieces: list[str], parameter: bool | None, expected: tuple[bool, str]
) -> None:
    folder = write_hugging_face(tmp_path / "hf", hugging_face_weights(CONFIG))
    write_vocab(folder / "vocab.txt", pieces)
    for name, values in files.items():
        (folder / name).write_text(json.dumps(values))
    model = read_checkpoint(folder, do_lower_case=parameter)
    assert (model.described["do_lower_case"], model.described["do_lower_case_by"]) == expected
    assert model.do_lower_case is expected[0]


def test_a_casing_that_the_pieces_belie_is_kept_in_the_model_folder(tmp_path: Path) -> None:
    folder = write_hugging_face(tmp_path / "hf", hugging_face_weights(CONFIG))
    write_vocab(folder / "vocab.txt", CASED)
    model = read_checkpoint(folder, do_lower_case=True)
    save_model(tmp_path / "model", model.config, model.weights, model.vocab, model.do_lower_case)
    assert json.loads((tmp_path / "model/tokenizer_config.json").read_text()) == {"do_lower_case": True}
    assert load_model(tmp_path / "model", "dvc repro import_checkpoint").do_lower_case


def test_a_vocabulary_that_belies_its_files_is_refused(tmp_path: Path) -> None:
    folder = write_hugging_face(tmp_path / "hf", hugging_face_weights(CONFIG))
    write_vocab(folder / "vocab.txt", CASED)
    (folder / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": True}))
    with pytest.raises(StageError, match=r"3 of 40 pieces have capitals .* such as Paris .*says do_lower_case: true"):
        read_checkpoint(folder)
