"""What the kernel answers to an expression that the server sends along with a request."""

from __future__ import annotations

from flownb.core.jsonvalue import dumps
from flownb.core.reply import MIMETYPE


class Reply:
    """A JSON object that IPython "displays" onto the shell reply, which never gets lost, unlike outputs.

    It travels as ASCII text rather than as an object: lone surrogates in an author's strings would not pass the wire.
    """

    def __init__(self, **content: object) -> None:
        self.content = content

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {MIMETYPE: dumps(self.content), "text/plain": ""}
