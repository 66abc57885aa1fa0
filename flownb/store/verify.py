"""Whether a record is what its journal vouches for: read in one snapshot of the database, and nothing is changed."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from flownb.core.errors import FlowNBError
from flownb.core.model import Attempt, Execution, Status
from flownb.core.notebook import workflow
from flownb.core.transitions import due_at
from flownb.store import queries, seals, sql
from flownb.store.aggregate import load
from flownb.store.engine import Database
from flownb.store.keys import Key


@dataclass(frozen=True)
class Altered:
    """What somebody without the key has changed: in which table, where in it, and how that is known."""

    table: str
    where: str
    what: str


@dataclass(frozen=True)
class Head:
    """The latest entry of an execution's journal: its number and signature, to be kept where nobody can alter it."""

    seq: int
    mac: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.mac}"

    @classmethod
    def read(cls, said: str) -> Head:
        """Raises ``ValueError``."""
        seq, mac = said.split(":")
        if not (seq.isascii() and seq.isdigit() and len(seq) < 19 and mac):
            raise ValueError(f"{said!r} is no number and signature of an entry")
        return cls(int(seq), mac)


@dataclass
class Report:
    """What was found.

    ``unsigned`` counts entries from before there were signatures, ``unverifiable`` those that other keys have signed.
    ``beside`` names the attempts whose outputs no entry is about: a step that was stopped had shown them.
    """

    execution: str
    head: Head | None = None
    entries: int = 0
    unsigned: int = 0
    unverifiable: int = 0
    altered: list[Altered] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        if self.altered:
            return "altered"
        if self.unverifiable:
            return "unverifiable"
        return "unsigned" if self.unsigned else "sound"

    def find(self, table: str, where: str, what: str) -> None:
        self.altered.append(Altered(table, where, what))


def verify(db: Database, key: Key, execution_id: str, expected: Head | None = None) -> Report | None:
    """The report on an execution, None where there is none; ``expected`` is a head that was kept elsewhere."""
    report = Report(execution_id)
    try:
        execution = load(db, execution_id)
    except Exception as error:  # whatever somebody wrote into a column
        report.find("executions", execution_id, f"cannot be read: {error!r}")
        return report
    if execution is None:
        return None
    entries = sql.query(db, "SELECT * FROM journal WHERE execution = ? ORDER BY seq", execution_id)
    sound = list(_signed(db, key, entries, report))
    _state(db, execution, entries, report)
    _pauses(db, execution, sound, report)
    _outputs(db, key, execution_id, sound, report)
    _version(db, execution.version, report)
    if expected is not None and expected not in [Head(entry["seq"], entry["mac"]) for entry in entries]:
        report.find("journal", f"entry {expected.seq}", "is not the one that was expected: the record was put back")
    return report


def _signed(db: Database, key: Key, entries: list[sql.Row], report: Report) -> Iterator[sql.Row]:
    """The entries whose signature holds."""
    since, before = _since(db, key, report), ""
    report.entries = len(entries)
    for entry in entries:
        where, mac = f"entry {entry['seq']}", entry["mac"]
        if mac is None and entry["seq"] <= since:
            report.unsigned += 1
        elif mac is not None and entry["key"] != key.name and entry["seq"] <= since:
            report.unverifiable += 1
        elif mac is None or entry["key"] != key.name:
            report.find("journal", where, "is not signed with the key of this folder")
        elif not hmac.compare_digest(mac.encode(), seals.sign(key, before, entry).encode()):
            report.find("journal", where, "was altered, or one before it was altered, removed or put elsewhere")
        else:
            if "altered" in (said := json.loads(entry["seal"] or "{}")):
                report.find("executions", where, "the record had been altered when this was written")
            yield {**entry, "said": said}
        before = mac or ""
        report.head = Head(entry["seq"], mac) if mac else None


def _since(db: Database, key: Key, report: Report) -> int:
    """The number of the last entry that this key need not have signed."""
    row = sql.first_row(db, "SELECT value FROM meta WHERE name = 'signing'")
    try:
        note = json.loads(row["value"]) if row else {}
        if note["key"] == key.name and hmac.compare_digest(note["mac"], seals.sign_note(key, note["since"])):
            return int(note["since"])
    except (ValueError, KeyError, TypeError):
        pass
    report.find("meta", "signing", "the note from where on entries are signed was altered")
    return 0


def _state(db: Database, execution: Execution, entries: list[sql.Row], report: Report) -> None:
    """The execution and its steps are as the latest entry says; while it runs, only its status is."""
    latest = entries[-1] if entries else None
    if latest is None:
        report.find("journal", execution.id, "has no entry")
        return
    if latest["status"] != execution.status:
        said = f"is {execution.status}, and entry {latest['seq']} left it {latest['status']}"
        report.find("executions", "status", said)
    due = db.execute("SELECT due_at FROM executions WHERE id = ?", (execution.id,)).fetchone()[0]
    if due != due_at(execution):
        report.find("executions", "due_at", "is not when the next timer is due")
    sealed = json.loads(latest["seal"] or "{}")
    if execution.status is Status.RUNNING or "execution" not in sealed:
        return
    digests = [seals.digest(step) for step in execution.steps]
    found = seals.of_record(execution, digests)
    if sealed["execution"] != found["execution"]:
        report.find("executions", execution.id, f"a column was altered after entry {latest['seq']}")
    if sealed["steps"] != found["steps"]:
        hints = [sealed["hints"][at : at + seals.HINT] for at in range(0, len(sealed["hints"]), seals.HINT)]
        pairs = zip(execution.steps, digests, hints, strict=False)
        names = [step.name for step, digest, hint in pairs if not digest.startswith(hint)]
        report.find("steps", ", ".join(names) or "all", f"was altered after entry {latest['seq']}")


def _pauses(db: Database, execution: Execution, sound: list[sql.Row], report: Report) -> None:
    """All pauses that have ended, and where the execution rests, the one that has not."""
    wanted, running = _latest(sound, "pauses"), execution.status is Status.RUNNING
    rows = [pause for pause in queries.pauses(db, execution.id) if pause.ended_by or not running]
    found = {seals.name_of(pause): seals.digest(pause) for pause in rows}
    if running and execution.pause is not None and not execution.pause.ended_by:
        wanted.pop(seals.name_of(execution.pause), None)
    _compare("pauses", wanted, found, report)


def _outputs(db: Database, key: Key, execution_id: str, sound: list[sql.Row], report: Report) -> None:
    """Each as the entry says that was written with it; what a stopped step showed has a signature alone."""
    wanted, found = _latest(sound, "outputs"), {}
    for row in sql.query(db, "SELECT * FROM outputs WHERE execution = ? ORDER BY step, run, attempt", execution_id):
        of = Attempt(row["step"], row["run"], row["attempt"])
        if not hmac.compare_digest(row["mac"] or "", seals.sign_outputs(key, of, row["outputs"])):
            found[of.id] = ""
        elif of.id in wanted:
            found[of.id] = row["mac"]
        else:
            report.beside.append(of.id)
    _compare("outputs", wanted, found, report)


def _compare(table: str, wanted: dict[str, str], found: dict[str, str], report: Report) -> None:
    for name in wanted.keys() - found.keys():
        report.find(table, name, "was removed")
    for name, digest in found.items():
        if name in wanted and wanted[name] != digest:
            report.find(table, name, "was altered")
        elif name not in wanted and not report.unsigned and not report.unverifiable:
            report.find(table, name, "was added or altered")


def _latest(sound: list[sql.Row], what: str) -> dict[str, str]:
    """What the entries vouch for: of each pause, or output, the latest."""
    found: dict[str, str] = {}
    for entry in sound:
        found.update(entry["said"].get(what, {}))
    return found


def _version(db: Database, version: str, report: Report) -> None:
    row = sql.first_row(db, "SELECT content FROM versions WHERE version = ?", version)
    try:
        found = workflow(json.loads(row["content"])).version if row else None
    except (ValueError, KeyError, TypeError, FlowNBError):
        found = None
    if found != version:
        report.find("versions", version, "is not the notebook whose hash is its name")
