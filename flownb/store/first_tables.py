"""The tables of the first databases, as they were: what has changed since is in the migrations behind."""

from __future__ import annotations

FIRST = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE versions (
    version TEXT PRIMARY KEY,
    content TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE executions (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    workflow TEXT NOT NULL,
    notebook TEXT NOT NULL,
    version TEXT NOT NULL REFERENCES versions,
    trigger TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    due_at INTEGER,
    at INTEGER NOT NULL,
    checkpoint TEXT,
    resume TEXT,
    started_at INTEGER,
    finished_at INTEGER,
    reason TEXT,
    error TEXT,
    fresh INTEGER NOT NULL,
    segments INTEGER NOT NULL,
    segment_ms INTEGER NOT NULL,
    earlier_credits INTEGER NOT NULL,
    compute_ms INTEGER NOT NULL,
    suspended_ms INTEGER NOT NULL,
    warnings TEXT NOT NULL,
    replay_of TEXT
) STRICT;
CREATE INDEX executions_due ON executions (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX executions_status ON executions (status, seq);
CREATE INDEX executions_version ON executions (version);
CREATE INDEX executions_workflow ON executions (workflow, seq);

CREATE TABLE steps (
    execution TEXT NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
    place INTEGER NOT NULL,
    name TEXT NOT NULL,
    cell_id TEXT NOT NULL,
    policy TEXT NOT NULL,
    status TEXT NOT NULL,
    runs INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    losses INTEGER NOT NULL,
    asked INTEGER NOT NULL,
    started_at INTEGER,
    finished_at INTEGER,
    compute_ms INTEGER NOT NULL,
    exports TEXT NOT NULL,
    error TEXT,
    context TEXT,
    callback TEXT,
    PRIMARY KEY (execution, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE pauses (
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
    PRIMARY KEY (execution, step, run, attempt, linked)
) STRICT;
CREATE INDEX pauses_execution ON pauses (execution);

CREATE TABLE links (
    fingerprint BLOB PRIMARY KEY,
    execution TEXT NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
    step TEXT NOT NULL,
    run INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    action TEXT NOT NULL,
    key TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX links_execution ON links (execution);

CREATE TABLE outputs (
    execution TEXT NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
    step TEXT NOT NULL,
    run INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    outputs TEXT NOT NULL,
    PRIMARY KEY (execution, step, run, attempt)
) STRICT, WITHOUT ROWID;

CREATE TABLE journal (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    execution TEXT NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    event TEXT NOT NULL,
    status TEXT NOT NULL,
    step TEXT,
    run INTEGER,
    attempt INTEGER,
    detail TEXT
) STRICT;
CREATE INDEX journal_execution ON journal (execution, seq)
"""
