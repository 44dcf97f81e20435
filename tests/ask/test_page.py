"""bert/ask/page.html.j2 in a real browser, which has to be installed (Debian: apt-get install chromium)."""

from __future__ import annotations

import urllib.parse
from pathlib import Path
from typing import Any

import pytest

from bert.ask import server as of_ask
from bert.ask.server import AskServer
from bert.tasks.squad.asking import Asker
from tests.ask.conftest import DOCUMENT, serving
from tests.chromium import Browser, Page

pytestmark = pytest.mark.slow
# What a browser makes of the document: it knows one kind of line end in a form.
TEXT = DOCUMENT.replace("\r\n", "\n")
READY = "!document.getElementById('ask').disabled && document.getElementById('said').textContent"


def asked(server: AskServer, question: str) -> str:
    return f"{server.address}?{urllib.parse.urlencode({'question': question})}"


def chosen(page: Page) -> Any:
    """[what is marked as chosen, what stands before it, whether it is in view, what the list says is chosen]"""
    return page.value("""(() => {
      const mark = document.querySelector("mark.chosen"), view = document.getElementById("marked");
      const before = document.createRange();
      before.setStart(view, 0);
      before.setEndBefore(mark);
      const a = mark.getBoundingClientRect(), b = view.getBoundingClientRect();
      return [mark.textContent, before.toString(), a.top >= b.top && a.bottom <= b.bottom,
              document.querySelector("[aria-current=true] .what").textContent];
    })()""")


@pytest.mark.parametrize("question", ["moon?", "😀", "القمر", "abc <b>"])
def test_each_answer_is_marked_where_it_stands(
    browser: Browser, server: AskServer, asker: Asker, question: str
) -> None:
    (reply,) = asker.ask(TEXT, [question], windows=4)
    page = browser.open(asked(server, question))
    page.until(READY)
    assert page.value("document.getElementById('context').value") == TEXT
    assert page.value("document.getElementById('marked').textContent") == TEXT
    assert "Read 4 of " in page.value("document.getElementById('said').textContent")
    assert page.value("document.querySelectorAll('#answers li').length") == 3
    for number, answer in enumerate(reply.answers[:3], start=1):
        page.click(f"#answers li:nth-child({number}) button")
        assert chosen(page) == [answer.text, TEXT[: answer.start], True, answer.text]


def test_it_is_used_with_the_keys_alone(browser: Browser, server: AskServer) -> None:
    page = browser.open(server.address)
    page.until("document.activeElement.id === 'question'")
    page.type("moon?")
    page.press("Enter")
    page.until(READY)
    page.until("document.querySelector('mark.chosen') !== null")
    for _ in range(4):  # button, box, first answer, second answer
        page.press("Tab")
    assert page.value("document.activeElement.closest('li') === document.querySelectorAll('#answers li')[1]")
    page.press("Enter")
    assert chosen(page)[3] == page.value("document.querySelectorAll('#answers .what')[1].textContent")
    # The text can be changed and asked again.
    page.click("#edit")
    assert page.value("document.activeElement.id") == "context"
    page.value("document.getElementById('context').value = ''")
    page.type("only, this")
    page.click("#ask")
    page.until(f"{READY} && document.getElementById('said').textContent.startsWith('Read 1 of 1 ')")
    assert page.value("document.getElementById('marked').textContent") == "only, this"


def test_nothing_is_asked_of_any_other_server(browser: Browser, server: AskServer) -> None:
    page = browser.open(asked(server, "moon?"))
    page.until(READY)
    names = page.value("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert names == [f"{server.address}answer"]


@pytest.mark.parametrize(("width", "dark"), [(400, False), (400, True), (1400, False), (1400, True)])
def test_it_fits_and_can_be_read(browser: Browser, server: AskServer, pictures: Path, width: int, dark: bool) -> None:
    page = browser.open(asked(server, "moon?"), width, dark=dark)
    page.until(READY)
    page.picture(pictures / f"{width}-{'dark' if dark else 'light'}.png")
    assert page.value("document.documentElement.scrollWidth") <= width
    left, right = (
        page.value(f"document.querySelector('{name}').getBoundingClientRect().toJSON()") for name in (".text", "form")
    )
    if width == 1400:
        assert left["right"] < right["left"]
    else:
        assert left["bottom"] < right["top"]
    for name in ("body", "mark.chosen", "#said", "li button", "#ask", ".where"):
        assert page.contrast(name) >= 4.5, name


def test_a_text_of_200_000_characters(browser: Browser, asker: Asker) -> None:
    text = "abc, xyz, 😀.\n" * 7692 + "the moon is far\n" + "e\u0301 abc.\n" * 12_500
    assert len(text) >= 200_000
    with serving(asker, document=text, windows=1) as server:
        page = browser.open(asked(server, "moon?"))
        page.until(READY)
        assert "Read 1 of " in page.value("document.getElementById('said').textContent")
        marked, before, is_in_view, listed = chosen(page)
    assert marked == listed and text.startswith(before + marked) and is_in_view
    assert abs(len(before) - text.index("moon")) < 100


def test_what_goes_wrong_is_said(browser: Browser, asker: Asker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_ask, "MOST_BYTES", 1000)
    with serving(asker, document="moon") as server:
        page = browser.open(server.address)
        page.until("document.activeElement.id === 'question'")
        page.value("document.getElementById('context').value = ' '")
        page.type("moon?")
        page.press("Enter")
        page.until(READY)
        assert page.value("document.getElementById('said').textContent").startswith("No answer: the text has no token.")
        page.value("document.getElementById('context').value = 'a'.repeat(1000)")
        page.click("#ask")
        page.until("document.querySelector('.fault') !== null")
        assert page.value("document.getElementById('said').textContent").startswith("The text is too long: ")
        page.value("document.getElementById('context').value = 'moon'")
    # Connections that the browser had in store may still be told that the server ends.
    for _ in range(10):
        page.click("#ask")
        page.until(READY)
        said = page.value("document.getElementById('said').textContent")
        if said == "The server does not answer: has it ended?":
            break
    else:
        pytest.fail(said)
