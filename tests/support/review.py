"""The review page as a person without a browser has it: its form, filled in and sent."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import httpx

BROWSER = {"Accept": "text/html,application/xhtml+xml"}


class ReviewPage:
    """One load of the page; its form is sent by ``send``, as often as one likes."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answer = httpx.get(url, headers=BROWSER)
        self.form = Form(self.answer.text)

    @property
    def text(self) -> str:
        return words(self.answer.text)

    def send(self, act: str, **typed: Any) -> httpx.Response:
        """What a click on the button ``act`` leads to; ``typed`` by the names of fields."""
        sent = {**self.form.values, **typed, "act": act}
        return httpx.post(
            httpx.URL(self.url).join(self.form.action), data=sent, headers=BROWSER, follow_redirects=True, timeout=30
        )


class Form(HTMLParser):
    """Where the form of a page goes, and what stands in it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.action = ""
        self.values: dict[str, Any] = {}
        self._within: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        name, value = given.get("name") or "", given.get("value") or ""
        if tag == "form":
            self.action = given["action"] or ""
        elif tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            self.values[name] = value
        elif tag in ("select", "textarea"):
            self._within = name
            self.values[name] = ""
        elif tag == "option" and "selected" in given and self._within:
            self.values[self._within] = value

    def handle_endtag(self, tag: str) -> None:
        if tag in ("select", "textarea"):
            self._within = None

    def handle_data(self, data: str) -> None:
        if self._within and self.lasttag == "textarea":
            self.values[self._within] += data.removeprefix("\n")


def words(html: str) -> str:
    """The words of a page, in a row."""
    body = html.partition("<main>")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())
