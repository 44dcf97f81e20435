"""stages/glue_data.py: main() in a project folder and as processes, and what training makes of tasks of one's own."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML

from bert.checkpoints.folder import load_model
from bert.pipeline.errors import StageError
from bert.tasks.glue.examples import read_examples, read_task
from bert.tasks.glue.tasks import TASKS
from stages.glue import main as fine_tune
from stages.glue_data import main
from tests.project import Project, files
from tests.stages import finetuning
from tests.stages.command import arguments
from tests.stages.finetuning import read
from tests.tasks.glue.own_tasks import REGRESSION, SETTINGS, write

TRAINED = {
    **{"max_seq_length": 32, "batch_size": 8, "epochs": 60, "learning_rate": 0.005, "warmup_proportion": 0.1},
    "reinit_layers": 0,
}


def glue_data(task: str, source: str = "download") -> list[str]:
    return arguments("glue_data", item__task=task, glue__data=source)


def add_task(project: Project, name: str, source: str = "download", **keys: Any) -> None:
    """A section of params.yaml."""
    yaml = YAML(typ="safe", pure=True)
    params = yaml.load((project.path / "params.yaml").read_text())
    params["glue"] |= {"data": source, "tasks": [name], name: TRAINED | keys}
    with open(project.path / "params.yaml", "w", encoding="utf-8") as f:
        yaml.dump(params, f)


def test_glues_files_become_examples_and_what_is_dropped_is_counted(small: Project) -> None:
    main(glue_data("mrpc", "cloze"))
    folder = small.path / "data/glue/mrpc"
    assert sorted(files(folder)) == ["dev.jsonl", "task.json", "train.jsonl"]
    assert read_task(folder, "x") == TASKS["mrpc"].with_sets(())
    examples = read_examples(folder, "dev", "x")
    texts = [("01"[int(str(example.label))], example.text_a, example.text_b) for example in examples]
    assert texts == finetuning.pairs()
    assert [example.index for example in examples] == [*range(7), *range(8, 21)], "row 7 is dropped"
    assert read(small.path / "metrics/glue_data/mrpc.json") == {
        "examples": {"train": 20, "dev": 20},
        "labels": {"train": {"0": 10, "1": 10}, "dev": {"0": 10, "1": 10}},
        "dropped": {"train": {"blank sentence": 1}, "dev": {"blank sentence": 1}},
    }


def test_two_processes_with_different_hash_seeds_write_the_same_bytes(small: Project) -> None:
    made = []
    rows = "".join(f"t{n},b,label {n % 7}\n" for n in range(50))
    write(
        small.path / "data/download/glue", {f"reviews/{s}.csv": "title,body,stars\n" + rows for s in ("train", "dev")}
    )
    add_task(small, "reviews", **SETTINGS)
    for seed in ("1", "2"):
        small.run("glue_data", *glue_data("reviews"), PYTHONHASHSEED=seed)
        made.append(
            {
                **files(small.path / "data/glue/reviews"),
                "m": (small.path / "metrics/glue_data/reviews.json").read_bytes(),
            }
        )
    assert made[0] == made[1] and len(made[0]) == 4


def test_it_does_not_wait_for_tensorflow() -> None:
    code = "import sys, stages.glue_data; print(sorted({'tensorflow', 'apache_beam', 'sklearn'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_submission_without_all_of_its_rows_is_refused(small: Project) -> None:
    write(small.path / "data/cloze/glue", {"MRPC/test.tsv": "index\t#1 String\t#2 String\n0\ta\tb\n"})
    with pytest.raises(StageError, match=r"MRPC/test\.tsv, line 2: expected the 1725 rows") as error:
        main(glue_data("mrpc", "cloze"))
    assert error.value.run is not None and "MRPC.tsv" in error.value.run


def test_a_missing_file_of_glues_names_the_stage_that_makes_it(small: Project) -> None:
    (small.path / "data/cloze/glue/MRPC/dev.tsv").unlink()
    with pytest.raises(StageError, match=r"MRPC/dev\.tsv: no such file") as error:
        main(glue_data("mrpc", "cloze"))
    assert error.value.run == "dvc repro cloze"


def test_a_task_of_ones_own_needs_the_download(small: Project) -> None:
    add_task(small, "reviews", "cloze", **SETTINGS)
    with pytest.raises(StageError, match=r"glue\.data is cloze, but reviews is your own task") as error:
        main(glue_data("reviews", "cloze"))
    assert error.value.run == "name them in download.glue, set glue.data to download, then dvc repro glue@reviews"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (SETTINGS | {"lables": ["1", "2"]}, r"glue\.reviews\.lables: unknown key"),
        (SETTINGS | {"epochs": 0}, r"glue\.reviews\.epochs: expected more than 0"),
        ({"train_file": "a.csv"}, r"glue\.reviews\.dev_file: is missing"),
    ],
)
def test_a_key_that_does_not_fit_is_named_before_any_training(
    small: Project, keys: dict[str, Any], message: str
) -> None:
    add_task(small, "reviews", **keys)
    (small.path / "data/download/glue").mkdir(parents=True)
    with pytest.raises(StageError, match=message):
        main(glue_data("reviews"))


def test_pairs_of_ones_own_with_three_labels_are_learned(small: Project) -> None:
    """From CSV: the second text says what the weather is in the place of the first."""
    weather = ("cold", "dark", "far")
    rows = [
        (f"{n} was born in {city}.", f"it is {w}", w) for n, (city, _) in finetuning.PEOPLE.items() for w in weather
    ]
    out = io.StringIO()
    table = csv.writer(out, quoting=csv.QUOTE_ALL)
    table.writerows([("place", "weather", "says"), *rows])
    asked = "place,weather\r\n" + "".join(f"{a},{b}\r\n" for a, b, _ in rows[5:9])
    write(
        small.path / "data/download/glue",
        {"born/train.csv": out.getvalue(), "born/dev.csv": "\ufeff" + out.getvalue(), "born/new.csv": asked},
    )
    given: dict[str, Any] = {"train_file": "born/train.csv", "dev_file": "born/dev.csv", "test_file": "born/new.csv"}
    given |= {"text": ["place", "weather"], "label": "says", "metrics": ["f1_macro", "accuracy"]}
    add_task(small, "born", **SETTINGS | given | {"epochs": 30, "learning_rate": 0.002})
    main(glue_data("born"))
    counted = read(small.path / "metrics/glue_data/born.json")
    assert counted["examples"] == {"train": 30, "dev": 30, "test": 4}
    assert counted["labels"]["dev"] == {"cold": 10, "dark": 10, "far": 10}
    fine_tune(arguments("glue", item__task="born"))
    metrics = read(small.path / "metrics/glue/born.json")
    assert (metrics["f1_macro"], metrics["accuracy"], metrics["count"]) == (100, 100, 30)
    assert metrics["baselines"] == {"majority": {"f1_macro": 16.6667, "accuracy": 33.3333}}
    folder = small.path / "data/predictions/glue/born"
    names = ["dev.tsv", "dev_probabilities.tsv", "test.tsv", "test_probabilities.tsv"]
    assert sorted(path.name for path in folder.iterdir()) == names
    predicted = "".join(f"{n}\t{says}\n" for n, (_, _, says) in enumerate(rows[5:9]))
    assert (folder / "test.tsv").read_text() == "index\tprediction\n" + predicted
    header, *lines = [line.split("\t") for line in (folder / "test_probabilities.tsv").read_text().splitlines()]
    assert header == ["index", "cold", "dark", "far"] and [line[0] for line in lines] == ["0", "1", "2", "3"]
    likely = np.array([line[1:] for line in lines], float)
    assert np.abs(likely.sum(axis=1) - 1).max() < 2e-4
    assert [header[1 + best] for best in likely.argmax(axis=1)] == [says for _, _, says in rows[5:9]]
    model = load_model(small.path / "data/models/glue/born", "x")
    assert model.weights["output_weights"].shape == (3, finetuning.CONFIG.hidden_size)


def test_numbers_of_ones_own_texts_are_learned(small: Project) -> None:
    """From JSON lines: 4.5 for who was born in a year, 1.5 for who was born in a place."""
    texts = [f"{name} was born in {year}." for name, (_, year) in finetuning.PEOPLE.items()]
    places = [f"{name} was born in {city}." for name, (city, _) in finetuning.PEOPLE.items()]
    rows = [{"body": text, "stars": number} for number, of in ((4.5, texts), (1.5, places)) for text in of]
    lines = "\n".join(map(json.dumps, rows))
    write(small.path / "data/download/glue", {"reviews/train.jsonl": lines, "reviews/dev.jsonl": lines})
    given = {"train_file": "reviews/train.jsonl", "dev_file": "reviews/dev.jsonl", "text": "body"}
    add_task(small, "reviews", **SETTINGS | REGRESSION | given)
    main(glue_data("reviews"))
    range_of = {"min": 1.5, "mean": 3.0, "max": 4.5}
    assert read(small.path / "metrics/glue_data/reviews.json")["numbers"] == {"train": range_of, "dev": range_of}
    fine_tune(arguments("glue", item__task="reviews"))
    metrics = read(small.path / "metrics/glue/reviews.json")
    assert metrics["pearson"] > 95 and 0 < metrics["baselines"]["length"]["pearson"] < 80
    header, *found = (small.path / "data/predictions/glue/reviews/dev.tsv").read_text().splitlines()
    assert header == "index\tprediction"
    predicted = np.array([line.split("\t")[1] for line in found], float)
    assert np.abs(predicted - [row["stars"] for row in rows]).max() < 1
    assert Path("data/models/glue/reviews").is_dir()
