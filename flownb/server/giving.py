"""What cells are given beside the record: the values of their workflow's inputs, and a way to the data stores."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flownb.core.links import data_token
from flownb.core.masking import Mask
from flownb.core.model import Execution, Json, Status
from flownb.core.settings import Input
from flownb.core.told import context_id
from flownb.server.context import Given
from flownb.server.secrets import secret
from flownb.store.keys import Key


@dataclass(frozen=True)
class Address:
    """Where kernels reach this server: ``url`` ends in ``flownb/``; ``certificate`` is its own's SHA-256, or None."""

    url: str
    certificate: str | None = None


def fingerprint(certfile: str) -> str | None:
    """The SHA-256 of the certificate that a file begins with; None where there is none to read."""
    try:
        text = Path(certfile).read_text("ascii", errors="ignore")
        begin, end = text.index(ssl.PEM_HEADER), text.index(ssl.PEM_FOOTER) + len(ssl.PEM_FOOTER)
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(text[begin:end])).hexdigest()
    except (OSError, ValueError):
        return None


@dataclass(frozen=True)
class Giving:
    """Knows what each cell is given."""

    key: Key
    address: Address

    async def to(self, execution: Execution, inputs: Mapping[str, Input]) -> Given:
        """What a cell of the present segment is given. Raises ``NoSecret``."""
        names = list(inputs)
        values = await asyncio.gather(*(_value(inputs[name]) for name in names))
        secrets = [value["secret"] for value in values if "secret" in value]
        return Given(dict(zip(names, values, strict=True)), self._way(execution), Mask.of(secrets))

    def _way(self, execution: Execution) -> dict[str, Json] | None:
        """To the data stores; None for what does not run, such as an execution that somebody has opened."""
        return self._reached("data", self._key(execution))

    def to_snapshots(self, execution: Execution, opened: str | None) -> dict[str, Json] | None:
        """The way to an execution's snapshots for a kernel that does not see the data folder.

        Its key is that of the segment; for a kernel that a person ``opened``, its secret. None where it has neither.
        """
        return self._reached("snapshots", opened or self._key(execution))

    def _key(self, execution: Execution) -> str | None:
        if execution.status is not Status.RUNNING:
            return None
        return f"{context_id(execution)}.{data_token(self.key.secret, execution.id, execution.segments)}"

    def _reached(self, what: str, key: str | None) -> dict[str, Json] | None:
        if key is None:
            return None
        return {"url": f"{self.address.url}kernel/{what}", "key": key, "certificate": self.address.certificate}


async def _value(given: Input) -> dict[str, Json]:
    """An input as the kernel is told of it: by what it is."""
    if given.secret is not None:
        return {"secret": await secret(given.secret)}
    if given.data_store is not None:
        return {"data_store": given.data_store}
    return {"value": given.value}
