"""The reader of Kafka as a part of the service: what it takes in goes to the inbox, what it cannot use to the store."""

from __future__ import annotations

from collections.abc import Sequence

from leadlight.service.inbox import Inbox
from leadlight.service.kafka.consumer import KafkaReader
from leadlight.service.live_tables import refuse
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.service.metrics import Metrics
from leadlight.service.worker import Worker


def kafka_reader(worker: Worker, inbox: Inbox, metrics: Metrics) -> KafkaReader | None:
    """Return who reads the topics that `kafka:` in leadlight.yaml names; None where it names none.

    Raises MissingExtraError, UsageError.
    """
    spec = worker.workspace.loaded.workspace.spec.kafka
    if spec is None:
        return None

    def put_aside(refused: Sequence[tuple[str, str]]) -> None:
        worker.do(lambda workspace: _put_aside(workspace, refused)).result()

    return KafkaReader(spec, inbox, put_aside, _Counted(metrics), now=worker.workspace.now)


def _put_aside(workspace: LiveWorkspace, refused: Sequence[tuple[str, str]]) -> None:
    """Keep messages with their reasons; one that was kept before, because it was read again, is left."""
    engine, now = workspace.engine, workspace.now()
    with engine.transaction():
        for message, reason in refused:
            if not engine.rows("SELECT 1 FROM live_refused WHERE reason = ? LIMIT 1", [reason]):
                refuse(engine, now, message, reason)


class _Counted:
    """Counts what was read among the service's calls."""

    def __init__(self, metrics: Metrics) -> None:
        self.calls = metrics.calls.labels

    def read(self, accepted: int, repeated: int, rejected: int) -> None:
        """Hear of calls in the inbox, and of those put aside."""
        for name, count in (("accepted", accepted), ("repeated", repeated), ("rejected", rejected)):
            self.calls(name).inc(count)
