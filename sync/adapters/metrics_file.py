"""Figures of a profile as a text file for Prometheus (node_exporter's textfile collector). The client's only home."""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from sync.adapters.whole_file import Disk, place
from sync.errors import ConfigError
from sync.frozen import Frozen, field
from sync.model import QuotaUse, RequestCounts

_REMEDY = "Install the extra: pip install 'coursesync[metrics]' (pins: requirements-unattended.txt)."


class Figures(Frozen):
    """What is told."""

    profile: str
    rows: Mapping[str, int] = field(default_factory=dict)
    """Of the last run, by status."""
    requests: RequestCounts = field(default_factory=RequestCounts)
    """Of all runs."""
    quota: tuple[QuotaUse, ...] = ()
    runs: Mapping[int, int] = field(default_factory=dict)
    """Ended runs by exit code."""
    open_runs: int = 0
    """Runs that can be resumed."""
    last_exit_code: int | None = None
    last_run_wall: float | None = None
    last_good_run_wall: float | None = None
    """When a run last ended with 0. Its age is for the reader to take: one written down would not grow."""
    last_look_wall: float | None = None
    """When the profile was last worked on, though there may have been nothing to do."""
    alerts: Mapping[str, str] = field(default_factory=dict)
    """By subject: what is wrong with it."""


class _ForOthers(Disk):
    """The collector runs as another user; there is no secret in it."""

    def flush(self, descriptor: int) -> None:
        """Open the part to readers, then wait for the disk."""
        os.fchmod(descriptor, 0o644)
        super().flush(descriptor)


def need_metrics() -> None:
    """Make sure, before a run, that its figures can be written.

    Raises:
        ConfigError: prometheus-client is not installed.
    """
    if find_spec("prometheus_client") is None:
        raise ConfigError("metrics_file needs prometheus-client, which is not installed.", remedy=_REMEDY)


def write_metrics(path: Path, figures: Figures) -> None:
    """Put the figures in their place as a whole: a reader sees the old file or the new one.

    Raises:
        ConfigError: prometheus-client is not installed.
        FileNotWritten: the disk is full, or the folder is not there.
    """
    place(path, text_of(figures), disk=_ForOthers())


def text_of(figures: Figures) -> bytes:
    """The figures in Prometheus' text format.

    Raises:
        ConfigError: prometheus-client is not installed.
    """
    need_metrics()
    from prometheus_client import CollectorRegistry, Gauge, generate_latest  # noqa: PLC0415 - an extra
    from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415 - the same

    registry = CollectorRegistry()
    profile = figures.profile

    def gauge(name: str, words: str, values: Mapping[str, float], label: str = "") -> None:
        if not values:
            return
        labels = ("profile", label) if label else ("profile",)
        one = Gauge(f"coursesync_{name}", words, labels, registry=registry)
        for key, value in values.items():
            one.labels(*((profile, key) if label else (profile,))).set(value)

    def moment(name: str, words: str, at_wall: float | None) -> None:
        gauge(f"{name}_timestamp_seconds", words, {} if at_wall is None else {"": at_wall})

    class _Totals:
        def collect(self) -> list[CounterMetricFamily]:
            requests = CounterMetricFamily("coursesync_requests", "Requests of all runs.", labels=("profile", "kind"))
            for kind in ("reads", "writes", "retried"):
                requests.add_metric((profile, kind), getattr(figures.requests, kind))
            waits = CounterMetricFamily("coursesync_throttle_waits", "Answers that said wait.", labels=("profile",))
            waits.add_metric((profile,), figures.requests.throttled)
            runs = CounterMetricFamily("coursesync_runs", "Ended runs by exit code.", labels=("profile", "exit_code"))
            for code, number in figures.runs.items():
                runs.add_metric((profile, str(code)), number)
            return [requests, waits, runs]

    registry.register(_Totals())
    gauge("rows", "Rows of the last run by status.", dict(figures.rows), "status")
    gauge("quota_left", "What is left of each window.", {q.window: q.limit - q.used for q in figures.quota}, "window")
    gauge("quota_limit", "How much each window allows.", {q.window: q.limit for q in figures.quota}, "window")
    gauge("open_runs", "Runs that can be resumed.", {"": figures.open_runs})
    gauge("alert", "1 where something is wrong, by what is wrong.", dict.fromkeys(_wrong(figures), 1.0), "event")
    if figures.last_exit_code is not None:
        gauge("last_run_exit_code", "How the last run ended.", {"": figures.last_exit_code})
    moment("last_run", "When the last run ended or stopped.", figures.last_run_wall)
    moment("last_good_run", "When a run last ended with 0.", figures.last_good_run_wall)
    moment("last_look", "When the profile was last worked on, with or without a run.", figures.last_look_wall)
    return bytes(generate_latest(registry))


def _wrong(figures: Figures) -> list[str]:
    return sorted(set(figures.alerts.values()))
