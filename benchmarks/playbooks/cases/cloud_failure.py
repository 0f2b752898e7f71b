"""Cloud on five months of pods of an Alibaba GPU cluster: which will fail."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import duckdb
from case import Case, set_sources

START = datetime(2023, 1, 1)
"""The trace counts seconds from its start, whose date is not told: this one stands in for it."""
END = 12_902_960
"""The last second of the trace."""
# Guaranteed, Burstable, LS and BE are the cluster's own names. A pod that still ran when the trace ended has no ending.
PODS = """
CREATE TEMP TABLE pods AS
SELECT name AS workload, TIMESTAMP '{start}' + to_seconds(creation_time) AS created_at,
       TIMESTAMP '{start}' + to_seconds(scheduled_time) AS started_at,
       TIMESTAMP '{start}' + to_seconds(deletion_time) AS ended_at, deletion_time < {end} AS over, pod_phase AS phase,
       num_gpu AS gpus, gpu_milli, cpu_milli, memory_mib, gpu_spec AS gpu_model, qos
FROM read_csv('{raw}')
"""
# The queue is what a scheduler sees: who was created before, has not started, and is still there; and of those created
# in the hour before (but not the last minute, of which it is not known yet), the share that waited.
QUEUE = """
CREATE TEMP TABLE queue AS
WITH waits AS (
  SELECT p.workload, count(q.workload) AS queue_length
  FROM pods p LEFT JOIN pods q ON q.created_at < p.created_at AND q.ended_at > p.created_at
                              AND coalesce(q.started_at, TIMESTAMP '9999-01-01') > p.created_at
  GROUP BY p.workload
), hour AS (
  SELECT p.workload,
         avg((q.started_at IS NULL OR q.started_at - q.created_at > INTERVAL 60 SECOND)::INT) AS recent_waits
  FROM pods p LEFT JOIN pods q ON q.created_at BETWEEN p.created_at - INTERVAL 61 MINUTE
                                                   AND p.created_at - INTERVAL 61 SECOND
  GROUP BY p.workload
)
SELECT * FROM waits JOIN hour USING (workload)
"""
STATES = """
COPY (
  WITH states AS (
    SELECT workload, created_at AS known_at, 'waiting' AS state FROM pods
    UNION ALL SELECT workload, greatest(started_at, created_at + INTERVAL 1 SECOND), 'running' FROM pods
              WHERE started_at IS NOT NULL
    UNION ALL SELECT workload, greatest(ended_at, created_at + INTERVAL 2 SECOND), 'ended' FROM pods WHERE over
  )
  SELECT workload, created_at, known_at, state, gpus, gpu_milli, cpu_milli, memory_mib, gpu_model, qos,
         queue_length, recent_waits
  FROM states JOIN pods USING (workload) JOIN queue USING (workload) ORDER BY known_at, workload
) TO '{to}' (HEADER)
"""
ENDINGS = """
COPY (
  SELECT workload, ended_at AS "at", CASE phase WHEN 'Failed' THEN 'failed' ELSE 'succeeded' END AS outcome
  FROM pods WHERE over AND phase IN ('Failed', 'Succeeded')
  UNION ALL SELECT workload, created_at + INTERVAL 60 SECOND,
    CASE WHEN started_at - created_at <= INTERVAL 60 SECOND THEN 'started' ELSE 'waited' END FROM pods
) TO '{to}' (HEADER)
"""


def prepare(raw: Path, folder: Path) -> None:
    """Write a row for each state of a pod, how it ended, and the nodes."""
    data = folder / "data"
    with duckdb.connect() as connection:
        connection.execute(PODS.format(raw=raw / "openb_pod_list_default.csv.gz", start=START, end=END))
        connection.execute(QUEUE)
        connection.execute(STATES.format(to=data / "workloads.csv"))
        connection.execute(ENDINGS.format(to=data / "endings.csv"))
    nodes = "COPY (SELECT sn AS node, model, gpu, cpu_milli, memory_mib FROM read_csv('{raw}')) TO '{to}' (HEADER)"
    duckdb.sql(nodes.format(raw=raw / "openb_node_list_all_node.csv.gz", to=data / "nodes.csv"))
    set_sources(
        folder,
        {
            "workloads": {
                "csv": "data/workloads.csv", "id": "workload", "created_at": "created_at", "known_at": "known_at",
                "types": {"gpu_model": "text"},
            },
            "endings": {"csv": "data/endings.csv", "lead": "workload", "at": "at", "outcome": "outcome"},
        },
    )  # fmt: skip


CASE = Case(
    name="cloud: failures",
    playbook="cloud",
    data="cloud_alibaba_gpu",
    scorecard="failure",
    outcome="failure",
    prepare=prepare,
    now=START + timedelta(seconds=END),
    capacity=0.1,
    rows="a pod when it is created, with what it asks for",
    practice={"Kubernetes eviction order": "eviction_order"},
    notes="Many pods are near copies of each other, so that quality is that of a few hundred kinds of requests. Pods "
    "that were deleted while they ran or waited count as not failed. Tier, priority and team are not in the trace. "
    "Rates of failure by class and number of GPUs over the whole trace had been seen before the card was written.",
)
