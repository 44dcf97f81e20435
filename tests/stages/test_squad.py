"""Tests for stages/squad.py: a model that learns twenty questions by heart, see tests/stages/finetuning.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bert.checkpoints.folder import load_model
from bert.pipeline import manifest
from bert.pipeline.errors import StageError
from stages import score_squad
from stages.squad import main
from tests.project import Project, files
from tests.stages import finetuning
from tests.stages.command import arguments
from tests.stages.finetuning import assert_same_weights, read
from tests.stages.killing import kill_after_checkpoint

PREDICTIONS = Path("data/predictions/squad")
MODEL = Path("data/models/squad")
# They shift the logits of all positions alike, and so leave every softmax over these as it is.
SHIFTS = ("cls/squad/output_bias", f"layer_{finetuning.CONFIG.num_hidden_layers - 1}/output/LayerNorm/beta")
RESULTS = {
    *("exact_match", "f1", "count", "by_type", "baselines", "train_questions", "train_windows", "dropped"),
    *("train_loss", "sequences_per_second", "steps", "global_batch", "ranks", "precision", "precision_effective"),
    "inference_engine",
    *("xla", "attention", "skipped_steps", "rollbacks", "skipped_batches", "peak_rss_mb"),
    *("allreduce_seconds_per_step", "allreduce_wait_seconds_per_step", "allreduce_share"),
}


def test_what_was_learned_by_heart_is_answered(answering: Project) -> None:
    metrics = read(answering.path / "metrics/squad.json")
    assert (metrics["exact_match"], metrics["f1"], metrics["count"]) == (100, 100, 20)
    assert not (answering.path / PREDICTIONS / "null_odds.json").exists()
    kinds = {kind: (scores["exact_match"], scores["count"]) for kind, scores in metrics["by_type"].items()}
    assert kinds == {"date": (100, 10), "name": (100, 10)}
    assert metrics["train_loss"] < 0.3


def test_predictions_are_the_characters_of_the_context(answering: Project) -> None:
    # Exactly: the score would forgive a full stop too many, or a capital.
    assert read(answering.path / PREDICTIONS / "predictions.json") == finetuning.answers()


def test_the_best_candidates_are_parts_of_the_context_and_the_answer_is_the_first(answering: Project) -> None:
    contexts = {q["id"]: p["context"] for p in finetuning.questions() for q in p["qas"]}
    candidates = read(answering.path / PREDICTIONS / "nbest_predictions.json")
    assert candidates.keys() == contexts.keys()
    for name, found in candidates.items():
        assert found[0]["text"] == finetuning.answers()[name] and found[0]["probability"] > 0.5
        assert all(c["text"] == contexts[name][c["start"] : c["end"]] for c in found)
        scores = [c["start_logit"] + c["end_logit"] for c in found]
        assert scores == sorted(scores, reverse=True) and len(found) > 1
        assert sum(c["probability"] for c in found) == pytest.approx(1)


def test_the_metrics_say_what_was_done(answering: Project) -> None:
    metrics = read(answering.path / "metrics/squad.json")
    assert metrics.keys() == RESULTS
    windows = metrics["train_windows"]
    assert windows > 20 == metrics["train_questions"], "some contexts take several windows"
    assert metrics["steps"] == round(windows * 30 / 8)
    counts = metrics["dropped"]["train"]
    assert counts == metrics["dropped"]["dev"] and counts.keys() == {"windows", "windows without the answer"}
    assert counts["windows"] == windows and 0 < counts["windows without the answer"] <= windows - 20
    header, *rows = (answering.path / "metrics/curves/squad.tsv").read_text().splitlines()
    assert header.split("\t")[0] == "step"
    assert [int(row.split("\t")[0]) for row in rows][-1] == metrics["steps"]


def test_the_model_folder_is_complete(answering: Project) -> None:
    model = load_model(answering.path / MODEL, "dvc repro squad")
    assert model.config == finetuning.CONFIG, "with the dropout of the model it came from"
    assert model.weights["cls/squad/output_weights"].shape == (2, finetuning.CONFIG.hidden_size)
    vocab = (answering.path / "data/models/phase2/vocab.txt").read_bytes()
    assert model.vocab.read_bytes() == vocab


def test_a_cased_model_learns_from_cased_text_and_stays_cased(cased: Project) -> None:
    assert read(cased.path / PREDICTIONS / "predictions.json") == finetuning.answers()
    assert not load_model(cased.path / MODEL, "dvc repro squad").do_lower_case
    # Lower-cased, the word were one unknown piece, and no candidate could end inside it.
    candidates = read(cased.path / PREDICTIONS / "nbest_predictions.json")["Ada-Where"]
    assert any(candidate["text"].endswith("São Pau") for candidate in candidates)


def test_a_run_of_the_stability_test_has_its_own_seed_and_precision_and_keeps_its_metrics_alone(small: Project) -> None:
    finetuning.write_params(small.path, squad__epochs=1)
    before = files(small.path / "data")
    found = {}
    for precision in ("default", "bf16"):
        main(arguments("stability_squad", item__seed="2", item__precision=precision))
        found[precision] = read(small.path / f"metrics/stability_squad/{precision}-2.json")
    assert all(metrics.keys() == RESULTS for metrics in found.values())
    assert [metrics["precision_effective"] for metrics in found.values()] == ["fp32", "bf16"]
    assert files(small.path / "data") == before and not (small.path / "metrics/squad.json").exists()
    losses = {name: metrics["train_loss"] for name, metrics in found.items()}
    for seed in (2, 3):
        finetuning.write_params(small.path, squad__epochs=1, seed=seed)
        main(arguments("squad"))
        losses[f"result {seed}"] = read(small.path / "metrics/squad.json")["train_loss"]
    assert losses["default"] == losses["result 2"], "under that seed the result is that run"
    assert len(set(losses.values())) == 3, losses


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_bits(small: Project, answering: Project) -> None:
    steps = kill_after_checkpoint(small, "squad", arguments("squad"), "tuned")
    assert not (small.path / MODEL).exists()
    main(arguments("squad"))
    resumed = read(small.path / "metrics/provenance/squad.json")["resumed_from_step"]
    assert 0 < steps <= resumed < read(small.path / "metrics/squad.json")["steps"]
    for name in (MODEL, PREDICTIONS, Path("metrics/curves")):
        assert files(small.path / name) == files(answering.path / name)


@pytest.mark.slow
@pytest.mark.ranks
@pytest.mark.usefixtures("horovod")
def test_two_ranks_learn_what_one_does(small: Project, answering: Project) -> None:
    small.run("squad", *arguments("squad"), BERT_RANKS="2")
    together, alone = read(small.path / "metrics/squad.json"), read(answering.path / "metrics/squad.json")
    assert (together["ranks"], alone["ranks"]) == (2, 1)
    for name in ("exact_match", "f1", "count", "by_type", "baselines", "steps", "dropped"):
        assert together[name] == alone[name], name
    assert read(small.path / PREDICTIONS / "predictions.json") == finetuning.answers()
    assert_same_weights(small.path / MODEL, answering.path / MODEL, small.path / "data/models/phase2", SHIFTS)
    # The same bytes under the same names: made once, by whichever rank.
    features = files(small.path / ".scratch/features")
    assert len({Path(name).parent for name in features if "/" in name}) == 2
    assert features == files(answering.path / ".scratch/features")


def test_a_model_that_was_not_imported_names_the_parameter(small: Project) -> None:
    manifest.write_unconfigured(small.path / "data/models/imported")
    finetuning.write_params(small.path, finetune__init="imported")
    with pytest.raises(StageError, match="data/models/imported is empty: its source is not configured") as error:
        main(arguments("squad", finetune__init="imported"))
    assert error.value.run is not None and "set import_checkpoint.source" in error.value.run


def change_questions(path: Path, first: int | None = None, **changes: Any) -> None:
    """Of the first questions of a file, or of all."""
    document = read(path)
    found = [qa for paragraph in document["data"][0]["paragraphs"] for qa in paragraph["qas"]]
    for qa in found[:first]:
        qa |= changes
    path.write_text(json.dumps(document), encoding="utf-8")


@pytest.mark.parametrize("name", ["train-v1.1.json", "dev-v1.1.json"])
@pytest.mark.parametrize("change", [{"is_impossible": True, "answers": []}, {"answers": []}])
def test_by_version_1_questions_without_answers_are_not_scored_as_if_they_had_some(
    small: Project, name: str, change: dict[str, Any]
) -> None:
    change_questions(small.path / "data/cloze/squad" / name, first=3, **change)
    finetuning.write_params(small.path, squad__version=1.1)
    with pytest.raises(StageError, match=rf"{name}: 3 of 20 questions have no answer .*expected SQuAD v1\.1") as error:
        main(arguments("squad"))
    assert error.value.run is not None and "set squad.version to auto or 2.0" in error.value.run
    assert not PREDICTIONS.exists()


def test_a_file_without_answers_to_learn_from_is_named(small: Project) -> None:
    change_questions(small.path / "data/cloze/squad/train-v1.1.json", answers=[])
    with pytest.raises(StageError, match=r"train-v1\.1\.json: none of its 20 questions has an answer to learn from"):
        main(arguments("squad"))


def test_questions_that_are_only_asked_are_answered_and_not_scored(small: Project, answering: Project) -> None:
    change_questions(small.path / "data/cloze/squad/dev-v1.1.json", answers=[])
    main(arguments("squad"))
    assert files(small.path / PREDICTIONS) == files(answering.path / PREDICTIONS)
    metrics = read(small.path / "metrics/squad.json")
    assert metrics.keys() == RESULTS - {"exact_match", "f1", "by_type", "baselines"}
    assert metrics["count"] == 20


NO_ANSWERS = {f"{name}-Not": "" for name in finetuning.PEOPLE}
V2 = {
    *("exact", "f1", "total", "HasAns_exact", "HasAns_f1", "HasAns_total", "NoAns_exact", "NoAns_f1", "NoAns_total"),
    *("best_exact", "best_exact_thresh", "best_f1", "best_f1_thresh", "null_score_diff_threshold"),
}


def test_questions_without_an_answer_are_learned_and_told(unanswering: Project) -> None:
    folder = unanswering.path / PREDICTIONS
    assert read(folder / "predictions.json") == finetuning.answers() | NO_ANSWERS
    odds = read(folder / "null_odds.json")
    assert {name for name, value in odds.items() if value > 0} == set(NO_ANSWERS)
    assert read(folder / "null_threshold.json") == {"null_score_diff_threshold": 0.0}
    for name, candidates in read(folder / "nbest_predictions.json").items():
        texts = [candidate["text"] for candidate in candidates]
        assert texts[0] == finetuning.answers().get(name, "") and texts.count("") == 1 and len(set(texts)) == len(texts)
        null, best = (
            next(c["start_logit"] + c["end_logit"] for c in candidates if bool(c["text"]) == kind)
            for kind in (False, True)
        )
        assert null - best == pytest.approx(odds[name])


def test_the_metrics_are_what_the_official_scorer_says_of_the_files(
    unanswering: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    metrics = read(unanswering.path / "metrics/squad.json")
    assert metrics.keys() == RESULTS - {"exact_match"} | V2
    assert (metrics["exact"], metrics["HasAns_total"], metrics["NoAns_exact"], metrics["NoAns_total"]) == (
        100,
        20,
        100,
        10,
    )
    assert metrics["by_type"]["no answer"] == {"exact": 100, "f1": 100, "total": 10}
    assert metrics["baselines"]["no_answer"]["exact"] == pytest.approx(33.3333)
    folder = unanswering.path / PREDICTIONS
    data = unanswering.path / "data/cloze/squad/dev-v1.1.json"
    files_given = [str(data), str(folder / "predictions.json"), "--null-odds", str(folder / "null_odds.json")]
    score_squad.main([*files_given, "--threshold", str(metrics["null_score_diff_threshold"])])
    for name, value in json.loads(capsys.readouterr().out).items():
        assert metrics[name] == pytest.approx(value, abs=1e-4), name


def test_the_best_threshold_is_searched_and_said(small: Project) -> None:
    finetuning.write_unanswerable(small.path)
    # Hardly trained: no fixed threshold is right.
    finetuning.write_params(small.path, squad__epochs=3, squad__null_score_diff_threshold=None, squad__version=2.0)
    main(arguments("squad"))
    metrics = read(small.path / "metrics/squad.json")
    threshold = read(PREDICTIONS / "null_threshold.json")["null_score_diff_threshold"]
    assert metrics["null_score_diff_threshold"] == pytest.approx(threshold, abs=1e-4) != 0
    assert metrics["f1"] == metrics["best_f1"] >= 33.3333, "always empty would be a third"
    predictions = read(PREDICTIONS / "predictions.json")
    assert all(
        bool(predictions[name]) == (odds <= threshold) for name, odds in read(PREDICTIONS / "null_odds.json").items()
    )


def test_a_best_threshold_needs_answers(small: Project) -> None:
    change_questions(small.path / "data/cloze/squad/dev-v1.1.json", answers=[])
    finetuning.write_params(small.path, squad__null_score_diff_threshold=None, squad__version="2.0")
    with pytest.raises(StageError, match=r"null_score_diff_threshold is null: .*dev-v1\.1\.json only asks"):
        main(arguments("squad"))


def test_a_file_without_a_single_answer_is_nothing_to_learn_from(small: Project) -> None:
    change_questions(small.path / "data/cloze/squad/train-v1.1.json", answers=[], is_impossible=True)
    with pytest.raises(StageError, match=r"train-v1\.1\.json: none of its 20 questions has an answer to learn from"):
        main(arguments("squad"))


@pytest.mark.parametrize("name", ["data/models/phase2", "data/cloze/squad/dev-v1.1.json"])
def test_a_missing_input_is_named(small: Project, name: str) -> None:
    (small.path / name).rename(small.path / "elsewhere")
    with pytest.raises(StageError, match=f"{name}: no such file"):
        main(arguments("squad"))


def test_a_batch_that_the_ranks_cannot_share_names_the_parameter(
    small: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BERT_MICRO_BATCH", "3")
    with pytest.raises(StageError, match=r"BERT_MICRO_BATCH is 3, .*squad\.batch_size 8 / 1 ranks"):
        main(arguments("squad"))
