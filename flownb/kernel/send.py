"""``pd.send``: what a step tells people."""

from __future__ import annotations

from collections.abc import Sequence

from flownb.core.mail import mail
from flownb.kernel.cells import running


class Send:
    """Mail from a step."""

    def __init__(self) -> None:
        self.__module__ = "flownb"  # pickled as flownb.pd.send, a name that stays

    def email(self, *, subject: str, text: str, html: str | None = None, to: str | Sequence[str] | None = None) -> None:
        """Send a mail when this step has ended, however it ends; where the step is repeated, it is sent once.

        ``text`` is what everybody can read, ``html`` the same for those who like it better. ``to`` is an address, a
        list of them, or None for the owner of the server. Where the step pauses for somebody, the mail ends with the
        link to the review page and with what happens if nobody acts. Raises ``InvalidValue`` at the call where the mail
        could not be sent as it is.
        """
        running().mail(mail(subject, text, html, to))

    def __reduce__(self) -> str:
        return "pd.send"


send = Send()
