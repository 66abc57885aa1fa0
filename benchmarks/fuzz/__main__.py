"""``python -m benchmarks.fuzz --minutes 10``: every parser of public input, then the listener itself.

With atheris installed (``pip install atheris``) the inputs are led by the code that they reach; without it, they are
those of Hypothesis.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from benchmarks.fuzz import wire
from benchmarks.fuzz.targets import SEEDS, TARGETS

ENDLESS = settings(
    max_examples=10**9,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)


def guided(name: str, seconds: float, corpus: Path) -> tuple[int, str]:
    """How often the target ran, and what it raised."""
    for number, seed in enumerate(SEEDS[name]):
        (corpus / str(number)).write_bytes(seed)
    command = [sys.executable, "-m", "benchmarks.fuzz.guided", name, "-max_len=8192", "-artifact_prefix=fuzz-"]
    command += [f"-max_total_time={round(seconds)}", str(corpus)]
    ran = subprocess.run(command, capture_output=True, text=True)
    counts = re.findall(r"^(?:#|Done )(\d+)", ran.stderr, re.MULTILINE)
    return int(counts[-1]) if counts else 0, "" if ran.returncode == 0 else (ran.stdout + ran.stderr)[-3000:]


def plain(name: str, seconds: float) -> tuple[int, str]:
    """The same without atheris."""
    count, until = 0, time.monotonic() + seconds

    @ENDLESS
    @given(st.binary(max_size=8192))
    def test(data: bytes) -> None:
        nonlocal count
        if time.monotonic() > until:
            raise TimeoutError
        count += 1
        TARGETS[name](data)

    try:
        test()
    except TimeoutError:
        return count, ""
    except Exception as error:
        return count, repr(error)
    return count, ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="in all, divided among the targets")
    parser.add_argument("--seed", type=int, default=1)
    given_ = parser.parse_args()
    seconds = given_.minutes * 60 / (len(TARGETS) + 1)
    has_atheris, wrong = find_spec("atheris") is not None, 0
    for name in TARGETS:
        with tempfile.TemporaryDirectory() as corpus:
            count, finding = guided(name, seconds, Path(corpus)) if has_atheris else plain(name, seconds)
        wrong += bool(finding)
        print(f"{name:<8} {count:>12,} executions  {'FINDING' if finding else 'nothing found'}\n{finding}", flush=True)
    sent, findings = wire.run(seconds, given_.seed)
    print(f"{'wire':<8} {sent:>12,} requests    {len(findings)} findings", *findings, sep="\n")
    return 1 if wrong or findings else 0


if __name__ == "__main__":
    sys.exit(main())
