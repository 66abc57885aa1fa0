"""Who may what, for tests: one account that may do nothing here, and one that may only look."""

from __future__ import annotations

from typing import Any

from jupyter_server.auth import Authorizer

STRANGER, READER = "stranger", "reader"


class Rights(Authorizer):
    """All others may do everything."""

    def is_authorized(self, handler: Any, user: Any, action: str, resource: str) -> bool:
        return user.username != STRANGER and (user.username != READER or action == "read")


SETTING = "--ServerApp.authorizer_class=tests.support.rights.Rights"
