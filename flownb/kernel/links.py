"""The links of a pause, kept from being shown by accident: whoever has one may resume or cancel the execution."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flownb.core.links import branch_token, branches


class Links(dict[str, str]):
    """A dict of exactly ``resume_url`` and ``cancel_url``; ``review_url``, the page for people, is an attribute.

    ``approver_urls`` has by mail address the review page of each approver who is known by one. Shown or printed as a
    whole, the secret part of each URL is masked; the items themselves are the real URLs.
    """

    __slots__ = ("approver_urls", "review_url")

    review_url: str
    approver_urls: dict[str, str]

    def __init__(self, resume_url: str, cancel_url: str, review_url: str) -> None:
        super().__init__(resume_url=resume_url, cancel_url=cancel_url)
        self.review_url = review_url
        self.approver_urls = {}

    def __repr__(self) -> str:
        return repr({name: f"{url.rpartition('/')[0]}/…" for name, url in self.items()})

    def of(self, name: str) -> Links:
        """The links of one alternative or one approver alone."""
        return Links(*(_branch(url, name) for url in (self["resume_url"], self["cancel_url"], self.review_url)))


class WaitLinks(dict[str, Any]):
    """The ``Links`` of each alternative that has some, by its name, and ``cancel_url``, which is that of the whole.

    ``cancel_url`` and ``review_url``, the page on which people choose, are attributes too.
    """

    __slots__ = ("cancel_url", "review_url")

    cancel_url: str
    review_url: str

    def __init__(self, whole: Links, names: Iterable[str]) -> None:
        super().__init__({name: whole.of(name) for name in names}, cancel_url=whole["cancel_url"])
        self.cancel_url = whole["cancel_url"]
        self.review_url = whole.review_url

    def __repr__(self) -> str:
        return repr({**self, "cancel_url": f"{self.cancel_url.rpartition('/')[0]}/…"})


def _branch(url: str, name: str) -> str:
    root, _, token = url.rpartition("/")
    return f"{root}/{branch_token(token, name)}"


INERT = Links(*(f"http://127.0.0.1/flownb/inert/{action}" for action in ("resume", "cancel", "review")))
"""What a cell run by hand gets: nothing answers there."""


def reveals(text: str, links: Links) -> bool:
    """Whether ``text``, a value written as JSON, has one of these links in it, or one of an alternative or approver."""
    urls = (*links.values(), links.review_url)
    return any(url in text for url in urls) or bool(branches(text, (url.rpartition("/")[2] for url in urls)))
