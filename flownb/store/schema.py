"""The tables. A change is a new migration at the end: databases of every earlier version must open."""

from __future__ import annotations

from sqlite_utils import Database, Migrations

from flownb.store.common_tables import COMMON
from flownb.store.first_tables import FIRST

migrations = Migrations("flownb")


@migrations()
def first(db: Database) -> None:
    """Versions, executions with their steps and pauses, links, outputs and the journal."""
    _run(db, FIRST)


@migrations()
def checkpoints(db: Database) -> None:
    """The namespace at the end of every step, not of the latest alone; what the attempt before the present raised."""
    _run(db, _CHECKPOINTS)


@migrations()
def people(db: Database) -> None:
    """Reminders of a pause, and the messages that are to be sent."""
    _run(db, _PEOPLE)


@migrations()
def queue(db: Database) -> None:
    """What waits for a slot, in the order in which it gets one."""
    _run(db, _QUEUE)


@migrations()
def deployments(db: Database) -> None:
    """Workflows under names, what started their executions, and a queue for each of them."""
    _run(db, _DEPLOYMENTS)


@migrations()
def rollbacks(db: Database) -> None:
    """Which earlier version a rollback made current again."""
    _run(db, _ROLLBACKS)


@migrations()
def usage(db: Database) -> None:
    """The bill; of what ran before, the totals of each execution that is still there."""
    _run(db, _USAGE)


@migrations()
def data(db: Database) -> None:
    """What workflows keep between their executions."""
    _run(db, _DATA)


@migrations()
def schedules(db: Database) -> None:
    """When deployed workflows start by themselves."""
    _run(db, _SCHEDULES)


@migrations()
def responses(db: Database) -> None:
    """What steps answer the callers of HTTP triggers."""
    _run(db, _RESPONSES)


@migrations()
def watched_files(db: Database) -> None:
    """The files that have started a workflow."""
    _run(db, _WATCHED_FILES)


@migrations()
def waits(db: Database) -> None:
    """What executions wait for besides requests and timers, named events, and approvals."""
    _run(db, _WAITS)


@migrations()
def seals(db: Database) -> None:
    """Entries of the journal and outputs are signed from here on."""
    _run(db, _SEALS)


@migrations()
def ends(db: Database) -> None:
    """Executions that are over, in the order in which they ended."""
    _run(db, _ENDS)


@migrations()
def failures(db: Database) -> None:
    """Executions that have failed, by what is equal in their errors."""
    _run(db, _FAILURES)


@migrations()
def moves(db: Database) -> None:
    """Where executions went that were moved to another machine."""
    _run(db, _MOVES)


@migrations()
def servers(db: Database) -> None:
    """Who is at work on the store, and who runs what."""
    _run(db, _SERVERS)


@migrations()
def common(db: Database) -> None:
    """Pauses have a number of their own, and indexes are of words that Postgres knows too."""
    _run(db, COMMON)


@migrations()
def early(db: Database) -> None:
    """Decisions that came before it was known what a step asks for."""
    _run(db, _EARLY)


def _run(db: Database, statements: str) -> None:
    for statement in statements.split(";"):
        if statement.strip():
            db.execute(statement)


_CHECKPOINTS = """
CREATE TABLE checkpoints (
    execution TEXT NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
    step TEXT NOT NULL,
    run INTEGER NOT NULL,
    at INTEGER NOT NULL,
    file TEXT,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    why TEXT NOT NULL,
    stored INTEGER NOT NULL,
    blobs TEXT NOT NULL,
    variables TEXT NOT NULL,
    modules TEXT NOT NULL,
    packages TEXT NOT NULL,
    PRIMARY KEY (execution, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX checkpoints_kept ON checkpoints (execution) WHERE file IS NOT NULL;
ALTER TABLE steps ADD COLUMN last_error TEXT
"""

_PEOPLE = """
ALTER TABLE pauses ADD COLUMN remind_every INTEGER;
ALTER TABLE pauses ADD COLUMN reminded INTEGER NOT NULL DEFAULT 0;
CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    execution TEXT NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
    channel TEXT NOT NULL,
    content TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER,
    sent_at INTEGER,
    error TEXT
) STRICT;
ALTER TABLE executions ADD COLUMN resumed_by TEXT;
CREATE INDEX executions_named ON executions (workflow, status, notebook, id);
CREATE INDEX outbox_waiting ON outbox (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX outbox_execution ON outbox (execution)
"""

_QUEUE = """
CREATE INDEX executions_queue ON executions (segments = 0, seq) WHERE status = 'queued'
"""

_DEPLOYMENTS = """
CREATE TABLE deployments (
    name TEXT PRIMARY KEY,
    number INTEGER NOT NULL,
    active INTEGER NOT NULL,
    serial INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE deployed (
    name TEXT NOT NULL REFERENCES deployments ON DELETE CASCADE,
    number INTEGER NOT NULL,
    version TEXT NOT NULL REFERENCES versions,
    notebook TEXT NOT NULL,
    at INTEGER NOT NULL,
    by TEXT,
    PRIMARY KEY (name, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX deployed_version ON deployed (version);

CREATE TABLE hooks (
    fingerprint BLOB PRIMARY KEY,
    name TEXT NOT NULL REFERENCES deployments ON DELETE CASCADE,
    serial INTEGER NOT NULL,
    key TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE deliveries (
    workflow TEXT NOT NULL,
    key TEXT NOT NULL,
    execution TEXT NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    PRIMARY KEY (workflow, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_execution ON deliveries (execution);

DROP INDEX executions_queue;
CREATE INDEX executions_queue ON executions (segments = 0, workflow, seq) WHERE status = 'queued';
CREATE INDEX executions_started ON executions (workflow, started_at) WHERE started_at IS NOT NULL
"""

_ROLLBACKS = """
ALTER TABLE deployed ADD COLUMN restores INTEGER
"""

_USAGE = """
CREATE TABLE usage (
    execution TEXT NOT NULL,
    segment INTEGER NOT NULL,
    workflow TEXT NOT NULL,
    version TEXT NOT NULL,
    day TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    compute_ms INTEGER NOT NULL,
    suspended_ms INTEGER NOT NULL,
    credits INTEGER NOT NULL,
    here INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (execution, segment)
) STRICT, WITHOUT ROWID;
CREATE INDEX usage_day ON usage (day, workflow);
CREATE INDEX usage_workflow ON usage (workflow, day);

CREATE TABLE usage_steps (
    execution TEXT NOT NULL,
    segment INTEGER NOT NULL,
    step TEXT NOT NULL,
    compute_ms INTEGER NOT NULL,
    PRIMARY KEY (execution, segment, step)
) STRICT, WITHOUT ROWID;

INSERT INTO usage SELECT id, segments, workflow, version, date(started_at / 1000, 'unixepoch'), started_at, compute_ms,
    suspended_ms, earlier_credits + max(1, (segment_ms + 29999) / 30000), 1 FROM executions WHERE segments > 0;
INSERT INTO usage_steps SELECT e.id, e.segments, name, s.compute_ms FROM executions e JOIN steps s ON s.execution = e.id
    WHERE e.segments > 0 AND s.compute_ms > 0
"""

_DATA = """
CREATE TABLE data (
    store TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    size INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (store, key)
) STRICT;
CREATE INDEX data_expires ON data (expires_at) WHERE expires_at IS NOT NULL;
CREATE INDEX data_sizes ON data (store, expires_at, size)
"""

_SCHEDULES = """
CREATE TABLE schedules (
    workflow TEXT NOT NULL REFERENCES deployments ON DELETE CASCADE,
    place INTEGER NOT NULL,
    said TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    due_at INTEGER,
    going TEXT NOT NULL,
    skipped INTEGER NOT NULL,
    skipped_at INTEGER,
    skipped_why TEXT,
    PRIMARY KEY (workflow, place)
) STRICT, WITHOUT ROWID;
CREATE INDEX schedules_due ON schedules (due_at, workflow, place) WHERE due_at IS NOT NULL
"""

_RESPONSES = """
ALTER TABLE executions ADD COLUMN response TEXT
"""

_WATCHED_FILES = """
CREATE TABLE watched_files (
    workflow TEXT NOT NULL REFERENCES deployments ON DELETE CASCADE,
    path TEXT NOT NULL,
    size INTEGER NOT NULL,
    modified_ns INTEGER NOT NULL,
    digest TEXT NOT NULL,
    gone_at INTEGER,
    PRIMARY KEY (workflow, path)
) STRICT, WITHOUT ROWID
"""

_WAITS = """
ALTER TABLE pauses ADD COLUMN alternatives TEXT NOT NULL DEFAULT '[]';
ALTER TABLE pauses ADD COLUMN approvals TEXT;

CREATE TABLE waits (
    execution TEXT NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
    step TEXT NOT NULL,
    run INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    which TEXT NOT NULL,
    kind TEXT NOT NULL,
    what TEXT NOT NULL,
    PRIMARY KEY (execution, which)
) STRICT, WITHOUT ROWID;
CREATE INDEX waits_what ON waits (kind, what);

CREATE TABLE happenings (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    key TEXT,
    data TEXT NOT NULL,
    at INTEGER NOT NULL,
    by TEXT
) STRICT;
CREATE UNIQUE INDEX happenings_key ON happenings (name, key) WHERE key IS NOT NULL;
CREATE INDEX happenings_name ON happenings (name, at);
CREATE INDEX happenings_at ON happenings (at)
"""

_SEALS = """
ALTER TABLE journal ADD COLUMN key TEXT;
ALTER TABLE journal ADD COLUMN seal TEXT;
ALTER TABLE journal ADD COLUMN mac TEXT;
ALTER TABLE outputs ADD COLUMN mac TEXT
"""

_ENDS = """
CREATE INDEX executions_ended ON executions (workflow, finished_at) WHERE finished_at IS NOT NULL;
CREATE INDEX executions_finished ON executions (finished_at) WHERE finished_at IS NOT NULL
"""

_FAILURES = """
CREATE TABLE failures (
    execution TEXT PRIMARY KEY REFERENCES executions (id) ON DELETE CASCADE,
    workflow TEXT NOT NULL,
    step TEXT NOT NULL,
    ename TEXT NOT NULL,
    evalue TEXT NOT NULL,
    at INTEGER NOT NULL,
    told INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO failures SELECT e.id, e.workflow,
    coalesce((SELECT name FROM steps WHERE execution = e.id AND status = 'failed' ORDER BY place LIMIT 1), ''),
    coalesce(json_extract(e.error, '$.ename'), e.reason, 'Failed'),
    substr(coalesce(json_extract(e.error, '$.evalue'), ''), 1, 300), coalesce(e.finished_at, e.created_at), 0
    FROM executions e WHERE e.status = 'failed';
CREATE INDEX failures_at ON failures (at, workflow, step, ename, evalue);
CREATE INDEX failures_workflow ON failures (workflow, at, step, ename, evalue);
CREATE INDEX failures_same ON failures (workflow, step, ename, at);
CREATE INDEX failures_told ON failures (workflow, step, ename, at) WHERE told
"""

_MOVES = """
ALTER TABLE executions ADD COLUMN moved_to TEXT
"""

_SERVERS = """
CREATE TABLE servers (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    owner TEXT NOT NULL,
    beat_at INTEGER NOT NULL
) STRICT;
CREATE TABLE claims (
    execution TEXT PRIMARY KEY REFERENCES executions (id) ON DELETE CASCADE,
    server INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
DELETE FROM meta WHERE name = 'epoch'
"""

_EARLY = """
ALTER TABLE pauses ADD COLUMN early TEXT NOT NULL DEFAULT '[]'
"""
