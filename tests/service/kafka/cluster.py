"""librdkafka's own mock cluster: a broker in this process that speaks the protocol, groups and commits included."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, Producer, TopicPartition

PARTITIONS = 4
"""How many partitions the mock cluster gives each topic."""


class _Quiet:
    def log(self, *_: Any, **__: Any) -> None:
        pass

    debug = info = warning = error = critical = log


@dataclass
class Cluster:
    producer: Producer
    brokers: list[str]

    def send(self, topic: str, *values: Any, **more: Any) -> None:
        """Write messages: bytes as they are, None as none, anything else as JSON."""
        for value in values:
            raw = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
            self.producer.produce(topic, raw, **more)
        assert self.producer.flush(10) == 0

    def committed(self, group: str, topic: str) -> int:
        """How many messages of a topic a group has told to be done with."""
        consumer = Consumer({"bootstrap.servers": ",".join(self.brokers), "group.id": group}, logger=_Quiet())
        asked = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
        found: Sequence[Any] = consumer.committed(asked, timeout=10)
        consumer.close()
        return sum(max(one.offset, 0) for one in found)


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Start one with a broker; it lives as long as the client that made it."""
    producer = Producer({"test.mock.num.brokers": 1}, logger=_Quiet())
    known = producer.list_topics(timeout=10).brokers.values()
    yield Cluster(producer, [f"{broker.host}:{broker.port}" for broker in known])
    producer.flush(5)
