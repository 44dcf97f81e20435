"""bert/pipeline/options.py and what the README says of it."""

from __future__ import annotations

import re

import pytest

from bert.pipeline.code import ROOT
from bert.pipeline.options import beam_options

README = (ROOT / "README.md").read_text()
LINES = [line for line in README.splitlines() if "BERT_BEAM_OPTIONS" in line]
RECIPES = [given for line in LINES for given in re.findall(r"""["`](--runner=[^"`]+)["`]""", line)]


def test_the_readme_has_a_recipe_for_each_kind_of_cluster() -> None:
    runners = {recipe.split()[0].removeprefix("--runner=") for recipe in RECIPES}
    assert runners == {"FlinkRunner", "SparkRunner", "DataflowRunner", "PortableRunner"}
    assert len(RECIPES) == len([line for line in LINES if "--runner" in line]), "one that is not found is not checked"


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_of_the_readme_holds_options_that_beam_knows(recipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BERT_BEAM_OPTIONS", recipe)
    understood = beam_options(0, 0).get_all_options()
    given = [option.removeprefix("--").partition("=") for option in recipe.split()]
    for name, _, value in given:
        found = understood[name]
        assert found is True if not value else str(found) in (value, f"['{value}']")
