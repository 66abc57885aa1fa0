"""The settings of where snapshots are kept, if not in the data folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from traitlets import Dict, TraitError, Unicode, validate
from traitlets.config import Configurable

from flownb.store.bucket import Bucket, Unusable


class Blobs(Configurable):
    """Part of the extension's settings."""

    blobs = Unicode(
        "",
        help="Where snapshots are kept, as a URL of fsspec like s3://bucket/prefix (needs `flownb[s3]`); empty for "
        "the data folder.",
    ).tag(config=True)
    blobs_options = Dict(
        {}, help="Options for that URL's file system. Kernels are told them: credentials are better in the environment."
    ).tag(config=True)

    @validate("blobs")
    def _a_place(self, proposal: Any) -> str:
        value = str(proposal["value"])
        if value and ("://" not in value or urlsplit(value).username is not None):
            raise TraitError("FlowNB.blobs is a URL like s3://bucket/prefix, without credentials: those are options")
        return value

    def _bucket(self, aside: Path) -> Bucket | None:
        """What keeps the snapshots, None for the data folder; raises ``TraitError``."""
        if not self.blobs:
            return None
        try:
            return Bucket(self.blobs, self.blobs_options, aside)
        except Unusable as error:
            raise TraitError(f"FlowNB.blobs: {error}") from None
