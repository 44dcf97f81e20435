"""bert/report/story.py and sentences.py: what they say of good runs, of bad ones, and of none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from markupsafe import Markup

from bert.report.inputs import Inputs, read
from bert.report.story import story
from tests.report.sample import GPU, METRICS, PRETRAINED, write

PARAMS: dict[str, Any] = {
    **{"model": "tiny", "finetune.init": "imported", "squad.data": "cloze", "glue.data": "cloze"},
    **{"tfrecords.phase1.sequence_length": 128, "tfrecords.phase2.sequence_length": 512},
}
SQUAD: dict[str, Any] = METRICS["squad"]


def told(metrics: dict[str, Any], params: dict[str, Any] = PARAMS) -> str:
    return " ".join(Markup(part).striptags() for part in story(Inputs(metrics), params))


def test_it_says_what_was_trained_on_what_and_where(tmp_path: Path) -> None:
    write(tmp_path, {"pretrain_phase1": PRETRAINED, "documents/wikipedia": {"documents": 106}}, GPU)
    write(tmp_path, {"documents/text": {"documents": 300}, "shards": {"train": {"words": 440753}}})
    metrics = tmp_path / "metrics"
    (first,) = story(read([metrics], [], [metrics / "provenance"]), PARAMS)
    assert first.striptags().startswith(
        "A BERT of the shape “tiny” was pretrained on 106 Wikipedia articles and 300 documents of plain text (440,753 "
        "words to train on): 600 steps of 64 sequences of 128 tokens (0.49 epochs), in tf32, ran as fp32 on "
        "2 x NVIDIA H100."
    )


def test_of_pretraining_the_last_phase_is_held_against_who_knows_no_context() -> None:
    phase2 = {**PRETRAINED, "nats_below_unigram": 1.41}
    both = told({"pretrain_phase1": PRETRAINED, "pretrain_phase2": phase2})
    assert "finds 21.2 % of the masked tokens. Its loss is 1.41 nats below that of a model" in both
    worse = told({"pretrain_phase1": {**PRETRAINED, "nats_below_unigram": -0.3}})
    assert "0.30 nats above" in worse and "it has learned nothing from context" in worse


def test_the_next_sentence_is_at_chance_where_the_same_answer_to_all_is_as_good() -> None:
    records = {"test": {"examples": 1000, "random_next": 600}}  # 60.0 %; the model is right in 61.2 % of 1,000
    shown = told({"pretrain_phase1": PRETRAINED, "tfrecords/phase1": records})
    assert "61.2 % of 1,000 pairs; the same answer to all of them would be right in 60.0 %: at chance." in shown
    assert "in 50.0 %." in told({"pretrain_phase1": PRETRAINED})


def test_a_score_stands_beside_its_controls_and_the_best_guess() -> None:
    shown = told({"squad": SQUAD, "squad_control/random": {"f1": 14.2}})
    assert (
        "The imported model, fine-tuned on 700 questions made from the corpus, answers 24.1 % of 410 others exactly "
        "(F1 31.5). The same training reaches F1 14.2 from random weights. The best guess without a model (random "
        "span) has 15.5: the one from random weights is no better than that."
    ) in shown
    ours = told({"squad": SQUAD}, PARAMS | {"finetune.init": "phase2", "squad.data": "download"})
    assert "The model of phase 2, fine-tuned on 700 questions, answers" in ours and "no better" not in ours


def test_an_imported_model_beside_one_that_was_pretrained_here_is_the_second() -> None:
    both = {"pretrain_phase1": PRETRAINED, "squad": SQUAD}
    assert "second" not in told({"squad": SQUAD})
    assert "A second model, imported and fine-tuned on 700 questions made from the corpus, answers" in told(both)
    assert "The model of phase 1, fine-tuned on" in told(both, PARAMS | {"finetune.init": "phase1"})


def test_a_task_says_on_how_many_examples_it_was_trained_and_that_it_is_scored_on_others() -> None:
    mrpc = {"accuracy": 74.13, "count": 460, "train_examples": 3664, "steps": 192, "global_batch": 8}
    assert told({"glue/mrpc": mrpc}) == (
        "The imported model, fine-tuned on 1,536 pairs made from the corpus, in the format of MRPC, is right on 74.1 % "
        "of 460 others."
    )
    longer, published = {**mrpc, "steps": 1000}, PARAMS | {"glue.data": "download", "finetune.init": "random"}
    assert told({"glue/mrpc": longer}, published) == (
        "A model of random weights, fine-tuned on 3,664 examples of MRPC, is right on 74.1 % of 460 others."
    )
    cola = {"mcc": 45.0, "count": 1043}
    assert "fine-tuned on examples of CoLA, reaches 45.0 % in Matthews correlation on 1,043 others." in told(
        {"glue/cola": cola}, published
    )


def test_baselines_have_names_that_need_no_code() -> None:
    baselines = {"position": {"f1": 3.0}, "random_span_of_type": {"f1": 20.0}, "random_span": {"f1": 10.0}}
    assert "(random span of the answer's type) has 20.0" in told({"squad": {**SQUAD, "baselines": baselines}})


def test_a_result_that_guessing_reaches_too_is_called_so() -> None:
    shown = told({"squad": {**SQUAD, "f1": 16.0}})
    assert "has 15.5: this model is no better than that." in shown
    few = told({"squad": {**SQUAD, "f1": 31.456, "count": 10}})
    assert "this model is no better than that" in few, "ten questions cannot tell"


def test_of_several_seeds_there_is_a_spread() -> None:
    metrics = {"glue/mrpc": METRICS["glue/mrpc"], "stability": METRICS["stability"]}
    shown = told(metrics)
    assert "is right on 74.1 % of 408 others. Over 2 seeds its accuracy is 73.0 ± 2.8." in shown
    assert "±" not in told({"glue/mrpc": METRICS["glue/mrpc"]})


def test_many_tasks_are_told_by_their_mean_and_those_at_chance_by_name() -> None:
    tasks: dict[str, Any] = {f"glue/{name}": {"accuracy": 80.0, "count": 500} for name in ("sst2", "rte", "wnli")}
    tasks["glue/cola"] = {"mcc": 4.0, "count": 500, "baselines": {"majority": {"mcc": 0.0}}}
    tasks["glue/rte"]["baselines"] = {"majority": {"accuracy": 50.0}}
    shown = "The imported model, fine-tuned on each of 4 tasks of GLUE, has a mean score of 61.0 %. At chance: CoLA."
    assert shown in told(tasks)
    assert "At chance" not in told(tasks | {"glue/cola": {**tasks["glue/cola"], "mcc": 40.0}})


def test_the_fastest_cell_speaks_for_each_benchmark() -> None:
    cell = {"sequences_per_second": 100.4, "precision": "fp16", "roofline": {"peak_fraction": 0.25}}
    slow, large = {**cell, "sequences_per_second": 9.0}, {"out_of_memory": True, "precision": "fp16"}
    shown = told({f"benchmark_training/squad-{n}": m for n, m in {"a": slow, "b": cell, "c": large}.items()})
    assert shown == (
        "The benchmarks time random tokens, with a vocabulary of 30,522 pieces and batches of their own: their speeds "
        "are not those of the trainings above. In the fastest cells training takes 100 sequences a second (squad-b, "
        "fp16, 25.0 % of the machine's measured peak)."
    )


def test_nothing_is_told_of_nothing_but_how_much_is_to_come() -> None:
    assert story(Inputs(), {}) == ()
    (left,) = story(Inputs(missing=frozenset({"squad", "vocab"})), {})
    assert left == "2 stages have not run yet; below, each stands with its command."
