"""Logins for tests: whoever has the token says by a header who they are, as a proxy would."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth import IdentityProvider, User


class People(IdentityProvider):
    """``X-User: ann`` is the account ann, whom people call Ann."""

    async def get_user(self, handler: Any) -> User | None:
        """The account of the header; without one, whoever has the token."""
        name = handler.request.headers.get("X-User")
        user = await super()._get_user(handler)
        return User(name, name.title(), name.title()) if user and name else user


SETTING = "--ServerApp.identity_provider_class=tests.support.people.People"
