"""Links in messages and answers: on disk there is a mark in place of each secret, so that a stolen database opens
nothing."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import replace

from flownb.core.links import tokens
from flownb.core.model import Action, Attempt, Response
from flownb.store.keys import Key
from flownb.store.outbox import Message

_OPEN, _CLOSE = "\U0010fff0", "\U0010fff1"
"""Stand around the action of a link; of no use in texts, and taken out of them: nobody is to ask for a link so."""


def hidden(message: Message, key: Key) -> Message:
    """The message without the secrets of its attempt's links."""
    marks = {secret: _mark(action) for action, secret in _secrets(message, key).items()}
    return _rewritten(message, {_OPEN: "", _CLOSE: "", **marks})


def revealed(message: Message, key: Key) -> Message:
    """The message with its links, to be sent, or shown to who may use them."""
    return _rewritten(message, {_mark(action): secret for action, secret in _secrets(message, key).items()})


def masked(message: Message) -> Message:
    """The message for those who may not use its links."""
    return _rewritten(message, {_mark(action): "…" for action in Action})


def hidden_response(response: Response, execution: str, of: Attempt, key: Key) -> Response:
    """The answer of an attempt without the secrets of its links."""
    marks = {secret: _mark(action) for action, secret in tokens(key.secret, execution, of).items()}
    return _answer_rewritten(response, {_OPEN: "", _CLOSE: "", **marks})


def revealed_response(response: Response, execution: str, key: Key) -> Response:
    """The answer with its links, for the caller of the HTTP trigger."""
    assert response.of is not None
    secrets = tokens(key.secret, execution, response.of)
    return _answer_rewritten(response, {_mark(action): secret for action, secret in secrets.items()})


def masked_response(response: Response) -> Response:
    """The answer as it is shown."""
    return _answer_rewritten(response, {_mark(action): "…" for action in Action})


def _secrets(message: Message, key: Key) -> dict[Action, str]:
    return tokens(key.secret, message.execution, Attempt(*message.content["of"]))


def _mark(action: Action) -> str:
    return f"{_OPEN}{action}{_CLOSE}"


def _rewritten(message: Message, replacements: Mapping[str, str]) -> Message:
    """With each replacement made, in their order."""
    content = dict(message.content)
    for part in ("subject", "text", "html"):
        for old, new in replacements.items():
            content[part] = content[part] and content[part].replace(old, new)
    return replace(message, content=content)


def _answer_rewritten(response: Response, replacements: Mapping[str, str]) -> Response:
    headers, body = response.headers, response.body
    for old, new in replacements.items():
        headers = {name: value.replace(old, new) for name, value in headers.items()}
        if isinstance(body, dict):
            content = b64decode(body["base64"]).replace(old.encode(), new.encode())
            body = {"base64": b64encode(content).decode()}
        else:
            body = body and body.replace(old, new)
    return replace(response, headers=headers, body=body)
