"""README.md, docs/, CONTRIBUTING.md: each command would do what the page says, and what they link to is there.

Commands that only look are run, in a copy of the repository. Of the others all is held against the programs but the
work itself: DVC's own parser and ours take the flags, dvc.yaml has the stage, params.yaml the parameter, and the value
is one that the stage takes. What needs more than this repository says so on the page.
"""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from bert.pipeline.code import ROOT
from bert.pipeline.errors import StageError
from bert.pipeline.params import load
from tests.dvc import run
from tests.pages import (
    Block,
    Unknown,
    Wrong,
    blocks,
    check_command,
    given_sections,
    merged,
    pages,
    ran,
    read,
    spans,
    substituted,
)

FILE = re.compile(r"(?:bert|stages|tests|setup|benchmarks|presets|docs)/[\w/.-]*\w\.(?:py|sbatch|yaml|json|md)\b")
LINK = re.compile(r"\]\(([^)\s]+)\)")
LINES = {"README.md": 150, **{page: 140 for page in pages() if page != "README.md"}}
CHARACTERS = 400
"""Of a line outside of tables and blocks: more is no sentence."""
ONLY_LOOK = re.compile(
    r"dvc (stage list|status|metrics show)( [\w@]+)*|git diff code/"
    r"|python -m stages\.(params|scratch|preset)( .*)?|python -m stages\.\w+ --help"
)
"""Commands that take a second and change nothing but their own folder."""
PAGES = [*pages(), "CONTRIBUTING.md"]
BLOCKS = [block for page in PAGES for block in blocks(page)]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository as a clone has it, with a commit."""
    folder = tmp_path_factory.mktemp("docs") / "repository"
    for name in run(ROOT, "git", "ls-files", "--cached", "--others", "--exclude-standard").stdout.splitlines():
        if not name.startswith(("tests/", ".dvc/")) and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name, follow_symlinks=False)
    run(folder, "git", "init", "-q", "-b", "main")
    run(folder, "dvc", "init", "-q")
    run(folder, "git", "add", "-A")
    run(folder, "git", "commit", "-qm", "as cloned")
    return folder


def params_of(page: str, folder: Path) -> Path:
    """params.yaml with the sections that the page tells a reader to write."""
    if not (given := given_sections(page)):
        return ROOT / "params.yaml"
    path = folder / "params.yaml"
    with open(path, "w", encoding="utf-8") as f:
        YAML(typ="safe", pure=True).dump(merged(load(ROOT / "params.yaml"), given), f)
    return path


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_each_command_would_do_what_the_page_says(block: Block, repository: Path, tmp_path: Path) -> None:
    params = params_of(block.page, tmp_path)
    for command in block.commands():
        try:
            check_command(command, params)
        except Unknown as unknown:
            if block.needs is None:
                pytest.fail(f"{block}: no test runs `{unknown}`: write above the block <!-- needs: (what it needs) -->")
            continue
        words = shlex.split(substituted(command), comments=True)
        if block.needs is None and ONLY_LOOK.fullmatch(" ".join(words)):
            ran(words, repository)


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_parameters_in_the_text_are_there(page: str, tmp_path: Path) -> None:
    params = params_of(page, tmp_path)
    for command in spans(page):
        check_command(command, params)


@pytest.mark.parametrize(
    "command",
    [
        "dvc exp run -S precison=bf16",
        "dvc exp run -S precision=bf61",
        "dvc exp run -S +precison=bf16",
        "dvc exp run -S pretrain.phase1.step=2",
        "dvc exp run --sett precision=bf16",
        "dvc repro pretrain_phase3",
        "dvc repro glue@mprc",
        "dvc pull data/models/phase3",
        "dvc metrics dif HEAD",
        "BERT_RANK=2 dvc repro",
        "BERT_RANKS=two dvc repro",
        "env BERT_RANK=2 dvc repro",
        "git diff && dvc repro pretrain_phase3",
        "python -m stages.asks --model x",
        "python -m stages.ask --modle x",
        "python -m stages.pretrain --phase phase3 --records a --vocab b --metrics c --provenance d",
        "python -m benchmarks.scale --samples 3",
        "dvc exp run $(python -m stages.preset no_such_machine)",
        "make reproduce",
    ],
)
def test_a_typo_on_a_page_is_found(command: str) -> None:
    with pytest.raises((Wrong, StageError)):
        check_command(command, ROOT / "params.yaml")


@pytest.mark.parametrize(
    "command", ["sbatch setup/slurm.sbatch", "pip install x", "dvc push && tensorboard --logdir x"]
)
def test_a_command_of_others_has_to_be_marked(command: str) -> None:
    with pytest.raises(Unknown):
        check_command(command, ROOT / "params.yaml")


@pytest.mark.parametrize("page", pages())
def test_a_page_is_one_screen_or_two(page: str) -> None:
    assert len(read(page).splitlines()) <= LINES[page]


@pytest.mark.parametrize("page", pages())
def test_no_line_of_a_page_is_a_page(page: str) -> None:
    text = re.sub(r"(?ms)^```.*?^```$", "", read(page))
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("|")]
    assert [line for line in lines if len(line) > CHARACTERS] == []


def test_whoever_writes_a_page_is_told_these_limits() -> None:
    text = " ".join(read("CONTRIBUTING.md").partition("## How to write a page")[2].split())
    told = re.findall(r"at most (\d+)", text)[:3]
    assert list(map(int, told)) == [LINES["README.md"], LINES["docs/speed.md"], CHARACTERS]


@pytest.mark.parametrize("page", pages())
def test_a_page_has_one_title(page: str) -> None:
    text = re.sub(r"(?ms)^```.*?^```$", "", read(page))
    assert re.findall(r"(?m)^# .+$", text) == [text.splitlines()[0]]


def test_each_page_is_in_the_readme_s_list() -> None:
    table = read("README.md").partition("## Where to read on")[2]
    assert {f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")} <= set(LINK.findall(table))


def anchors(page: Path) -> set[str]:
    """As GitHub makes them of headings."""
    headings = re.findall(r"(?m)^#+ (.+)$", page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", [*PAGES, "CHANGELOG.md"])
def test_what_a_page_links_to_is_there(page: str) -> None:
    for link in LINK.findall(re.sub(r"(?ms)^```.*?^```$", "", read(page))):
        if re.match(r"https?://|mailto:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (ROOT / page).parent / file if file else ROOT / page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("name", [*PAGES, "CHANGELOG.md"])
def test_the_files_that_are_named_are_there(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    made = {"stages/test_vocab.py", "tests/stages/test_vocab.py"}
    assert [file for file in FILE.findall(text) if not (ROOT / file).exists() and file not in made] == []


def test_each_list_to_follow_names_files_that_are_there() -> None:
    """A line names files by their whole path first, then others of the same folder by their names."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    lists = text[text.index("## Where to read") : text.index("### Words")]
    found = 0
    for line in lists.splitlines():
        folder = None
        for file in re.findall(r"`([\w/]+\.py)`", line.partition("#")[0]):
            folder = file.rpartition("/")[0] if "/" in file else folder
            path = file if "/" in file else f"{folder}/{file}"
            assert (ROOT / path).is_file(), line
            found += 1
    assert found > 30
