"""A keyring that servers in tests are given."""

from __future__ import annotations

from keyring.backend import KeyringBackend


class OneSecret(KeyringBackend):
    """Holds one secret, and no other."""

    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        return "kept-in-a-keyring" if (service, username) == ("flownb", "IN_KEYRING") else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise NotImplementedError

    def delete_password(self, service: str, username: str) -> None:
        raise NotImplementedError
