"""A real browser, Debian's chromium without a screen, led through a pipe by the DevTools protocol.

https://chromedevtools.github.io/devtools-protocol/: JSON messages that end with a zero byte, on descriptors 3 and 4.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

SECONDS = 100
KEYS = {"Tab": ("Tab", 9, ""), "Enter": ("Enter", 13, "\r"), "Space": (" ", 32, " ")}


class Browser:
    """chromium, until the end of the block."""

    def __init__(self, program: str, folder: Path) -> None:
        """folder: for its profile and log."""
        # Above 9, so that none of them is one of the two that the browser gets them as.
        into, out, back, answers = (fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in (*os.pipe(), *os.pipe()))
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        flags += ["--remote-debugging-pipe", f"--user-data-dir={folder / 'profile'}", "about:blank"]
        with open(folder / "chromium.log", "wb") as log:
            self._process = subprocess.Popen(
                ["bash", "-c", f'exec "$@" 3<&{into} 4>&{answers}', "bash", program, *flags],
                pass_fds=(into, answers),
                stdout=log,
                stderr=log,
            )
        os.close(into)
        os.close(answers)
        self._out, self._back, self._waiting, self._number = out, back, b"", 0
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            os.write(self._out, b'{"id": 0, "method": "Browser.close"}\0')
            self._process.wait(SECONDS)
        finally:
            self._process.kill()
            self._process.wait()
            os.close(self._out)
            os.close(self._back)

    def do(self, method: str, session: str | None = None, **params: Any) -> Any:
        """Send a command; its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        os.write(self._out, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        while (found := self._next()).get("id") != self._number:
            self.events.append(found)
        assert "error" not in found, (method, found)
        return found["result"]

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + SECONDS
        while b"\0" not in self._waiting:
            ready, _, _ = select.select([self._back], [], [], max(0, end - time.monotonic()))
            assert ready, f"chromium has been silent for {SECONDS} s"
            read = os.read(self._back, 1 << 20)
            assert read, "chromium has ended"
            self._waiting += read
        message, _, self._waiting = self._waiting.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def _tabs(self) -> list[str]:
        """The ids of all tabs."""
        return [tab["targetId"] for tab in self.do("Target.getTargets")["targetInfos"] if tab["type"] == "page"]

    def open(self, url: str, width: int = 1400, height: int = 800, dark: bool = False, mobile: bool = False) -> Page:
        """The url in a tab of its own, the only one: one in the background is not drawn, and gets no focus.

        mobile: as a telephone shows it, which makes the page as wide as what is in it.
        """
        before = self._tabs()
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        for tab in before:
            self.do("Target.closeTarget", targetId=tab)
        end = time.monotonic() + SECONDS
        while self._tabs() != [target]:  # one that is closed is listed for a while, and cannot be closed again
            assert time.monotonic() < end, f"a tab has not closed within {SECONDS} s"
            time.sleep(0.01)
        page = Page(self, self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        page.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        page.do("Emulation.setEmulatedMedia", features=[scheme])
        page.do("Emulation.setFocusEmulationEnabled", enabled=True)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.do(f"{domain}.enable")
        page.do("Page.navigate", url=url)
        page.until("location.href !== 'about:blank' && document.readyState === 'complete'")
        return page


class Page:
    """One tab."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser, self._session = browser, session

    def do(self, method: str, **params: Any) -> Any:
        return self._browser.do(method, self._session, **params)

    def _events(self, method: str) -> list[dict[str, Any]]:
        """What such events have said of this tab so far."""
        of_this = [event for event in self._browser.events if event.get("sessionId") == self._session]
        return [event["params"] for event in of_this if event["method"] == method]

    @property
    def faults(self) -> list[dict[str, Any]]:
        """Exceptions that nothing caught, and what the console shows as an error or a warning."""
        self.value("0")  # what came before has been read by now
        written = [e for e in self._events("Runtime.consoleAPICalled") if e["type"] in ("error", "warning", "assert")]
        logged = [e for e in self._events("Log.entryAdded") if e["entry"]["level"] in ("error", "warning")]
        return [*self._events("Runtime.exceptionThrown"), *written, *logged]

    @property
    def requests(self) -> list[str]:
        """The urls that have been asked for, the page's own first."""
        self.value("0")
        return [event["request"]["url"] for event in self._events("Network.requestWillBeSent")]

    def value(self, script: str) -> Any:
        """Of a JavaScript expression."""
        found = self.do("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, script: str) -> Any:
        """The first value of the expression that is true, and no element."""
        end = time.monotonic() + SECONDS
        while not (found := self.value(script)):
            assert time.monotonic() < end, f"not within {SECONDS} s: {script}"
            time.sleep(0.02)
        return found

    def type(self, text: str) -> None:
        """Into what has the focus."""
        self.do("Input.insertText", text=text)

    def press(self, name: str) -> None:
        key, code, text = KEYS[name]
        common = {"key": key, "code": name, "windowsVirtualKeyCode": code}
        self.do("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.do("Input.dispatchKeyEvent", type="keyUp", **common)

    def click(self, selector: str) -> None:
        """With the mouse, in the middle of it."""
        name = json.dumps(selector)
        self.value(f"document.querySelector({name}).scrollIntoView({{block: 'nearest'}})")
        box = self.value(f"document.querySelector({name}).getBoundingClientRect().toJSON()")
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2, "button": "left", "clickCount": 1}
        self.do("Input.dispatchMouseEvent", type="mousePressed", **at)
        self.do("Input.dispatchMouseEvent", type="mouseReleased", **at)

    def contrast(self, selector: str) -> float:
        """Of an element's letters to what is behind them (WCAG 2.2, contrast ratio)."""

        def luminance(colour: str) -> float:
            parts = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
            linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
            return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

        ink, paper = self.value(f"""(() => {{
          let element = document.querySelector({json.dumps(selector)});
          const ink = getComputedStyle(element).color;
          while (getComputedStyle(element).backgroundColor === "rgba(0, 0, 0, 0)") element = element.parentElement;
          return [ink, getComputedStyle(element).backgroundColor];
        }})()""")
        light, dark = sorted((luminance(ink), luminance(paper)), reverse=True)
        return (light + 0.05) / (dark + 0.05)

    def picture(self, path: Path, whole: bool = False) -> None:
        """What is in view, or the whole page, as PNG."""
        taken = self.do("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(taken["data"]))
