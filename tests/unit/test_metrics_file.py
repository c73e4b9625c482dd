"""The metrics file: Prometheus' own parser reads it, it is replaced as a whole, and others may read it."""

import os
import stat
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from sync.adapters.metrics_file import Figures, text_of, write_metrics
from sync.adapters.whole_file import FileNotWritten
from sync.model import QuotaUse, RequestCounts

FIGURES = Figures(
    profile="production",
    rows={"updated": 57, "rejected": 3},
    requests=RequestCounts(reads=10, writes=60, throttled=2, retried=1),
    quota=(QuotaUse("5000 writes in a day", 60, 5000),),
    runs={0: 7, 4: 1},
    open_runs=1,
    last_exit_code=4,
    last_run_wall=200.0,
    last_good_run_wall=100.0,
    last_look_wall=300.0,
    alerts={"sections.xlsx": "attention"},
)


def samples(text: str) -> dict[tuple[str, str], float]:
    """By name and the value of the label beside the profile."""
    return {
        (sample.name, next((value for key, value in sample.labels.items() if key != "profile"), "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_is_told_is_what_a_collector_reads() -> None:
    """Rows by status, requests, throttle waits, what is left of each window, and when all was last well."""
    assert samples(text_of(FIGURES).decode()) == {
        ("coursesync_rows", "updated"): 57,
        ("coursesync_rows", "rejected"): 3,
        ("coursesync_requests_total", "reads"): 10,
        ("coursesync_requests_total", "writes"): 60,
        ("coursesync_requests_total", "retried"): 1,
        ("coursesync_throttle_waits_total", ""): 2,
        ("coursesync_runs_total", "0"): 7,
        ("coursesync_runs_total", "4"): 1,
        ("coursesync_quota_left", "5000 writes in a day"): 4940,
        ("coursesync_quota_limit", "5000 writes in a day"): 5000,
        ("coursesync_open_runs", ""): 1,
        ("coursesync_alert", "attention"): 1,
        ("coursesync_last_run_exit_code", ""): 4,
        ("coursesync_last_run_timestamp_seconds", ""): 200,
        ("coursesync_last_good_run_timestamp_seconds", ""): 100,
        ("coursesync_last_look_timestamp_seconds", ""): 300,
    }


def test_what_is_not_known_is_not_told() -> None:
    """A profile without runs has no last one: no zero stands for it."""
    names = {name for name, _ in samples(text_of(Figures("p")).decode())}

    assert not any(name.startswith("coursesync_last") or name == "coursesync_rows" for name in names)


def test_the_file_is_replaced_as_a_whole_and_open_to_readers(tmp_path: Path) -> None:
    """Whatever the mask of the process (cron's is 077), and with nothing left beside it."""
    path = tmp_path / "coursesync.prom"
    path.write_text("old")
    mask = os.umask(0o077)
    try:
        write_metrics(path, FIGURES)
    finally:
        os.umask(mask)

    assert path.read_bytes() == text_of(FIGURES)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [entry.name for entry in tmp_path.iterdir()] == ["coursesync.prom"]


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """The error names the file; the run goes on without it."""
    with pytest.raises(FileNotWritten, match=r"nowhere.*could not be written"):
        write_metrics(tmp_path / "nowhere" / "x.prom", FIGURES)
