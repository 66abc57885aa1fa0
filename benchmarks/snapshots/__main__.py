"""Save, save again unchanged, restore, and size on disk, of the same namespaces with each tool.

``python -m benchmarks.snapshots [ROUNDS]`` needs the extra ``benchmarks``; Kishu takes part where it is installed. All
save and restore in fresh processes with the libraries imported; it prints medians of the rounds, in milliseconds.
flownb's include fsync, the others' do not.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.snapshots.namespaces import NAMESPACES
from benchmarks.snapshots.tools import TOOLS

FIGURES = ("save", "again", "load")


def main(rounds: int) -> None:
    for name, namespace in NAMESPACES.items():
        print(f"\n{namespace.title}")
        print(f"{'':12} {'save':>9} {'again':>9} {'restore':>9} {'MB':>8}")
        rows = {tool: _median([_round(tool, name) for _ in range(rounds)]) for tool in TOOLS if find_spec(tool)}
        for tool, row in rows.items():
            figures = " ".join(f"{row[figure]:9.1f}" for figure in FIGURES) if "error" not in row else row["error"]
            print(f"{tool:12} {figures} {row.get('size', 0) / 1e6:8.2f} {_wrong(row)}")
        _ratios(rows)


def _wrong(row: dict[str, Any]) -> str:
    return f"wrong: {', '.join(row['wrong'])}" if row.get("wrong") else ""


def _round(tool: str, namespace: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="fb") as folder:
        (Path(folder) / "flownb").mkdir()
        saved = _worker("save", tool, namespace, folder)
        if "error" in saved:
            return saved
        files = {file.stat().st_ino: file.stat().st_size for file in Path(folder).rglob("*") if file.is_file()}
        return {**saved, **_worker("load", tool, namespace, folder), "size": sum(files.values())}


def _worker(what: str, tool: str, namespace: str, folder: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.snapshots.worker", what, tool, namespace, folder]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        return {"error": f"{what} fails: {(done.stderr.strip().splitlines() or ['?'])[-1][:90]}"}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _median(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    failed = next((one for one in rounds if "error" in one), None)
    if failed is not None:
        return failed
    return {**rounds[0], **{figure: statistics.median(one[figure] for one in rounds) for figure in FIGURES}}


def _ratios(rows: dict[str, dict[str, Any]]) -> None:
    ours, dill = rows["flownb"], rows["dill"]
    said = [f"again/save {ours['again'] / ours['save']:.2f}"]
    if "error" not in dill:
        said += [f"{figure} flownb/dill {ours[figure] / dill[figure]:.2f}" for figure in ("save", "load")]
    print("  ".join(said))


if __name__ == "__main__":
    assert shutil.disk_usage(tempfile.gettempdir()).free > 2e9
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
