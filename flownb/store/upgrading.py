"""Before a database is brought up to date: it is one that this version knows."""

from __future__ import annotations

from sqlite_utils import Database

from flownb.core.errors import FlowNBError
from flownb.store.schema import migrations


class TooNew(FlowNBError):
    """A later version of flownb has written the database; nothing in it was touched."""

    reason = "too_new"


def demand_known(db: Database) -> None:
    """Raises ``TooNew`` where a migration was applied that this version does not have."""
    ours = {one.name for one in migrations._migrations}
    unknown = [one.name for one in migrations.applied(db) if one.name not in ours]
    if unknown:
        raise TooNew(
            f"a later version of flownb has written it (its schema has {unknown[0]!r}): start that version again, or "
            "restore a backup that this one has made"
        )
