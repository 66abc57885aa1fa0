"""How long does flownb hold the server's event loop? 50 executions run while 1,000 requests come in.

``python -m benchmarks.loop`` prints the CPU time of the dearest callbacks of the loop, in milliseconds. The whole
server is watched, Jupyter's own callbacks too.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from tests.support.notebooks import cell, write
from tests.support.server import Server

EXECUTIONS = 50
REQUESTS = 1_000
LARGE = [0] * 170_000
"""JSON of about 500 KB, just under the limit for a body; one request in fifty brings it."""


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="fb") as folder:
        root = Path(folder) / "root"
        root.mkdir()
        report = Path(folder) / "report.json"
        os.environ["FLOWNB_CPU_REPORT"] = str(report)
        watch = Path(__file__).with_name("cpu_watch.py")
        server = Server(root, f"--config={watch}", "--FlowNB.max_running=4").start()
        try:
            answers = _load(server)
        finally:
            server.stop()
            server.close()
        found = json.loads(report.read_text())
    print(f"answers: {dict(answers)}")
    print(f"callbacks: {found['callbacks']:,}")
    for spent, what in found["longest_ms"][:10]:
        print(f"{spent:8.1f} ms  {what[:160]}")


def _load(server: Server) -> Counter[Any]:
    write(
        server.root,
        "work.ipynb",
        "table = [list(range(50)) for _ in range(200)]\nprint(table[0])\ntable[:5]",
        cell("pd.export('rows', table[:20])\npd.flow.suspend(reason='go on?');", "ask"),
        "len(table)",
    )
    ids = [server.submit("work.ipynb") for _ in range(EXECUTIONS)]
    links: list[str] = []
    ready = threading.Event()

    def collect() -> None:
        for execution in ids:
            waiting = server.wait(execution, "suspended", "succeeded")["waiting"]
            if waiting:
                links.append(waiting["resume_url"])
            ready.set()

    collector = threading.Thread(target=collect)
    collector.start()
    ready.wait()
    with ThreadPoolExecutor(16) as pool, httpx.Client() as client:

        def ask(number: int) -> int:
            url = links[number * 7 % len(links)]
            if number % 4 == 0:
                return server.http.get("/executions?limit=50").status_code
            data = LARGE if number % 50 == 1 else {"n": number}
            return client.request(("POST", "PUT", "GET")[number % 3], url, json=data, timeout=60).status_code

        answers = Counter(pool.map(ask, range(REQUESTS)))
        collector.join()
        for link in links:
            client.post(link, json={})
    for execution in ids:
        server.wait(execution, "succeeded")
    return answers


if __name__ == "__main__":
    main()
