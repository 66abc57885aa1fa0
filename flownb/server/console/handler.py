"""What the handlers of the console share: its look, its policy, what is told after an action, and errors as pages."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import jinja2
from tornado import web

from flownb.core.errors import FlowNBError, InvalidValue
from flownb.core.times import iso
from flownb.server.api_decide import SigningHandler
from flownb.server.base import code_of
from flownb.server.console.words import ADVICE, FILTERS, Notice, notice
from flownb.server.reviews import Sent
from flownb.server.templating import STATIC, encoded, environment

Word = TypeVar("Word", bound=StrEnum)

POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ]
)


@cache
def templates() -> jinja2.Environment:
    """All templates, with the console's own filters."""
    made = environment()
    made.filters.update(FILTERS)
    return made


@cache
def static_version() -> str:
    """Changes with the files that browsers keep."""
    names = sorted(STATIC.iterdir())
    return hashlib.sha256(b"".join(name.read_bytes() for name in names)).hexdigest()[:12]


class ConsoleHandler(SigningHandler):
    """Pages say what is wrong in words; who may only read sees no buttons."""

    via = "console"

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "same-origin")

    async def prepare(self) -> None:  # type: ignore[override]  # as in Jupyter's own handlers
        await super().prepare()
        if not self._finished:
            self.whole_body()  # raises where it is too large

    @property
    def content_security_policy(self) -> str:
        return POLICY

    @property
    def now(self) -> int:
        return self._service.clock.now()

    def url(self, *parts: str, **query: str | Sequence[str] | None) -> str:
        """An address of the console."""
        said = urlencode({name: value for name, value in query.items() if value}, doseq=True)
        path = "/".join(quote(part, safe="") for part in parts)
        return f"{self.base_url}flownb/{path}{'?' + said if said else ''}"

    async def show(self, template: str, code: int = 200, **values: Any) -> None:
        """Answer with a page. With what executions exported, it may take long to write: off the event loop."""
        said = values.pop("said", None) or self._said()
        shared = {
            "home": self.url(),
            "url": self.url,
            "jupyter": self.base_url,
            "static": f"{self.base_url}static/flownb/",
            "version": static_version(),
            "may_write": await self.may_write(),
            "user": self.login_name(),
            "now": iso(self.now),
            "xsrf": self.xsrf_token.decode(),
            "said": said,
        }
        page = templates().get_template(f"console/{template}")
        html = await asyncio.to_thread(page.render, **shared, **values)
        self.set_status(code)
        self.finish(encoded(html))

    def notebook_url(self, path: str) -> str:
        """Where Jupyter shows a notebook below the server's root folder."""
        apps = self.settings["serverapp"].extension_manager.extension_apps if "serverapp" in self.settings else {}
        place = "lab/tree" if "jupyterlab" in apps or "notebook" not in apps else "notebooks"
        return f"{self.base_url}{place}/{quote(path)}"

    def go(self, address: str) -> None:
        """Answer a form that was sent: the browser is to load this page."""
        self.redirect(address, status=303)

    def wanted(self, name: str) -> str | None:
        """What the address says to that name, None where it says nothing."""
        return self.get_query_argument(name, "").strip() or None

    def one_of(self, kind: type[Word], name: str) -> Word | None:
        said = self.wanted(name)
        try:
            return kind(said) if said else None
        except ValueError:
            raise InvalidValue(f"{name} is one of {', '.join(kind)}, not {said!r}") from None

    def sent(self) -> Sent:
        """What the form of a decision holds; raises ``InvalidValue``."""
        try:
            return Sent.read(self.request.body)
        except ValueError as error:
            raise InvalidValue(f"the form cannot be read: {error}") from None

    def _said(self) -> Notice | None:
        """What the page before has led to."""
        return notice(self.get_query_arguments("said"))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """A page that says what is wrong, and what to do."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, FlowNBError):
            code, message, reason = code_of(error), str(error), error.reason
        elif isinstance(error, web.HTTPError):
            code, message, reason = status_code, error.log_message or "", str(status_code)
        else:
            code, message, reason = 500, "", "500"
        page = templates().get_template("console/error.html")
        self.set_status(code)
        title, advice = ADVICE.get(reason) or ADVICE.get(str(code)) or ADVICE["500"]
        shared = {"home": self.url(), "jupyter": self.base_url, "static": f"{self.base_url}static/flownb/"}
        told = {"title": title, "message": message, "advice": advice, "version": static_version()}
        self.finish(encoded(page.render(**shared, **told, url=self.url, user=None, said=None)))


def choices(kind: Iterable[StrEnum]) -> list[str]:
    """The values of an enumeration, for a list to choose from."""
    return [word.value for word in kind]
