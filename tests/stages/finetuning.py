"""Twenty questions, twenty pairs and a model of two layers that learns them by heart, in a project folder."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from bert.checkpoints.folder import load_model, save_model
from bert.model.config import BertConfig
from bert.model.parameters import make_parameters, pretraining_shapes
from bert.pipeline.code import ROOT
from bert.tasks.glue.make import make_task
from bert.tokens.vocabulary import SPECIAL_PIECES
from tests.project import Project

PEOPLE = {
    "Ada": ("São Paulo", "1843"),
    "Ben": ("New York", "1844"),
    "Cleo": ("Köln", "1851"),
    "Dora": ("Den Haag", "1852"),
    "Emil": ("서울", "1853"),  # two characters, five pieces
    "Fay": ("Rio", "1944"),
    "Gus": ("Buenos Aires", "1943"),
    "Hana": ("Saint-Malo", "1951"),
    "Ivo": ("Málaga", "1952"),
    "Jule": ("Oslo", "1953"),
}
# What is around two of the answers, so that the text is read through several windows, not all of which hold them.
LONG = "It is said by those who have read of it, and by those who have not, that far away, where it is dark, "
BEFORE, AFTER = {"Dora": LONG}, {"Ivo": f" {LONG}it is cold."}

WORDS = """it is said by those who have read of and not that far away where dark cold was born in when
    york new den haag rio oslo koln sao paulo buenos aires saint malo malaga""".split()
SEOUL = [f"##{letter}" if n else letter for n, letter in enumerate(unicodedata.normalize("NFD", "서울"))]
YEARS = ["18", "19", "##43", "##44", "##51", "##52", "##53"]
PIECES = [*SPECIAL_PIECES, *"?.,-", *WORDS, *(name.lower() for name in PEOPLE), *SEOUL, *YEARS]

CONFIG = BertConfig(
    vocab_size=len(PIECES),
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=64,
    hidden_act="gelu",
    hidden_dropout_prob=0.1,
    attention_probs_dropout_prob=0.1,
    max_position_embeddings=32,
    type_vocab_size=2,
    initializer_range=0.1,
)


def questions() -> list[dict[str, Any]]:
    """Where and when each of the ten was born: SQuAD's `paragraphs`."""
    paragraphs = []
    for name, (city, year) in PEOPLE.items():
        context = f"{BEFORE.get(name, '')}{name} was born in {city} in {year}.{AFTER.get(name, '')}"
        qas = [
            {
                "id": f"{name}-{word}",
                "question": f"{word} was {name} born?",
                "answers": [{"text": text, "answer_start": context.index(text)}],
                "answer_type": kind,
            }
            for word, text, kind in (("Where", city, "name"), ("When", year, "date"))
        ]
        paragraphs.append({"context": context, "qas": qas})
    return paragraphs


def with_unanswerable(paragraphs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """SQuAD v2.0: of each of the ten also a question that no context answers."""
    for name, paragraph in zip(PEOPLE, paragraphs, strict=True):
        asked = {"id": f"{name}-Not", "question": f"Not was {name} born?", "answers": [], "is_impossible": True}
        paragraph["qas"].append(asked)
    return paragraphs


def answers() -> dict[str, str]:
    """{id: the text that a prediction has to be}"""
    return {q["id"]: q["answers"][0]["text"] for p in questions() for q in p["qas"]}


def pairs() -> list[tuple[str, str, str]]:
    """(label, sentence, sentence): of each of the ten with their year, and with another's."""
    years = [year for _, year in PEOPLE.values()]
    found = []
    for n, (name, (city, year)) in enumerate(PEOPLE.items()):
        for label, other in (("1", year), ("0", years[n - 1])):
            found.append((label, f"{name} was born in {city}.", f"{name} was born in {other}."))
    return found


def write_data(folder: Path) -> None:
    """data/cloze/{squad,glue} and data/glue/mrpc as the stages leave them, and the model data/models/phase2."""
    squad, mrpc = folder / "data/cloze/squad", folder / "data/cloze/glue/MRPC"
    squad.mkdir(parents=True)
    mrpc.mkdir(parents=True)
    text = json.dumps({"version": "1.1", "data": [{"title": "born", "paragraphs": questions()}]}, ensure_ascii=False)
    rows = [f"{label}\t{n}a\t{n}b\t{a}\t{b}" for n, (label, a, b) in enumerate(pairs())]
    # A row that is dropped: from there on, an example's number in the file is not its place among the examples.
    rows.insert(7, "1\t0\t0\t\tblank")
    for split in ("train", "dev"):
        (squad / f"{split}-v1.1.json").write_text(text, encoding="utf-8")
        table = ["Quality\t#1 ID\t#2 ID\t#1 String\t#2 String", *rows]
        (mrpc / f"{split}.tsv").write_text("\n".join(table) + "\n", encoding="utf-8")
    make_task(folder / "data/cloze/glue", "cloze", "mrpc", None, folder / "data/glue/mrpc")
    write_model(folder / "data/models/phase2")


def write_unanswerable(folder: Path) -> None:
    """SQuAD v2.0 instead of v1.1 in data/cloze/squad."""
    document = {"version": "v2.0", "data": [{"title": "born", "paragraphs": with_unanswerable(questions())}]}
    for split in ("train", "dev"):
        path = folder / f"data/cloze/squad/{split}-v1.1.json"
        path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")


def write_model(folder: Path, pieces: list[str] = PIECES, do_lower_case: bool = True) -> None:
    """A model folder with random weights, as pretraining leaves it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    vocab = folder.parent / "vocab.txt"
    vocab.write_text("\n".join(pieces) + "\n", encoding="utf-8")
    config = CONFIG.model_copy(update={"vocab_size": len(pieces)})
    parameters = make_parameters(pretraining_shapes(config), config, seed=5)
    save_model(folder, config, {name: p.numpy() for name, p in parameters.items()}, vocab, do_lower_case)


def cased_pieces() -> list[str]:
    """Of a cased vocabulary: each word of the questions and contexts as it is written, Paulo in two pieces."""
    texts = [text for p in questions() for text in (p["context"], *(q["question"] for q in p["qas"]))]
    words = {word for text in texts for word in re.findall(r"\w+", text)} - {"Paulo"} | {"Pau", "##lo"}
    return [*SPECIAL_PIECES, *"?.,-", *sorted(words)]


def write_params(folder: Path, **changes: Any) -> None:
    """The project's own params.yaml with what makes it small; changes by dotted name, dots as __."""
    yaml = YAML(typ="safe", pure=True)
    params: dict[str, Any] = yaml.load(ROOT / "params.yaml")
    params |= {"xla": False}
    params["import_checkpoint"]["source"] = None
    params["finetune"] |= {"init": "phase2", "controls": ["random"]}
    params["squad"] |= {
        **{"max_seq_length": 32, "doc_stride": 8, "max_query_length": 8, "predict_batch_size": 8},
        **{"batch_size": 8, "epochs": 30, "learning_rate": 0.005, "max_answer_length": 6},
    }
    params["glue"]["mrpc"] |= {
        **{"max_seq_length": 32, "batch_size": 8, "epochs": 60, "learning_rate": 0.005},
        "reinit_layers": 0,
    }
    for name, value in changes.items():
        *above, key = name.split("__")
        section = params
        for part in above:
            section = section[part]
        assert key in section, name
        section[key] = value
    with open(folder / "params.yaml", "w", encoding="utf-8") as f:
        yaml.dump(params, f)


def write_project(folder: Path, **changes: Any) -> Project:
    """A new project folder with data, model and parameters."""
    project = Project.create(folder)
    write_data(folder)
    write_params(folder, **changes)
    return project


def read(path: Path) -> dict[str, Any]:
    """A JSON object."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def assert_same_weights(folder: Path, expected: Path, begun: Path, free: tuple[str, ...] = ()) -> None:
    """Two trainings from the model `begun` have ended with weights that differ by little of the way that they went.

    Not by nothing: ranks add gradients in another order, and each step enlarges the difference of those before it.

    free: endings of names of weights that no loss depends on. Their gradient is rounding, which AdamW scales up. The
        keys' biases are among them in any model: they add the same to all scores of a query.
    """
    ours, theirs, start = (load_model(path, "dvc repro").weights for path in (folder, expected, begun))
    names = [name for name in theirs if name in start and not name.endswith(("key/bias", *free))]
    way = np.sqrt(sum(np.sum((theirs[name] - start[name]) ** 2) for name in names))
    apart = np.sqrt(sum(np.sum((theirs[name] - ours[name]) ** 2) for name in names))
    assert apart < 0.005 * way, apart / way
