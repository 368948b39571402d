"""A page in headless Chromium that reports everything it should not do."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A window's own buttons are a page, too, and dearer than ours.
    "--disable-features=InitialWebUI,WebUIReloadButton,WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIToolbar",
)

# Words whose contrast is too low for their size: WCAG 2.2 AA, 1.4.3.
CONTRAST = """() => {
  const parse = (text) => {
    const found = text.match(/[\\d.]+/g)?.map(Number) ?? [0, 0, 0, 0];
    return { r: found[0], g: found[1], b: found[2], a: found[3] ?? 1 };
  };
  const linear = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = ({ r, g, b }) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour.a > 0.99) return colour;
    }
    return { r: 255, g: 255, b: 255 };
  };
  const low = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const box = element.getBoundingClientRect();
    if (!own || box.width < 2 || box.height < 2 || element.closest(".hidden, .skip, svg, option")) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(parse(style.color)), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    if (ratio < (large ? 3 : 4.5)) low.push(`${element.tagName}.${element.className}: ${ratio.toFixed(2)}`);
  }
  return [...new Set(low)];
}"""

# Controls without a name, images without a text, ids twice, headings that skip, pages without a main part.
NAMES = """() => {
  const wrong = [];
  const label = (one) => one.getAttribute("aria-label") || one.labels?.[0]?.textContent.trim();
  const name = (one) => label(one) || one.textContent.trim() || one.title;
  for (const one of document.querySelectorAll("a, button, input, select, summary, [role=region], dialog")) {
    if (!name(one) && !one.getAttribute("aria-labelledby")) wrong.push(`no name: ${one.outerHTML.slice(0, 80)}`);
  }
  for (const one of document.querySelectorAll("img")) if (one.getAttribute("alt") === null) wrong.push("no alt");
  const ids = [...document.querySelectorAll("[id]")].map((one) => one.id);
  if (new Set(ids).size !== ids.length) wrong.push("an id is there twice");
  if (document.querySelectorAll("main").length !== 1) wrong.push("not one main");
  if (document.querySelectorAll("h1").length < 1) wrong.push("no h1");
  if (!document.documentElement.lang) wrong.push("no language");
  for (const one of document.querySelectorAll("th")) if (!one.scope) wrong.push("th without scope");
  return wrong;
}"""


class Watched:
    """A page and what went wrong on it."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.wrong: list[str] = []
        page.on("console", lambda one: self.wrong.append(one.text) if one.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda one: None if one.url.startswith(origin) else self.wrong.append(f"asked {one.url}"))

    def overflow(self) -> int:
        """Count the pixels by which the page is wider than the window."""
        found = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert isinstance(found, int)
        return found


@contextmanager
def chromium() -> Iterator[Any]:
    """Start Chromium, or skip and say so; where everything is checked it has to be there."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed, and here the dashboard must be looked at")
        pytest.skip("THE DASHBOARD WAS NOT LOOKED AT: no Chromium; install it or set CHROMIUM to its path")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()
