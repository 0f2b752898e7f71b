"""What the service counts, for Prometheus; no figure names a person."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from leadlight.enrich.report import EnrichRun
from leadlight.service.worker import Scored

SOON = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5, 10, 30, 60, 300)
"""Bounds in seconds; narrow around the second within which nearly all is to be done."""


TOGETHER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that names the folder in which processes of one service put their figures together."""


class Metrics:
    """The figures of one service: of one process, or of all that share a folder for them."""

    def __init__(self, depth: Callable[[], int]) -> None:
        """`depth` says how many calls wait for the store."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.calls = Counter(
            "leadlight_calls", "Calls received, by what became of them", ["outcome"], registry=self.registry
        )
        self.answers = Counter(
            "leadlight_answers", "Requests answered, by route and status", ["route", "status"], registry=self.registry
        )
        self.stored_calls = Counter("leadlight_calls_stored", "Calls brought into the store", registry=self.registry)
        self.scores = Counter("leadlight_scores", "Scores given to leads that something happened to",
                              registry=self.registry)  # fmt: skip
        self.put_aside = Counter(
            "leadlight_calls_refused", "Calls that could not be stored and were put aside", ["why"],
            registry=self.registry,
        )  # fmt: skip
        self.unaudited = Counter("leadlight_changes_not_audited", "Changes that could not be put into the audit log",
                                 registry=self.registry)  # fmt: skip
        self.latency = Histogram(
            "leadlight_call_to_score_seconds", "From a call's receipt until its score can be read", buckets=SOON,
            registry=self.registry,
        )  # fmt: skip
        self.batches = Histogram("leadlight_micro_batch_seconds", "Time to store a micro-batch",
                                 buckets=SOON, registry=self.registry)  # fmt: skip
        self.messages = Counter(
            "leadlight_messages", "Messages about changes of grade, by destination and what became of a try",
            ["destination", "outcome"], registry=self.registry,
        )  # fmt: skip
        self.outbox_rows = Gauge(
            "leadlight_outbox", "Messages in the outbox, by state", ["state"], registry=self.registry,
            multiprocess_mode="mostrecent",
        )  # fmt: skip
        self.score_to_delivery = Histogram(
            "leadlight_score_to_delivery_seconds", "From a score until a message about its grade has arrived",
            buckets=SOON, registry=self.registry,
        )  # fmt: skip
        self.call_to_delivery = Histogram(
            "leadlight_call_to_delivery_seconds", "From a call's receipt until a message about its lead has arrived",
            buckets=SOON, registry=self.registry,
        )  # fmt: skip
        self.syncs = Counter("leadlight_syncs", "Readings of connections, by what became of them",
                             ["connection", "outcome"], registry=self.registry)  # fmt: skip
        self.pushes = Counter("leadlight_pushes", "Writings back to connections, by what became of them",
                              ["connection", "outcome"], registry=self.registry)  # fmt: skip
        self.pushed_records = Counter("leadlight_records_pushed", "Records written in connected systems",
                                      ["connection"], registry=self.registry)  # fmt: skip
        self.webhooks = Counter("leadlight_webhooks", "Webhooks of connected systems, by what became of them",
                                ["connection", "outcome"], registry=self.registry)  # fmt: skip
        self.lookups = Counter("leadlight_lookups", "Look-ups of leads, by provider and how they ended",
                               ["provider", "outcome"], registry=self.registry)  # fmt: skip
        self.lookup_requests = Counter("leadlight_lookup_requests", "HTTP requests that look-ups sent",
                                       registry=self.registry)  # fmt: skip
        self.lookup_cost = Counter("leadlight_lookup_cost", "Money that look-ups cost", registry=self.registry)
        self.leads_to_look_up = Gauge("leadlight_leads_to_look_up", "Leads that wait to be looked up",
                                      registry=self.registry, multiprocess_mode="mostrecent")  # fmt: skip
        self._told = CollectorRegistry() if TOGETHER in os.environ else self.registry
        """What is told: of several processes, each asks for the figures of all."""
        if self._told is not self.registry:
            MultiProcessCollector(self._told)  # type: ignore[no-untyped-call]
        self._told.register(_Waiting(depth))

    def stored(self, calls: int, seconds: float) -> None:
        """Count a micro-batch."""
        self.stored_calls.inc(calls)
        self.batches.observe(seconds)

    def scored(self, scored: Scored) -> None:
        """Count scores, and how long they took to come."""
        self.scores.inc(scored.scored)
        for at in scored.received:
            self.latency.observe((scored.at - at).total_seconds())

    def refused(self, reason: str) -> None:
        """Count a call that was put aside."""
        self.put_aside.labels(reason).inc()

    def delivered(self, destination: str, since_score: float | None, since_call: float | None) -> None:
        """Count a message that has arrived, and how long it took; None where it was meant to wait."""
        self.messages.labels(destination, "sent").inc()
        for histogram, seconds in ((self.score_to_delivery, since_score), (self.call_to_delivery, since_call)):
            if seconds is not None:
                histogram.observe(seconds)

    def not_delivered(self, destination: str, *, dead: bool) -> None:
        """Count a try that failed, and whether it was the last."""
        self.messages.labels(destination, "dead" if dead else "failed").inc()

    def outbox(self, counts: Mapping[str, int]) -> None:
        """Note how many messages there are in each state."""
        for state in ("waiting", "dead"):
            self.outbox_rows.labels(state).set(counts.get(state, 0))

    def ended(self, what: str, connection: str, outcome: str) -> None:
        """Count a sync or a push of a connection, and whether it went well."""
        (self.syncs if what == "sync" else self.pushes).labels(connection, outcome).inc()

    def written(self, connection: str, records: int) -> None:
        """Count records that were written in a connected system."""
        self.pushed_records.labels(connection).inc(records)

    def looked_up(self, run: EnrichRun) -> None:
        """Count look-ups: each lead that a provider was asked about, and what came of it."""
        for one in run.providers:
            for outcome, count in (("found", one.found), ("nothing", one.nothing), ("failed", one.failed)):
                if count:
                    self.lookups.labels(one.provider, outcome).inc(count)
        self.lookup_requests.inc(run.traffic.requests)
        self.lookup_cost.inc(max(run.cost, 0.0))

    def to_look_up(self, leads: int) -> None:
        """Note how many leads wait to be looked up."""
        self.leads_to_look_up.set(leads)

    def heard(self, connection: str, outcome: str) -> None:
        """Count a webhook of a connection."""
        self.webhooks.labels(connection, outcome).inc()

    def text(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._told)


class _Waiting(Collector):
    """How many calls wait, asked when it is told."""

    def __init__(self, depth: Callable[[], int]) -> None:
        self._depth = depth

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Return the figure."""
        what = "Calls that were accepted and are not yet in the store"
        return [GaugeMetricFamily("leadlight_calls_waiting", what, value=self._depth())]
