"""How soon a new job's first task is at a node while another job holds every slot."""
from __future__ import annotations

import json
import statistics
import time
from pathlib import Path
from typing import Any, Callable

from cluster import Cluster
from processes import Failed
from two_models import train, write_rows

JOBS = 25
BATCH_ROWS = 100  # of the job that holds the slots
ROWS = 1_000_000  # more than the nodes answer in the time
WARM_UP = 50  # batches


def _predict(cluster: Cluster, job: str, model: str, rows: Path, *options: str) -> None:
    cluster.client("job", "submit", "predict", "--model", model, "--data", str(rows), "--id", job,
                   *options)


def _tasks(cluster: Cluster, job: str) -> dict[str, Any]:
    tasks: dict[str, Any] = json.loads(
        cluster.client("job", "stats", job, "--format", "json"))["tasks"]
    return tasks


def measure(say: Callable[[str], None]) -> dict[str, float]:
    """Milliseconds from when the task could go until it went, over some jobs; and of a task of the
    other job."""
    say(f"first tasks of {JOBS} jobs")
    with Cluster() as cluster:
        folder = Path(cluster.folder.name)
        train(cluster, folder)
        many, one = folder / "many.csv", folder / "one.csv"
        write_rows(many, ROWS)
        write_rows(one, 1)
        _predict(cluster, "holder", "costly", many, "--batch-size", str(BATCH_ROWS), "--no-wait")
        # The first batches wait for the model.
        while _tasks(cluster, "holder")["queries"] < WARM_UP:
            time.sleep(0.05)
        waits = []
        for number in range(JOBS):
            _predict(cluster, f"new-{number}", "cheap", one)
            waits.append(1000 * _tasks(cluster, f"new-{number}")["queue_seconds"]["mean"])
        if json.loads(cluster.client("job", "show", "holder", "--format", "json"))["state"] != "running":
            raise Failed("the job that holds the slots did not last")
        held = 1000 * _tasks(cluster, "holder")["compute_seconds"]["p95"]
    return {"holding_task_p95_ms": held, "first_task_p50_ms": statistics.median(waits),
            "first_task_max_ms": max(waits)}
