"""The page in a real browser, which has to be installed (Debian: apt-get install chromium)."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from matplotlib.image import imread

from bert.pipeline.code import ROOT
from bert.pipeline.params import load
from bert.report.dag import stages
from bert.report.inputs import read
from bert.report.page import render
from tests.chromium import Browser, Page
from tests.report.sample import benchmark, write, write_run

pytestmark = pytest.mark.slow
PARAMS = {"model": "tiny", "precision": "tf32", "seed": 12345, "finetune.init": "phase2", "squad.data": "cloze"}
VIEWS = [(400, False), (400, True), (1400, False), (1400, True)]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The url of the page of a whole run, one stage missing, some work published."""
    run = write_run(tmp_path_factory.mktemp("run"))
    metrics = run / "metrics"
    write(run, {f"benchmark_inference/large-384-{batch}": benchmark(384, batch) for batch in (1, 2, 4, 8)})
    (metrics / "export.json").unlink()
    found = read([metrics], [metrics / "curves"], [metrics / "provenance"], [metrics / "lengths"])
    path = run / "report.html"
    path.write_text(render(found, PARAMS, stages(ROOT / "dvc.yaml", load(ROOT / "params.yaml"))))
    return path.as_uri()


def opened(browser: Browser, report: str, width: int = 1400, dark: bool = False) -> Page:
    return browser.open(report, width, dark=dark, mobile=width < 600)


def unfold(page: Page) -> None:
    page.value("for (const fold of document.querySelectorAll('details')) fold.open = true")


# Of which the tests of sorting and copying speak: a row for each cell of inference.
TABLE = "table[aria-label='How each call of inference ran']"
TIMES = "table[aria-label='Each call of inference']"
BATCHES = ["1", "2", "4", "8", "1", "8", "16"]  # as written: by cell


def texts(page: Page, selector: str) -> Any:
    """Of all elements that it fits, from the top on."""
    return page.value(f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.textContent.trim())")


def batches(page: Page) -> Any:
    return texts(page, f"{TABLE} tbody td:nth-child(3)")


def order(page: Page) -> Any:
    """What the columns of the table say of their order."""
    return page.value(f"[...document.querySelectorAll({json.dumps(TABLE + ' thead th')})].map(e => e.ariaSort)")


@pytest.mark.parametrize(("width", "dark"), VIEWS)
def test_it_opens_alone_fits_and_can_be_read(browser: Browser, report: str, width: int, dark: bool) -> None:
    page = opened(browser, report, width, dark)
    unfold(page)
    assert page.faults == []
    assert page.requests == [report]
    assert page.value("document.documentElement.scrollWidth") <= width
    assert page.value("innerWidth") == width, "a telephone shows a page that is too wide as a smaller one"
    for name in (
        ".story",
        ".against",
        "tbody th",
        "tbody td.n",
        "thead button",
        ".same",
        ".notes li",
        "figcaption",
        "nav a",
        "summary",
        ".about",
        ".absent",
        ".copy",
    ):
        assert page.contrast(name) >= 4.5, name
    ink = page.value("getComputedStyle(document.body).color")
    assert (
        page.value(
            f"[...document.querySelectorAll('figure:not(.wide) svg text')].filter(e => "
            f"![{json.dumps(ink)}, 'rgb(0, 0, 0)'].includes(getComputedStyle(e).fill)).length"
        )
        == 0
    )


@pytest.mark.parametrize("caption", ["Throughput, sequences / s", "Latency by the published rules, ms"])
def test_on_a_telephone_a_figure_stands_in_view_beside_its_cell(browser: Browser, report: str, caption: str) -> None:
    page = opened(browser, report, 400)
    named = json.dumps(f"table[aria-label='{caption}'] tbody tr")
    rows = page.value(
        f"[...document.querySelectorAll({named})].map(({{cells: [, second]}}) => "
        "[second.textContent.trim(), second.getBoundingClientRect().right])"
    )
    assert len(rows) > 5 and max(right for _, right in rows) <= 400
    assert all(text == "\u2013" or text[0].isdigit() or text == "out of memory" for text, _ in rows), rows


def test_on_a_telephone_the_letters_of_a_drawing_can_be_read(browser: Browser, report: str) -> None:
    page = opened(browser, report, 400)
    sizes = page.value("""[...document.querySelectorAll("svg :is(text, tspan)")].map((letters) => {
      const {a, b} = letters.getScreenCTM();
      return parseFloat(getComputedStyle(letters).fontSize) * Math.hypot(a, b);
    })""")
    assert len(sizes) > 100 and min(sizes) >= 10


def test_a_wide_screen_shows_each_table_whole(browser: Browser, report: str) -> None:
    page = opened(browser, report)
    cut = """[...document.querySelectorAll("main > section > .table table")]
      .filter((table) => table.offsetWidth > table.parentElement.clientWidth).map((table) => table.ariaLabel)"""
    assert page.value("document.querySelectorAll('main > section > .table table').length") > 15
    assert page.value(cut) == []


@pytest.mark.parametrize("dark", [False, True])
def test_where_a_table_is_cut_off_there_is_a_shadow(browser: Browser, report: str, dark: bool, tmp_path: Path) -> None:
    page = opened(browser, report, 400, dark)
    table = f"document.querySelector({json.dumps(TIMES)})"

    def shades() -> list[float]:
        """How far the colours at the left and at the right edge of the table's head are from the page's own."""
        page.value(f"{table}.scrollIntoView()")
        left, right, top = page.value(
            f"(({{left, right, top}}) => [left, right, top])({table}.parentElement.getBoundingClientRect())"
        )
        page.picture(tmp_path / "seen.png")
        seen = imread(tmp_path / "seen.png")[int(top) + 3, :, :3]
        paper = seen[2]
        return [float(abs(seen[int(x)] - paper).max()) for x in (left + 1, right - 2)]

    left, right = shades()
    assert left < 0.02 and right > 0.08, "more to the right"
    page.value(f"{table}.parentElement.scrollLeft = 100")
    assert min(shades()) > 0.08, "to either side"
    page.value(f"{table}.parentElement.scrollLeft = 10000")
    left, right = shades()
    assert left > 0.08 and right < 0.02, "at its end"


def test_every_table_is_filled_and_every_drawing_is_drawn(browser: Browser, report: str) -> None:
    page = opened(browser, report)
    unfold(page)
    tables = page.value("""[...document.querySelectorAll("table")].map((table) => [
      table.ariaLabel,
      [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim()),
      [...table.tBodies[0].rows].map((row) => [...row.cells].map((cell) => [cell.colSpan, cell.textContent.trim()])),
    ])""")
    assert len(tables) > 20
    for name, head, rows in tables:
        assert name and all(head) and rows, name
        for row in rows:
            assert sum(span for span, _ in row) == len(head), (name, row)
            assert all(text for _, text in row), (name, row)
    sizes = page.value("[...document.querySelectorAll('svg')].map(e => [e.clientWidth, e.clientHeight])")
    assert len(sizes) >= 6 and all(width > 300 and height > 40 for width, height in sizes)


def test_a_click_sorts_by_a_column_another_turns_it_round_a_third_undoes_it(browser: Browser, report: str) -> None:
    page = opened(browser, report)
    assert batches(page) == BATCHES
    head = f"{TABLE} th:nth-child(3)"
    page.click(f"{head} button")
    assert batches(page) == ["1", "1", "2", "4", "8", "8", "16"], "by number, not by letter"
    assert order(page)[1:4] == [None, "ascending", None]
    page.click(f"{head} button")
    assert batches(page) == ["16", "8", "8", "4", "2", "1", "1"]
    assert order(page)[1:4] == [None, "descending", None]
    page.click(f"{head} button")
    assert batches(page) == BATCHES and set(order(page)) == {None}
    page.click(f"{head} button")
    for _ in range(2):
        page.click(f"{TABLE} th:nth-child(1) button")
    assert order(page)[:6] == ["descending", *[None] * 5], "one column at a time"
    names = texts(page, f"{TABLE} tbody th")
    assert names == [*(f"tiny-128-{n}" for n in (16, 8, 1)), *(f"large-384-{n}" for n in (8, 4, 2, 1))]


def test_it_is_sorted_with_the_keys_alone(browser: Browser, report: str) -> None:
    page = opened(browser, report)
    page.value(f"document.querySelector({json.dumps(TABLE + ' th:nth-child(2) button')}).focus()")
    page.press("Tab")
    assert page.value("document.activeElement.closest('th').cellIndex") == 2
    page.press("Enter")
    assert batches(page)[0:2] == ["1", "1"] and order(page)[2] == "ascending"
    page.press("Space")
    assert batches(page)[0] == "16" and order(page)[2] == "descending"
    assert page.value("document.activeElement.closest('th').cellIndex") == 2, "the focus stays"


def test_what_says_nothing_comes_last_in_either_direction(browser: Browser, report: str) -> None:
    page = opened(browser, report)
    table = "table[aria-label='Records of pretraining']"
    last = f"{table} tbody tr:last-child > :nth-child(6)"
    for _ in range(2):
        page.click(f"{table} th:nth-child(6) button")
        assert texts(page, f"{table} tbody td:nth-child(6)")[0] == "5.3 %" and texts(page, last) == ["\u2013"]


def test_a_groups_name_is_written_out_where_it_comes_first(browser: Browser, report: str) -> None:
    page = opened(browser, report)
    table = "table[aria-label='Records of pretraining']"

    def faded() -> Any:
        return page.value(
            f"[...document.querySelectorAll({json.dumps(table + ' tbody th')})]"
            ".map(e => [e.textContent, e.classList.contains('same')])"
        )

    written = faded()
    assert [same for _, same in written] == [False, True, False, True]
    page.click(f"{table} th:nth-child(2) button")  # train and test of both
    assert [same for _, same in faded()] == [False] * 4
    page.click(f"{table} th:nth-child(2) button")
    page.click(f"{table} th:nth-child(2) button")
    assert faded() == written


def test_folds_open_and_close_by_click_and_by_key(browser: Browser, report: str) -> None:
    page = opened(browser, report)
    fold = "#corpus ~ details"
    is_open = f"document.querySelector('{fold}').open"
    seen = f"document.querySelector('{fold} table').checkVisibility()"
    assert page.value("document.querySelectorAll('details[open]').length") == 0
    assert page.value(seen) is False
    page.click(f"{fold} summary")
    assert page.value(is_open) is True and page.value(seen) is True
    page.press("Enter")
    assert page.value(is_open) is False
    page.press("Space")
    assert page.value(is_open) is True


def expected_csv(page: Page) -> list[list[str]]:
    rows = page.value(
        f"[...document.querySelector({json.dumps(TIMES)}).rows]"
        ".map(row => [...row.cells].map(cell => cell.textContent.trim()))"
    )
    head, *others = rows
    texts = {head.index(name) for name in ("cell", "precision", "on")}
    return [head, *([text if n in texts else text.replace(",", "") for n, text in enumerate(row)] for row in others)]


def test_a_table_is_copied_as_csv(browser: Browser, report: str) -> None:
    page = opened(browser, report)
    browser.do("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    page.value(f"document.querySelector({json.dumps(TIMES)}).closest('.table').id = 'copied'")
    page.click("#copied .copy")
    page.until("document.querySelector('#copied [role=status]').textContent === 'copied'")
    found = list(csv.reader(io.StringIO(page.value("navigator.clipboard.readText()"))))
    assert found == expected_csv(page) and len(found) == 8
    assert found[0][-2] == "precision" and found[1][-2] == "fp16" and found[1][2] == "14272"


def test_without_a_clipboard_the_csv_is_shown_and_marked(browser: Browser, report: str) -> None:
    page = opened(browser, report)
    page.value("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.value(f"document.querySelector({json.dumps(TIMES)}).closest('.table').id = 'copied'")
    for _ in range(2):
        page.click("#copied .copy")
        page.until("document.querySelector('#copied textarea') !== null")
    marked = page.value("getSelection().toString()")
    assert list(csv.reader(io.StringIO(marked))) == expected_csv(page)
    assert page.value("document.querySelectorAll('#copied textarea').length") == 1 and page.faults == []
    assert "Ctrl+C" in texts(page, "#copied [role=status]")[0]


def test_on_a_telephone_the_middle_of_the_pipeline_is_in_view(browser: Browser, report: str) -> None:
    page = opened(browser, report, 400)
    left, right = page.value("""(() => {
      const box = document.querySelector(".wide .scroll");
      return [box.scrollLeft, box.scrollWidth - box.clientWidth - box.scrollLeft];
    })()""")
    assert left > 200 and abs(left - right) <= 2


def test_a_stage_of_the_picture_leads_to_its_figures(browser: Browser, report: str) -> None:
    page = opened(browser, report)
    page.click("svg.dag a[href='#stability']")
    page.until("location.hash === '#stability'")
    page.until("Math.abs(document.getElementById('stability').getBoundingClientRect().top) < 5")
