"""Which files of a folder are the checkpoint: its weights, and the configuration and vocabulary that go with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bert.pipeline.errors import StageError
from bert.pipeline.files import read_json

AGAIN = "correct import_checkpoint.source in params.yaml, then dvc repro import_checkpoint"
WHICH = "set import_checkpoint.weights in params.yaml to one of them, then dvc repro import_checkpoint"
_SHARD = re.compile(r"^(.*)-(\d{5})-of-(\d{5})\.safetensors$")
_NAMED = re.compile(r'^\s*model_checkpoint_path:\s*"(.*)"\s*$', re.MULTILINE)

_TO_SAFETENSORS = (
    "write it anew where transformers and its framework are installed "
    "(AutoModelForPreTraining.from_pretrained(FOLDER).save_pretrained(OTHER)), then name the model.safetensors in "
    "import_checkpoint.source"
)
# (pattern, what such a file is), where it is all there is.
_OTHERS: tuple[tuple[str, str], ...] = (
    ("*.bin", "PyTorch's pickled weights"),
    ("*.pt", "PyTorch's pickled weights"),
    ("*.pth", "PyTorch's pickled weights"),
    ("*.h5", "Keras' weights in HDF5"),
    ("*.keras", "a Keras model"),
    ("*.msgpack", "Flax' weights"),
    ("*.onnx", "an ONNX graph"),
    ("*.gguf", "quantised weights in GGUF"),
    ("*.npz", "NumPy arrays"),
    ("*.data-?????-of-?????", "the data of a TensorFlow checkpoint without its .index"),
    ("*.ckpt", "a checkpoint of PyTorch Lightning, or of TensorFlow before its version 0.11"),
    ("saved_model.pb", "a SavedModel without its variables"),
)


@dataclass(frozen=True)
class WeightFiles:
    """A checkpoint's weights.

    name: in the folder; of shards, that of their index, or what their names have in common.
    files: of safetensors, all shards; of TensorFlow, the .index.
    """

    name: str
    files: tuple[Path, ...]
    is_tensorflow: bool

    @property
    def path(self) -> Path:
        return self.files[0]


def _shards_by_index(folder: Path) -> Iterator[WeightFiles]:
    for path in sorted(folder.rglob("*.safetensors.index.json")):
        values = read_json(path, AGAIN)
        listed = values.get("weight_map") if isinstance(values, dict) else None
        if not isinstance(listed, dict) or not listed:
            raise StageError(f"{path}: expected a weight_map {{name: file}}", run=AGAIN)
        files = tuple(path.with_name(str(name)) for name in sorted(set(listed.values())))
        if missing := [file.name for file in files if not file.is_file()]:
            raise StageError(f"{path}: lists {', '.join(missing)}, which the files lack", run=AGAIN)
        yield WeightFiles(path.relative_to(folder).as_posix(), files, False)


def _shards_by_name(folder: Path, paths: list[Path]) -> Iterator[WeightFiles]:
    """`model-00001-of-00002.safetensors` and the like, of which the index was left behind."""
    sets: dict[tuple[Path, str, int], dict[int, Path]] = {}
    for path in paths:
        if found := _SHARD.match(path.name):
            sets.setdefault((path.parent, found[1], int(found[3])), {})[int(found[2])] = path
    for (parent, stem, count), shards in sets.items():
        name = (parent / f"{stem}.safetensors").relative_to(folder).as_posix()
        if missing := [n for n in range(1, count + 1) if n not in shards]:
            lacking = ", ".join(f"{stem}-{n:05}-of-{count:05}.safetensors" for n in missing)
            raise StageError(f"{folder}: {name} is in {count} shards, of which {lacking} is not there", run=AGAIN)
        yield WeightFiles(name, tuple(shards[n] for n in sorted(shards)), False)


def _readable(folder: Path) -> list[WeightFiles]:
    """All that could be meant."""
    found = [*_shards_by_index(folder)]
    of_sets = {file for shards in found for file in shards.files}
    single = [path for path in sorted(folder.rglob("*.safetensors")) if path not in of_sets]
    found += _shards_by_name(folder, single)
    found += [
        WeightFiles(path.relative_to(folder).as_posix(), (path,), False)
        for path in single
        if not _SHARD.match(path.name)
    ]
    found += [
        WeightFiles(path.relative_to(folder).as_posix().removesuffix(".index"), (path,), True)
        for path in sorted(folder.rglob("*.index"))
    ]
    return found


def _listed(found: list[WeightFiles]) -> str:
    return ", ".join(weights.name for weights in found)


def _as_tensorflow_says(folder: Path, found: list[WeightFiles]) -> list[WeightFiles]:
    """Without the TensorFlow checkpoints that the file `checkpoint` beside them does not name as the newest."""
    for path in sorted(folder.rglob("checkpoint")):
        if not path.is_file():
            continue
        beside = [weights for weights in found if weights.is_tensorflow and path.parent in weights.path.parents]
        named = _NAMED.search(path.read_text(encoding="utf-8", errors="replace"))
        if not beside or named is None:
            continue
        # A path of the machine that wrote it.
        last = re.split(r"[/\\]", named[1])[-1]
        meant = [w for w in beside if w.path == path.parent / f"{named[1]}.index"]
        meant = meant or [w for w in beside if w.path == path.parent / f"{last}.index"]
        if not meant:
            raise StageError(
                f"{path}: names {named[1]}, which is not there; there are {_listed(beside)}",
                run=WHICH,
            )
        found = [weights for weights in found if weights not in beside or weights in meant]
    return found


def choose_weights(folder: Path, wanted: str | None = None) -> WeightFiles:
    """The one checkpoint in `folder`, or the one that is `wanted` (import_checkpoint.weights).

    Raises:
        StageError: none, several, or shards that are not all there; lists what there is and says what to set.
    """
    found = _readable(folder)
    if wanted is not None:
        endings = (".index", ".safetensors", ".safetensors.index.json")
        meant = [
            w for w in found if wanted == w.name or any(wanted in (w.name + e, w.name.removesuffix(e)) for e in endings)
        ]
        if len(meant) != 1:
            raise StageError(
                f"import_checkpoint.weights is {wanted!r}, expected one of: {_listed(found) or 'none is there'}",
                run=WHICH,
            )
        found = meant
    else:
        found = _as_tensorflow_says(folder, found)
    if len(found) > 1:
        raise StageError(f"{folder}: expected one checkpoint, there are {len(found)}: {_listed(found)}", run=WHICH)
    if not found:
        for pattern, what in _OTHERS:
            if paths := sorted(folder.rglob(pattern)):
                raise StageError(
                    f"{paths[0]}: {what}: no *.safetensors or *.index is among the checkpoint's files, and "
                    "nothing else is read here",
                    run=_TO_SAFETENSORS if "TensorFlow" not in what else AGAIN,
                )
        raise StageError(f"{folder}: no *.safetensors or *.index among the checkpoint's files", run=AGAIN)
    (weights,) = found
    if weights.is_tensorflow and not [*weights.path.parent.glob(f"{weights.path.stem}.data-?????-of-?????")]:
        raise StageError(f"{weights.path}: its data, {weights.path.stem}.data-00000-of-00001, is not there", run=AGAIN)
    return weights


def beside(folder: Path, weights: WeightFiles, *names: str) -> Path:
    """The file that goes with the weights: in their folder or the nearest above it, else the only one in `folder`.

    names: in the order of preference.

    Raises:
        StageError: none, or several elsewhere; lists them.
    """
    place = weights.path.parent
    for parent in (place, *place.parents):
        for name in names:
            if (parent / name).is_file():
                return parent / name
        if parent == folder:
            break
    found = sorted(path for name in names for path in folder.rglob(name))
    if not found:
        raise StageError(f"{folder}: no {' or '.join(names)} among the checkpoint's files", run=AGAIN)
    if len(found) > 1:
        there = ", ".join(path.relative_to(folder).as_posix() for path in found)
        raise StageError(
            f"{folder}: {' or '.join(names)} is neither beside {weights.name} nor above it, and elsewhere are {there}",
            run=AGAIN,
        )
    return found[0]
