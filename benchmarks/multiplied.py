"""A data folder with many suspended executions: a server makes one of them, and its rows and files are copied.

So each of them is what the server would have written: it can be found by its links, resumed, and run to its end.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import closing
from pathlib import Path

from flownb.core.links import fingerprint, token
from flownb.core.model import Action, Attempt
from flownb.store import keys
from flownb.store.folder import DataFolder
from flownb.store.sqlite import SqliteConnection, open_database
from tests.support.notebooks import cell, write
from tests.support.server import Server

ASK = Attempt("ask", 1, 1)
CELLS = (
    cell("import json\nrows = [{'n': n, 'text': f'row {n}'} for n in range(100)]\nprint(len(rows))", "load"),
    cell("kept = [row for row in rows if row['n'] % 3]\npd.export('kept', len(kept))", "clean"),
    cell("pd.flow.suspend(300 * 86_400_000, reason='Is this right?')", "ask"),
    cell("pd.export('total', sum(row['n'] for row in kept))", "publish"),
    cell("json.dumps(kept)[:100]", "report"),
)
AT_ONCE = 100_000
"""Executions in one transaction."""

LINKS = 10_000
"""So many names of one file at most; file systems allow some 65,000."""


def make(root: Path, executions: int) -> None:
    """Fill the data folder of a server with this root folder, which it makes."""
    root.mkdir()
    _make_one(root)
    folder = DataFolder(root / ".flownb")
    key = keys.read_or_make(folder.key)
    with closing(open_database(folder.database, "WAL")) as db:
        (first,) = (row["id"] for row in db.query("SELECT id FROM executions"))
        for start in range(0, executions - 1, AT_ONCE):
            with db.conn:
                _copy_rows(db, first, range(start, min(start + AT_ONCE, executions - 1)), key)
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    _copy_files(folder.snapshots.folder(first), executions - 1)


def execution_id(n: int) -> str:
    """The id of the nth copy; as unlike the one before as those of a server."""
    return hashlib.sha256(f"copy {n}".encode()).hexdigest()[:16]


def resume_token(folder: DataFolder, n: int) -> str:
    """The secret of the link that resumes the nth copy."""
    return token(keys.read_or_make(folder.key).secret, execution_id(n), ASK, Action.RESUME)


def set_timers(root: Path, count: int, at: int) -> None:
    """Have so many pauses end within the second after ``at``, in ms since 1970, in an order of their own."""
    with closing(open_database(DataFolder(root / ".flownb").database, "WAL")) as db, db.conn:
        timers = [(at + n * 7919 % count * 1000 // count, execution_id(n)) for n in range(count)]
        db.conn.executemany("UPDATE executions SET due_at = ? WHERE id = ?", timers)
        db.conn.executemany("UPDATE pauses SET wakes_at = ? WHERE execution = ?", timers)


def _make_one(root: Path) -> None:
    server = Server(root, "--FlowNB.warm_seconds=0", "--FlowNB.pool_size=0").start()
    try:
        server.wait(server.submit(write(root, "work.ipynb", *CELLS)), "suspended")
    finally:
        server.stop()
        server.http.close()


def _copy_rows(db: SqliteConnection, first: str, numbers: range, key: keys.Key) -> None:
    def link_of(execution: str, action: str) -> bytes:
        return fingerprint(token(key.secret, execution, ASK, Action(action)))

    db.register_function(link_of)
    db.execute("CREATE TEMP TABLE copies (id TEXT)")
    db.conn.executemany("INSERT INTO copies VALUES (?)", ((execution_id(n),) for n in numbers))
    for table in ("executions", "steps", "pauses", "links", "outputs", "checkpoints", "journal"):
        own = "id" if table == "executions" else "execution"
        changed = {own: "copies.id", "fingerprint": "link_of(copies.id, action)"}
        names = [column.name for column in db.table(table).columns if column.name != "seq"]
        values = ", ".join(changed.get(name, f"rows.{name}") for name in names)
        rows = f"(SELECT * FROM {table} WHERE {own} = ?) AS rows"
        db.execute(f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM copies CROSS JOIN {rows}", (first,))
    db.execute("UPDATE meta SET value = (SELECT max(seq) FROM journal) WHERE name = 'recorded'")
    db.execute("DROP TABLE copies")


def _copy_files(first: Path, copies: int) -> None:
    """Each has a folder of its own with the checkpoints; their content is shared, by ever new files."""
    files = [file.relative_to(first) for file in first.rglob("*") if file.is_file()]
    folders = [file.relative_to(first) for file in first.rglob("*") if file.is_dir()]
    source = first
    for n in range(copies):
        folder = first.parent / execution_id(n)
        if n % LINKS == LINKS - 1:
            source = Path(shutil.copytree(source, folder))
            continue
        folder.mkdir(mode=0o700)
        for name in folders:
            (folder / name).mkdir(mode=0o700)
        for name in files:
            os.link(source / name, folder / name)
