"""JupyterHub: what a Hub tells the servers that it starts, as the server of one user or as a service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Hub:
    """``public_url``: this server through the Hub's proxy, empty where the Hub has not been told its own address."""

    public_url: str
    prefix: str
    service: str

    @classmethod
    def around(cls, environment: Mapping[str, str]) -> Hub | None:
        """The Hub that this server belongs to; None where there is none.

        ``JUPYTERHUB_HOST`` does not serve for the address: where users have subdomains, it is that of the Hub alone.
        """
        prefix = environment.get("JUPYTERHUB_SERVICE_PREFIX", "")
        if not environment.get("JUPYTERHUB_API_URL") or not prefix:
            return None
        url = environment.get("JUPYTERHUB_PUBLIC_URL", "")
        return cls(url, prefix, environment.get("JUPYTERHUB_SERVICE_NAME", ""))

    def warnings(self, *, addressed: bool) -> list[str]:
        """What an operator is to know; ``addressed`` where the settings say what links begin with."""
        found = []
        if not addressed and not self.public_url:
            found.append(
                f"links begin with this server's own address, because the Hub has not said under which one others "
                f"reach {self.prefix}: set c.JupyterHub.public_url in the Hub's configuration, or c.FlowNB.public_url"
            )
        if not self.service:
            found.append(
                "this is a Hub user's server: timers and links work only while it runs. What is to go on without its "
                "user belongs in a Hub service"
            )
        return found
