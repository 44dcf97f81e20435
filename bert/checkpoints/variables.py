"""TensorFlow's checkpoints: by name (version 1, Google's and NVIDIA's), and of objects (version 2, Keras')."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from bert.checkpoints.choice import AGAIN
from bert.checkpoints.folder import SHOWN
from bert.checkpoints.keras_names import from_keras
from bert.checkpoints.wrapping import wrapping
from bert.model.config import BertConfig
from bert.pipeline.errors import StageError

Arrays = dict[str, np.ndarray]
WORDS = "bert/embeddings/word_embeddings"
_OBJECT_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def read_variables(path: Path, config: BertConfig) -> tuple[Arrays, list[str]]:
    """{our name: array}, and the names that are left out.

    path: of the .index.

    Raises:
        StageError: it is damaged, or an object checkpoint of something unknown.
    """
    import tensorflow as tf

    try:
        reader = tf.train.load_checkpoint(str(path).removesuffix(".index"))
        theirs = {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}
    except (tf.errors.OpError, IndexError, ValueError) as error:
        raise StageError(f"{path}: cannot be read ({error})", run=AGAIN) from None
    if _OBJECT_GRAPH in theirs:
        theirs = _named_by_graph(theirs)
        theirs = from_keras(theirs, config)
        if not any(name.endswith(WORDS) for name in theirs):
            raise StageError(
                f"{path}: a TensorFlow 2 object checkpoint whose {len(theirs)} variables have other names than "
                f"Google's and those of tensorflow/models: {', '.join(sorted(theirs)[:SHOWN])}",
                run="write it as a TensorFlow 1 checkpoint or as safetensors where its code is, then " + AGAIN,
            )
    return from_google(theirs, path)


def _named_by_graph(theirs: Arrays) -> Arrays:
    """A TF2 object checkpoint's arrays under the names of their variables, which its object graph has."""
    from tensorflow.core.protobuf.trackable_object_graph_pb2 import TrackableObjectGraph

    graph = TrackableObjectGraph.FromString(theirs[_OBJECT_GRAPH])
    named: Arrays = {}
    for node in graph.nodes:
        for attribute in node.attributes:
            if attribute.checkpoint_key in theirs and attribute.full_name:
                named[attribute.full_name.removesuffix(":0")] = theirs[attribute.checkpoint_key]
    # Saved by name, by TensorFlow 1: the graph is only an addition.
    return named if named else {name: value for name, value in theirs.items() if name != _OBJECT_GRAPH}


def from_google(theirs: Arrays, path: Path) -> tuple[Arrays, list[str]]:
    """As they are but for what wraps them: {our name: array}, and the names that are left out."""
    # An optimizer's slots may end like weights: Adam/m/bert/...
    before = "" if WORDS in theirs else wrapping(theirs, WORDS, path)
    weights = {name.removeprefix(before): value for name, value in theirs.items() if name.startswith(before)}
    return weights, [name for name in theirs if not name.startswith(before)]
