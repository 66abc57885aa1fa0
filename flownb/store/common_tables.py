"""What was changed in SQLite so that Postgres has the same tables and takes the same statements."""

from __future__ import annotations

COMMON = """
CREATE TABLE numbered_pauses (
    seq INTEGER PRIMARY KEY,
    execution TEXT NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
    step TEXT NOT NULL,
    run INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    linked INTEGER NOT NULL,
    since INTEGER NOT NULL,
    kind TEXT,
    wakes_at INTEGER,
    on_timeout TEXT NOT NULL,
    reason TEXT,
    form TEXT,
    confirm INTEGER,
    context TEXT,
    max_retries TEXT,
    decision TEXT,
    ended_by TEXT,
    ended_at INTEGER,
    remind_every INTEGER,
    reminded INTEGER NOT NULL DEFAULT 0,
    alternatives TEXT NOT NULL DEFAULT '[]',
    approvals TEXT,
    UNIQUE (execution, step, run, attempt, linked)
) STRICT;
INSERT INTO numbered_pauses SELECT rowid, * FROM pauses;
DROP TABLE pauses;
ALTER TABLE numbered_pauses RENAME TO pauses;
CREATE INDEX pauses_execution ON pauses (execution);
DROP INDEX executions_queue;
CREATE INDEX executions_queue ON executions (CAST(segments = 0 AS INTEGER), workflow, seq) WHERE status = 'queued';
DROP INDEX failures_told;
CREATE INDEX failures_told ON failures (workflow, step, ename, at) WHERE told = 1
"""
