"""flownb beside its peers: ``python -m benchmarks`` measures everything in one go, all in turn.

To repeat it: ``pip install -e '.[benchmarks]'`` in a checkout, on a machine with nothing else to do, then::

    python -m benchmarks --json found.json --markdown found.md --plots docs/images/performance

The peers are installed at the first run, each in an environment of its own (``--environments``, by default
``~/.cache/flownb-benchmarks``). In every round flownb and the peers come one after the other, so that what disturbs the
machine disturbs all of them; a peer's processes are stopped while others are at work. Said are median, 99th percentile,
minimum and maximum of all rounds, and ratios of medians, with the range of that ratio over five blocks of rounds. What
cannot be installed, or breaks down, is in the table as such.

flownb's side is a Jupyter server as users start one, over HTTP, with real kernels and its default settings but for
those that a line names. ``--only`` takes contests by name, ``--quick`` fewer rounds, and ``--installed`` peers from
this environment alone, without making others. ``--plots`` also measures how cost grows. The load average before and
after each contest is said with it: where other work was on the machine, measure again.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import contests, growth, report
from benchmarks.contest import hold
from benchmarks.environments import FOLDER, Environments
from benchmarks.growth.growth import measure
from benchmarks.machine import describe
from benchmarks.participant import Bench


def main(arguments: list[str]) -> None:
    asked = _parse(arguments)
    names = set(asked.only or ())
    began, load, start = datetime.now(UTC).isoformat(), os.getloadavg()[0], time.monotonic()
    found: report.Found = {"machine": describe(), "began": began, "quick": asked.quick, "contests": [], "growth": []}
    with tempfile.TemporaryDirectory(prefix="fb") as folder:
        environments = Environments(asked.environments, here=asked.installed)
        bench = Bench(Path(folder), environments, asked.quick)
        for contest in contests.ALL:
            if not names or contest.name in names:
                found["contests"].append(report.contest(hold(contest, bench, _say)))
        for curve in growth.ALL:
            if curve.name in names or (asked.plots is not None and not names):
                found["growth"].append(measure(curve, bench, _say))
    found |= {"load": (load, os.getloadavg()[0]), "seconds": time.monotonic() - start}
    text = report.markdown(found)
    print(text)
    if asked.json is not None:
        asked.json.write_text(json.dumps(found, indent=1))
    if asked.markdown is not None:
        asked.markdown.write_text(text)
    if asked.plots is not None:
        from benchmarks.plots import draw

        draw(found["growth"], asked.plots)


def _parse(arguments: list[str]) -> argparse.Namespace:
    names = [*(one.name for one in contests.ALL), *(one.name for one in growth.ALL)]
    said = argparse.ArgumentParser(prog="python -m benchmarks", description=(__doc__ or "").splitlines()[0])
    said.add_argument("--quick", action="store_true", help="few rounds, to see that all works")
    said.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=f"some of {', '.join(names)}")
    said.add_argument("--json", type=Path, metavar="FILE", help="where all that was found is written")
    said.add_argument("--markdown", type=Path, metavar="FILE", help="where the tables are written")
    said.add_argument("--plots", type=Path, metavar="FOLDER", help="measure how cost grows, and draw it there")
    said.add_argument("--environments", type=Path, default=FOLDER, metavar="FOLDER", help="where peers are installed")
    said.add_argument("--installed", action="store_true", help="peers as this environment has them; install nothing")
    return said.parse_args(arguments)


def _say(text: str) -> None:
    """To whoever waits; the findings alone go to standard output."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
