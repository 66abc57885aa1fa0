"""What a run found: as data, and as Markdown made of the data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.contest import Goal, Held, Result
from benchmarks.figures import compare, summary

Found = dict[str, Any]

QUICK = "This was a quick run, with fewer rounds and smaller numbers than it says: it shows that all works, no more."


def contest(held: Held) -> Found:
    """One contest: its participants with their samples, and what became of its goals."""
    by_name = {result.name: result for result in held.results}
    return {
        "name": held.contest.name,
        "title": held.contest.title,
        "unit": held.contest.unit,
        "seconds": held.seconds,
        "load": held.load,
        "participants": [_participant(result) for result in held.results],
        "goals": [_goal(goal, by_name) for goal in held.contest.goals],
    }


def _participant(result: Result) -> Found:
    figures = asdict(summary(result.samples)) if result.samples else None
    return {"name": result.name, "figures": figures, "samples": result.samples, "failure": result.failure}


def _goal(goal: Goal, results: dict[str, Result]) -> Found:
    """``ratio``, ``lowest``, ``highest`` and ``reached`` are None where there was nothing to compare."""
    said: Found = {**asdict(goal), "ratio": None, "lowest": None, "highest": None, "reached": None}
    ours = results[goal.of].samples
    theirs = results[goal.against].samples if goal.against is not None else [(number, 1.0) for number, _ in ours]
    if ours and theirs:
        said.update(asdict(compare(ours, theirs)))
        said["reached"] = said["ratio"] >= goal.limit if goal.at_least else said["ratio"] <= goal.limit
    return said


def markdown(found: Found) -> str:
    """The page's part: goals first, then each contest with all its figures, then how cost grows."""
    parts = [QUICK if found["quick"] else "", _machine(found), _goals(found["contests"])]
    parts += [_contest(one) for one in found["contests"]]
    parts += [_growth(one) for one in found["growth"]]
    return "\n\n".join(part for part in parts if part) + "\n"


def _machine(found: Found) -> str:
    machine = found["machine"]
    versions = ", ".join(f"{name} {said}" for name, said in machine["versions"].items() if said)
    peers = ", ".join(pin.replace("==", " ") for pins in machine["peers"].values() for pin in pins)
    return (
        f"Measured on {found['began'][:10]} with {machine['cores']} cores, {machine['memory_gb']} GB, "
        f"{machine['system']}, Python {machine['python']}, SQLite {machine['sqlite']}; {versions}; {peers}. "
        f"It took {found['seconds'] / 60:.0f} minutes{_load(found)}."
    )


def _goals(contests: Sequence[Found]) -> str:
    rows = [(one, goal) for one in contests for goal in one["goals"]]
    told = [
        (
            one["title"],
            goal["of"],
            goal["against"] or "absolute",
            f"{'at least' if goal['at_least'] else 'at most'} {goal['limit']:g}{unit(one, goal)}",
            _ratio(goal),
            {None: "not measured", True: "yes", False: "**no**"}[goal["reached"]],
        )
        for one, goal in rows
    ]
    head = ("work", "of", "over", "goal", "ratio of medians (blocks of rounds)", "reached")
    return _table(head, told) if told else ""


def unit(one: Found, goal: Found) -> str:
    """Ratios have none."""
    return "" if goal["against"] is not None else f" {one['unit']}"


def _ratio(goal: Found) -> str:
    if goal["ratio"] is None:
        return "–"
    return f"{figure(goal['ratio'])} ({figure(goal['lowest'])} to {figure(goal['highest'])})"


def _contest(one: Found) -> str:
    rows = []
    for who in one["participants"]:
        found = who["figures"]
        if found is None:
            rows.append((who["name"], *["–"] * 4, "0"))
        else:
            numbers = (found[key] for key in ("median", "p99", "minimum", "maximum"))
            rows.append((who["name"], *map(figure, numbers), str(found["n"])))
    table = _table((f"in {one['unit']}", "median", "p99", "minimum", "maximum", "n"), rows)
    notes = [f"- {who['name']}: {_in_a_line(who['failure'])}" for who in one["participants"] if who["failure"]]
    took = f"{one['seconds'] / 60:.1f} minutes{_load(one)}."
    return "\n\n".join([f"### {one['title']}", table, *(["\n".join(notes)] if notes else []), took])


def _load(found: Found) -> str:
    return f"; load average {found['load'][0]:.2f} before, {found['load'][1]:.2f} after"


def _growth(one: Found) -> str:
    """A row for each size, a column for each curve, medians in its unit."""
    sizes = sorted({size for curve in one["curves"] for size, _ in curve["points"]})
    rows = []
    for size in sizes:
        points = [dict(curve["points"]).get(size) for curve in one["curves"]]
        rows.append((f"{size:,}", *("–" if point is None else figure(point) for point in points)))
    names = (curve["name"] for curve in one["curves"])
    notes = [f"- {_in_a_line(note)}" for note in one["failures"]]
    table = _table((one["over"], *names), rows)
    return "\n\n".join([f"### {one['title']}, in {one['unit']}", table, *(["\n".join(notes)] if notes else [])])


def figure(value: float) -> str:
    """Three digits, or all before the point."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def _in_a_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 300 else f"{line[:300]}…"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)
