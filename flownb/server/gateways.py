"""Gateways as the settings name them: ours, or Jupyter's own ``GatewayClient``."""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator
from jupyter_server.gateway.gateway_client import GatewayClient

from flownb.bridge.gateway import Access
from flownb.bridge.gateways import LOCAL
from flownb.core.errors import InvalidValue

_TEXT = {"type": "string", "minLength": 1}

SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["url"],
    "properties": {
        "url": {"type": "string", "pattern": f"^(https?://[^/@]+.*|{LOCAL})$"},
        "name": _TEXT,
        "token": _TEXT,
        "token_env": _TEXT,
        "labels": {"type": "array", "items": _TEXT},
        "weight": {"type": "number", "minimum": 0},
        "slots": {"type": "integer", "minimum": 1},
        "ca_certs": _TEXT,
        "client_cert": _TEXT,
        "client_key": _TEXT,
        "validate_cert": {"type": "boolean"},
    },
}
_PASSED_ON = ("ca_certs", "client_cert", "client_key", "validate_cert", "weight", "slots")


def accesses(said: Sequence[Mapping[str, Any]], environment: MutableMapping[str, str] | None = None) -> list[Access]:
    """What the setting says; raises ``InvalidValue``, which tells no token.

    Tokens are taken out of the environment, so that no kernel inherits them; without one they are left out.
    """
    found = [_access(place, one, environment) for place, one in enumerate(said)]
    names = [access.name for access in found]
    for name in names:
        if names.count(name) > 1:
            raise InvalidValue(f"FlowNB.gateways: there are two of the name {name!r}: give each its own `name`")
    for one in said:
        if environment is not None:
            environment.pop(one.get("token_env", ""), None)
    return found


def _access(place: int, said: Mapping[str, Any], environment: Mapping[str, str] | None) -> Access:
    where = f"FlowNB.gateways[{place}]"
    for error in Draft202012Validator(SCHEMA).iter_errors(said):
        raise InvalidValue(f"{where}: {_complaint(error)}")
    if "token" in said and "token_env" in said:
        raise InvalidValue(f"{where}: it has either `token` or `token_env`")
    token = said.get("token")
    if environment is not None and "token_env" in said:
        token = environment.get(said["token_env"])
        if not token:
            raise InvalidValue(f"{where}: the environment has no {said['token_env']}, which is to hold its token")
    url = said["url"].rstrip("/")
    return Access(
        said.get("name") or urlsplit(url).netloc or LOCAL,
        url,
        headers={"Authorization": f"token {token}"} if token else {},
        labels=frozenset(said.get("labels", ())),
        **{key: said[key] for key in _PASSED_ON if key in said},
    )


def _complaint(error: Any) -> str:
    """Without the value, which may be a token."""
    if error.validator == "additionalProperties":
        known, given = SCHEMA["properties"], error.instance
        wrong = ", ".join(f"`{key}`" for key in given if key not in known)
        return f"it has no {wrong}; there are {', '.join(known)}"
    key = ".".join(str(part) for part in error.absolute_path)
    expected = {"required": "`url` is missing", "pattern": f"`url` is an http(s) URL without a name, or {LOCAL!r}"}
    return expected.get(error.validator) or f"`{key}` is no valid {error.schema.get('type', 'value')}"


def jupyters_own() -> list[Access]:
    """The gateway that Jupyter itself runs its kernels on, by its own settings; none where it does not."""
    client: Any = GatewayClient.instance()
    if not client.gateway_enabled:
        return []
    headers = json.loads(client.headers) if client.headers else {}
    if client.auth_token:
        headers.setdefault(client.auth_header_key, f"{client.auth_scheme} {client.auth_token}".strip())
    url = client.url.rstrip("/")
    return [
        Access(
            urlsplit(url).netloc,
            url,
            (client.ws_url or "").rstrip("/"),
            headers,
            client.http_user,
            client.http_pwd,
            client.ca_certs,
            client.client_cert,
            client.client_key,
            client.validate_cert,
            client.kernels_endpoint,
        )
    ]
