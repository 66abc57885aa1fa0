"""Metrics in the registry that Jupyter's own ``/metrics`` shows. Labels have no names of authors' in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

LATENCY = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
QUICK = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
COUNTS = (1, 2, 5, 10, 20, 50, 100, 200)

ENDED = Counter("flownb_executions_ended", "Executions that came to their end.", ["status"])
STARTED = Counter("flownb_executions_created", "Executions that were created, by type of trigger.", ["trigger"])
ATTEMPTS = Counter("flownb_attempts", "Attempts of steps that came to their end.", ["outcome"])
COMPUTE = Counter("flownb_compute_seconds", "Time that steps ran.")
WAITED = Histogram("flownb_queue_wait_seconds", "From being queued to a slot.", buckets=LATENCY)
RESUMED = Histogram("flownb_resume_seconds", "From the end of a pause to the start of a step.", buckets=LATENCY)
LATE = Histogram("flownb_timer_lateness_seconds", "From when a timer was due to its firing.", buckets=LATENCY)
LINKS = Histogram("flownb_link_seconds", "From a request to a public URL to its answer.", ["code"], buckets=QUICK)
COMMITS = Histogram("flownb_store_commit_seconds", "Time of a transaction, with its way to disk.", buckets=QUICK)
BATCHES = Histogram("flownb_store_batch_jobs", "Changes that shared a transaction.", buckets=COUNTS)
SNAPSHOTS = Counter("flownb_snapshot_bytes", "Size of the variables in checkpoints that were written.")


def committed(seconds: float, jobs: int) -> None:
    """What the store's writer tells of each transaction, in its thread."""
    COMMITS.observe(seconds)
    BATCHES.observe(jobs)


class Gauges(Collector):
    """What is looked up when somebody asks: each value is at hand."""

    def __init__(
        self,
        standing: Callable[[], dict[tuple[str, str], int]],
        oldest: Callable[[], float],
        kernels: Callable[[], dict[str, int]],
        taken: Callable[[], dict[str, int]],
        deployed: Callable[[], int],
    ) -> None:
        self._standing = standing
        self._oldest = oldest
        self._kernels = kernels
        self._taken = taken
        self._deployed = deployed

    def collect(self) -> Iterator[Metric]:
        executions = GaugeMetricFamily("flownb_executions", "Executions that are not over.", labels=["status"])
        pauses = GaugeMetricFamily("flownb_pauses", "Executions that are paused.", labels=["kind"])
        counts = dict.fromkeys(("queued", "running", "suspended"), 0)
        for (status, kind), count in self._standing().items():
            counts[status] += count
            if kind:
                pauses.add_metric([kind], count)
        for status, count in counts.items():
            executions.add_metric([status], count)
        yield executions
        yield pauses
        yield GaugeMetricFamily("flownb_queue_oldest_seconds", "How long the oldest waits for a slot.", self._oldest())
        kernels = GaugeMetricFamily("flownb_kernels", "Kernels, by what they do.", labels=["state"])
        for state, count in self._kernels().items():
            kernels.add_metric([state], count)
        yield kernels
        taken = CounterMetricFamily("flownb_kernels_taken", "Kernels for executions, by origin.", labels=["origin"])
        for origin, count in self._taken().items():
            taken.add_metric([origin], count)
        yield taken
        yield GaugeMetricFamily("flownb_workflows", "Deployed workflows.", self._deployed())

    def describe(self) -> Iterator[Metric]:
        """Nothing: what is collected is not asked for when it is registered."""
        return iter(())
