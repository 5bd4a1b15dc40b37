"""A real browser for the tests of the tape's player.

    pip install -e ".[browser]" && pytest browser

The browser is Chromium or Chrome if the system has one (Debian: `apt install chromium`), else the
one that `playwright install chromium` brings. Without any the tests fail and say so.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

import minigrad

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    installed = next(filter(None, map(shutil.which, NAMES)), None)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=installed, args=FLAGS)
        yield launched
        launched.close()


class Shown:
    """A page that is open: the browser's page, and what must stay empty."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.errors.append(message.text))
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))

    def text(self, selector: str) -> str:
        return self.page.locator(selector).first.inner_text()

    def label(self, key: str) -> str:
        """What a screen reader says of a box of the graph."""
        return self.page.locator(f"[data-key='{key}']").get_attribute("aria-label") or ""

    def wait_until(self, condition: str) -> None:
        """Wait for an expression; Playwright's own way needs `eval`, which the page forbids."""
        for _ in range(200):
            if self.page.evaluate(condition):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"it does not become true: {condition}")

    def step(self) -> int:
        return int(self.page.locator("#slider").input_value())

    def go(self, step: int) -> None:
        self.page.evaluate(f"player.go({step})")


Open = Callable[..., Shown]


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Open a tape as a double click does. Afterwards: no message, and no request but the file."""
    opened: list[tuple[Shown, str]] = []

    def open_tape(tape: Any, anchor: str = "", **options: Any) -> Shown:
        path = tmp_path / "tape.html"
        tape.save(path)
        shown = Shown(browser.new_context(**{"viewport": DESKTOP, **options}).new_page())
        shown.page.set_default_timeout(20_000)
        shown.page.goto(path.as_uri() + anchor)
        opened.append((shown, path.as_uri()))
        return shown

    yield open_tape
    for shown, address in opened:
        outside = [u for u in shown.requests if not u.startswith((address, "data:", "about:"))]
        shown.page.context.close()
        assert (shown.errors, outside) == ([], [])


def regression(epochs: int = 5) -> Any:
    """The documents' regression, as in examples/linear_regression_tensors.py."""
    torch = minigrad
    with torch.autograd.graph.record() as tape:
        x_train = torch.FloatTensor([[1], [2], [3]])
        y_train = torch.FloatTensor([[1], [2], [3]])
        W = torch.zeros(1, requires_grad=True)
        b = torch.zeros(1, requires_grad=True)
        optimizer = torch.optim.SGD([W, b], lr=0.01)
        for _ in range(epochs):
            hypothesis = x_train * W + b
            cost = torch.mean((hypothesis - y_train) ** 2)
            optimizer.zero_grad()
            cost.backward()
            optimizer.step()
    return tape
