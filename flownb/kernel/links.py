"""The links of a pause, kept from being shown by accident: whoever has one may resume or cancel the execution."""

from __future__ import annotations

from collections.abc import Mapping


class Links(dict[str, str]):
    """A dict of exactly ``resume_url`` and ``cancel_url``; ``review_url``, the page for people, is an attribute.

    Shown or printed as a whole, the secret part of each URL is masked; the items themselves are the real URLs.
    """

    __slots__ = ("review_url",)

    review_url: str

    def __init__(self, resume_url: str, cancel_url: str, review_url: str) -> None:
        super().__init__(resume_url=resume_url, cancel_url=cancel_url)
        self.review_url = review_url

    def __repr__(self) -> str:
        return repr({name: f"{url.rpartition('/')[0]}/…" for name, url in self.items()})


INERT = Links(*(f"http://127.0.0.1/flownb/inert/{action}" for action in ("resume", "cancel", "review")))
"""What a cell run by hand gets: nothing answers there."""


def reveals(text: str, urls: Mapping[str, str]) -> bool:
    """Whether ``text``, a value written as JSON, has one of these URLs in it."""
    return any(url in text for url in urls.values())
