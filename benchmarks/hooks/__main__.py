"""Is any event lost, and does the API stay usable, while hooks are under load?

``python -m benchmarks.hooks [--rate 200] [--seconds 30] [--workflows 50] [--profile] [--json FILE]``: a second process
sends events at a steady rate, to each workflow in turn, whatever the answers are. Every other workflow pauses; every
fifth has a limit on its queue, every fifth another runs one at a time; two executions run at once in all. Meanwhile
``GET executions`` is called again and again. Afterwards the database is asked what became of every event that was
accepted. ``--profile`` says where the server's time goes, by py-spy, which costs some itself.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.hooks.load import Load, measure
from benchmarks.machine import describe


def main() -> None:
    usual = Load()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rate", type=int, default=usual.rate)
    parser.add_argument("--seconds", type=int, default=usual.seconds)
    parser.add_argument("--workflows", type=int, default=usual.workflows)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    load = replace(usual, rate=given.rate, seconds=given.seconds, workflows=given.workflows)
    found = measure(load, profile=given.profile)
    if given.json:
        given.json.write_text(json.dumps({"machine": describe(), **found}, indent=1))
    print(_said(found))


def _said(found: dict[str, Any]) -> str:
    lines = [
        f"load average: {found['load_average'][0]:.1f} before, {found['load_average'][1]:.1f} after",
        f"answers by status: {found['codes']}; events a second: {found['rate']:.0f}",
        f"accepted: {found['accepted']}, stored: {found['stored']}, lost: {found['lost']}",
        f"ended or paused so far: {found['ran']}, with another event than was sent: {found['wrong']}",
        f"out of order: {found['out_of_order']}, begun too early: {found['overlapping']}, of {found['ordered']}",
        f"queue over its limit by: {found['over_limit']}",
        _times("an event's answer", found["hook_ms"]),
        _times("GET executions", found["get_ms"]),
        _times("GET executions, idle", found["idle_ms"]),
    ]
    lines += [f"{share:5.1f} %  {where}" for where, share in found.get("profile", [])]
    return "\n".join(lines)


def _times(what: str, ms: dict[str, float]) -> str:
    return f"{what:22} p50 {ms['p50']:7.1f} ms   p99 {ms['p99']:7.1f} ms   max {ms['max']:7.1f} ms   n {ms['n']:.0f}"


if __name__ == "__main__":
    main()
