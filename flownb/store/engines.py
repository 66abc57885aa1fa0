"""Which database a store is kept in."""

from __future__ import annotations

from pathlib import Path

from flownb.store.engine import Engine
from flownb.store.sqlite import Sqlite
from flownb.store.writer import StoreError


def engine(url: str, path: Path, journal_mode: str = "WAL", lease: float = 10.0) -> Engine:
    """Postgres where there is a URL, else SQLite; raises ``StoreError``. ``lease`` is that of Postgres."""
    if not url:
        return Sqlite(path, journal_mode)
    try:
        from flownb.store.postgres import Postgres
    except ImportError as error:
        raise StoreError(f"a store in Postgres needs `pip install 'flownb[postgres]'` ({error})") from None
    return Postgres(url, lease)
