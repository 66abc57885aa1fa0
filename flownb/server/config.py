"""What the settings say, as the service is given it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from flownb.core.proxies import Proxies
from flownb.server.limits import Limits
from flownb.server.smtp import Smtp
from flownb.store.bucket import Bucket
from flownb.store.prunable import Keep


@dataclass(frozen=True)
class Config:
    """What the settings say, in the units of the code."""

    data_dir: Path
    root: Path
    runs_dir: Path | None
    journal_mode: str
    store: str = field(repr=False)
    lease_seconds: float
    key_file: Path
    max_running: int
    warm_seconds: float
    shutdown_seconds: float
    kernel_memory: int | None
    max_snapshot_bytes: int
    bucket: Bucket | None
    keep_snapshots_seconds: float
    keep: Keep
    max_import_bytes: int
    limits: Limits
    smtp: Smtp
    notify: tuple[str, ...] = field(repr=False)
    proxies: Proxies
