"""Links in messages and answers: on disk there is a mark in place of each secret, so that a stolen database opens
nothing."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from flownb.core.links import branch, branch_token, branches, tokens
from flownb.core.model import Action, Attempt, Response
from flownb.store.keys import Key
from flownb.store.outbox import Message

_OPEN, _CLOSE = "\U0010fff0", "\U0010fff1"
"""Stand around the action of a link; of no use in texts, and taken out of them: nobody is to ask for a link so."""


def hidden(message: Message, key: Key) -> Message:
    """The message without the secrets of its attempt's links."""
    return _rewritten(message, partial(_hidden, secrets=_secrets(message, key)))


def revealed(message: Message, key: Key) -> Message:
    """The message with its links, to be sent, or shown to who may use them."""
    return _rewritten(message, partial(_revealed, secrets=_secrets(message, key)))


def masked(message: Message) -> Message:
    """The message for those who may not use its links."""
    return _rewritten(message, _masked)


def hidden_response(response: Response, execution: str, of: Attempt, key: Key) -> Response:
    """The answer of an attempt without the secrets of its links."""
    return _answer_rewritten(response, partial(_hidden, secrets=tokens(key.secret, execution, of)))


def revealed_response(response: Response, execution: str, key: Key) -> Response:
    """The answer with its links, for the caller of the HTTP trigger."""
    assert response.of is not None
    return _answer_rewritten(response, partial(_revealed, secrets=tokens(key.secret, execution, response.of)))


def masked_response(response: Response) -> Response:
    """The answer as it is shown."""
    return _answer_rewritten(response, _masked)


def _secrets(message: Message, key: Key) -> dict[Action, str]:
    return tokens(key.secret, message.execution, Attempt(*message.content["of"]))


_MARK = re.compile(rf"{_OPEN}({'|'.join(Action)})(?:\.([0-9a-f]+))?{_CLOSE}")


def _mark(action: Action, branch: str = "") -> str:
    """The name of a branch in hexadecimal, so that nothing in it is taken for a sign of its own."""
    named = f".{branch.encode(errors='surrogatepass').hex()}" if branch else ""
    return f"{_OPEN}{action}{named}{_CLOSE}"


def _hidden(text: str, secrets: Mapping[Action, str]) -> str:
    text = text.replace(_OPEN, "").replace(_CLOSE, "")
    for action, secret in secrets.items():
        text = text.replace(secret, _mark(action))
        for found in branches(text, [secret]):
            if (of := branch(found)) is not None:
                text = text.replace(found, _mark(action, of.name))
    return text


def _revealed(text: str, secrets: Mapping[Action, str]) -> str:
    def shown(mark: re.Match[str]) -> str:
        secret, name = secrets[Action(mark[1])], mark[2]
        return branch_token(secret, bytes.fromhex(name).decode(errors="surrogatepass")) if name else secret

    return _MARK.sub(shown, text)


def _masked(text: str) -> str:
    return _MARK.sub("…", text)


def _rewritten(message: Message, rewrite: Callable[[str], str]) -> Message:
    texts = {part: message.content[part] for part in ("subject", "text", "html")}
    found = {part: text and rewrite(text) for part, text in texts.items()}
    return replace(message, content={**message.content, **found})


def _answer_rewritten(response: Response, rewrite: Callable[[str], str]) -> Response:
    headers = {name: rewrite(value) for name, value in response.headers.items()}
    body = response.body
    if isinstance(body, dict):
        content = rewrite(b64decode(body["base64"]).decode(errors="surrogateescape"))
        body = {"base64": b64encode(content.encode(errors="surrogateescape")).decode()}
    elif body:
        body = rewrite(body)
    return replace(response, headers=headers, body=body)
