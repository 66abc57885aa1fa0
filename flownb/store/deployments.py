"""What is deployed, and all that ever was."""

from __future__ import annotations

from flownb.core import links
from flownb.core.deployment import Deployment, NoSuchVersion, NoSuchWorkflow
from flownb.core.model import Json
from flownb.store import sql
from flownb.store.engine import Database
from flownb.store.keys import Key

_ALL = """SELECT d.name, v.number, v.version, v.notebook, v.at, v.by, d.active, d.serial, v.restores
          FROM deployments d JOIN deployed v ON v.name = d.name"""


def current(db: Database, name: str) -> Deployment | None:
    """The version that a name stands for, also where it starts nothing any more."""
    return _first(db, f"{_ALL} AND v.number = d.number WHERE d.name = ?", name)


def all_current(db: Database) -> list[Deployment]:
    """The version that each name stands for, by name."""
    return [_made(row) for row in sql.query(db, f"{_ALL} AND v.number = d.number ORDER BY d.name")]


def history(db: Database, name: str) -> list[Deployment]:
    """All versions that were deployed under a name, the latest first."""
    return [_made(row) for row in sql.query(db, f"{_ALL} WHERE d.name = ? ORDER BY v.number DESC", name)]


def numbered(db: Database, name: str, number: int) -> Deployment | None:
    """One of the versions that were deployed under a name."""
    return _first(db, f"{_ALL} WHERE d.name = ? AND v.number = ?", name, number)


def unfinished(db: Database, name: str) -> dict[str, int]:
    """How many executions of a workflow are not over, by their version."""
    counted = """SELECT version, count(*) AS n FROM executions INDEXED BY executions_named
                 WHERE workflow = ? AND status IN ('queued', 'running', 'suspended') GROUP BY version"""
    return {row["version"]: row["n"] for row in sql.query(db, counted, name)}


def by_hook(db: Database, token: str) -> Deployment | None:
    """The active deployment whose hook URL has this secret."""
    known = f"{_ALL} AND v.number = d.number JOIN hooks h ON h.name = d.name AND h.serial = d.serial"
    return _first(db, f"{known} WHERE d.active = 1 AND h.fingerprint = ?", links.fingerprint(token))


def put(db: Database, key: Key, name: str, version: str, notebook: str, now: int, by: str | None) -> Deployment:
    """Deploy a version that is on disk under a name; where it is what the name stands for already, it stays that."""
    known = current(db, name)
    if known is None:
        sql.insert(db, "deployments", {"name": name, "number": 0, "active": 1, "serial": 1})
        add_hook(db, key, name, 1)
    if known is None or (known.version, known.notebook) != (version, notebook):
        _add(db, name, version=version, notebook=notebook, at=now, by=by, restores=None)
    sql.update(db, "deployments", {"active": 1}, "name = ?", name)
    return _current(db, name)


def roll_back(db: Database, name: str, number: int, now: int, by: str | None) -> Deployment:
    """An earlier version is current again, under a new number: what was current before stays on record.

    Raises ``NoSuchWorkflow`` where the name is not active, or ``NoSuchVersion``.
    """
    known = demand_active(db, name)
    meant = numbered(db, name, number)
    if meant is None:
        raise NoSuchVersion(name, number)
    if (known.version, known.notebook) != (meant.version, meant.notebook):
        _add(db, name, version=meant.version, notebook=meant.notebook, at=now, by=by, restores=meant.origin)
    return _current(db, name)


def _add(db: Database, name: str, **version: Json) -> None:
    latest = db.execute("SELECT coalesce(max(number), 0) FROM deployed WHERE name = ?", (name,)).fetchone()[0]
    sql.insert(db, "deployed", {"name": name, "number": latest + 1, **version})
    sql.update(db, "deployments", {"number": latest + 1}, "name = ?", name)


def _current(db: Database, name: str) -> Deployment:
    found = current(db, name)
    assert found is not None
    return found


def demand_active(db: Database, name: str) -> Deployment:
    """What a name stands for; raises ``NoSuchWorkflow`` where it starts nothing."""
    found = current(db, name)
    if found is None or not found.active:
        raise NoSuchWorkflow(name)
    return found


def replace_hook(db: Database, key: Key, name: str) -> Deployment:
    """A workflow has a new hook URL; the one before is unknown from then on. Raises ``NoSuchWorkflow``."""
    serial = demand_active(db, name).serial + 1
    add_hook(db, key, name, serial)
    sql.update(db, "deployments", {"serial": serial}, "name = ?", name)
    return _current(db, name)


def end(db: Database, name: str) -> Deployment:
    """The name starts nothing any more; its versions and its hook URL are kept for another deployment.

    Raises ``NoSuchWorkflow``.
    """
    found = demand_active(db, name)
    sql.update(db, "deployments", {"active": 0}, "name = ?", name)
    return found


def add_hook(db: Database, key: Key, name: str, serial: int) -> None:
    """Make a hook URL known."""
    fingerprint = links.fingerprint(links.hook_token(key.secret, name, serial))
    row = (fingerprint, name, serial, key.name)
    db.execute("INSERT INTO hooks VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row)


def adopt_hooks(db: Database, key: Key) -> None:
    """Make hook URLs that were made with another key known under this one too."""
    for row in sql.query(db, "SELECT DISTINCT name, serial FROM hooks WHERE key <> ?", key.name):
        add_hook(db, key, row["name"], row["serial"])


def _first(db: Database, query: str, *values: str | bytes | int) -> Deployment | None:
    row = sql.first_row(db, query, *values)
    return _made(row) if row else None


def _made(row: sql.Row) -> Deployment:
    return Deployment(**{**row, "active": bool(row["active"])})
