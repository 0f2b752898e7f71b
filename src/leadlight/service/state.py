"""What the routes of a service share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from leadlight.service.admission import Admission
from leadlight.service.connections import Connections
from leadlight.service.enrich_live import EnrichLive
from leadlight.service.enrich_lookups import Lookups
from leadlight.service.inbox import Inbox
from leadlight.service.jobs import Jobs
from leadlight.service.kafka.consumer import KafkaReader
from leadlight.service.keys import Keys
from leadlight.service.metrics import Metrics
from leadlight.service.readers import Readers
from leadlight.service.scorer import Scorer
from leadlight.service.worker import Worker
from leadlight.spec.models import WorkspaceSpec
from leadlight.workspace import utc_now


@dataclass(frozen=True, slots=True)
class State:
    """A running service."""

    journal: Inbox
    worker: Worker
    readers: Readers
    scorer: Scorer
    admission: Admission
    metrics: Metrics
    jobs: Jobs
    connections: Connections
    lookups: Lookups
    enrich_live: EnrichLive
    now: Callable[[], datetime] = utc_now
    kafka: KafkaReader | None = None

    @property
    def keys(self) -> Keys:
        """The keys that open it."""
        return self.admission.keys

    @property
    def folder(self) -> Path:
        """The workspace's folder."""
        return self.worker.workspace.root

    @property
    def spec(self) -> WorkspaceSpec:
        """What leadlight.yaml said at the start."""
        return self.worker.workspace.loaded.workspace.spec
