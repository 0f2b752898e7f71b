"""Reading from a broker that speaks the protocol: nothing is told to be done before it is kept."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from tests.service.kafka.cluster import Cluster, cluster

from leadlight.errors import MissingExtraError, StoreError, UsageError
from leadlight.service.inbox import InboxError, InboxFull, Kept
from leadlight.service.kafka import consumer as module
from leadlight.service.kafka.consumer import KafkaReader, settings
from leadlight.spec.kafka import KafkaSpec

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def broker() -> Iterator[Cluster]:
    with cluster() as found:
        yield found


class Shelf:
    """An inbox that keeps what it is given, or fails as it is told to."""

    def __init__(self) -> None:
        self.kept: dict[bytes, bytes] = {}
        self.tries = 0
        self.fault: Callable[[], Exception] | None = None

    def append(self, entries: Sequence[tuple[bytes, bytes]]) -> Future[Kept]:
        self.tries += 1
        done: Future[Kept] = Future()
        if self.fault is not None:
            error = self.fault()
            if isinstance(error, InboxFull):
                raise error
            done.set_exception(error)
            return done
        before = len(self.kept)
        self.kept.update(entries)
        new = len(self.kept) - before
        done.set_result(Kept(new, len(entries) - new))
        return done


class Ears:
    def __init__(self) -> None:
        self.heard: list[tuple[int, int, int]] = []

    def read(self, accepted: int, repeated: int, rejected: int) -> None:
        self.heard.append((accepted, repeated, rejected))


def call(number: int) -> dict[str, Any]:
    return {"type": "track", "event": "order", "userId": f"u{number}", "messageId": f"m{number}"}


@contextmanager
def reading(broker: Cluster, topic: str, shelf: Shelf, aside: Any = None, ears: Ears | None = None) -> Iterator[Any]:
    spec = KafkaSpec(brokers=broker.brokers, topics=[topic], group=f"group-{topic}",
                     settings={"session.timeout.ms": "6000"})  # fmt: skip
    kept = aside if aside is not None else _unexpected
    reader = KafkaReader(spec, shelf, kept, ears or Ears(), now=lambda: datetime(2026, 1, 31))  # type: ignore[arg-type]
    reader.start()
    try:
        yield reader
    finally:
        reader.stop()
        assert not reader.alive


def _unexpected(refused: object) -> None:
    raise AssertionError(refused)


def until(done: Callable[[], Any], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_messages_are_kept_then_told_then_not_read_again(broker: Cluster) -> None:
    shelf, ears = Shelf(), Ears()
    broker.send("plain", *[call(n) for n in range(50)])
    with reading(broker, "plain", shelf, ears=ears):
        until(lambda: len(shelf.kept) == 50)
        until(lambda: broker.committed("group-plain", "plain") == 50)
    assert sum(accepted for accepted, _, _ in ears.heard) == 50
    broker.send("plain", call(50))
    again = Shelf()
    with reading(broker, "plain", again):
        until(lambda: len(again.kept) == 1)


@pytest.mark.parametrize("fault", [lambda: InboxError("disk full"), lambda: InboxFull(1)], ids=["broken", "full"])
def test_what_cannot_be_kept_is_not_told_to_be_done(
    broker: Cluster, fault: Callable[[], Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    topic, shelf = f"fails-{type(fault()).__name__}", Shelf()
    shelf.fault = fault
    broker.send(topic, call(1), call(2))
    with reading(broker, topic, shelf) as reader:
        until(lambda: shelf.tries >= 3)
        assert reader.trouble
        assert broker.committed(f"group-{topic}", topic) == 0
        shelf.fault = None
        until(lambda: broker.committed(f"group-{topic}", topic) == 2)
        assert reader.trouble is None
    assert len(shelf.kept) == 2


def test_one_that_ends_before_it_could_keep_leaves_all_to_the_next(broker: Cluster) -> None:
    shelf = Shelf()
    shelf.fault = lambda: InboxError("disk full")
    broker.send("left", call(1), call(2))
    with reading(broker, "left", shelf):
        until(lambda: shelf.tries >= 1)
    shelf.fault = None
    assert broker.committed("group-left", "left") == 0
    with reading(broker, "left", shelf):
        until(lambda: len(shelf.kept) == 2)


def test_what_goes_wrong_in_between_loses_nothing(broker: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.1)

    class Broken(Ears):
        def read(self, accepted: int, repeated: int, rejected: int) -> None:
            super().read(accepted, repeated, rejected)
            if len(self.heard) == 1:
                raise RuntimeError("a bug")

    shelf, ears = Shelf(), Broken()
    broker.send("bug", call(1), call(2), partition=0)
    with reading(broker, "bug", shelf, ears=ears):
        until(lambda: broker.committed("group-bug", "bug") == 2)
    assert len(shelf.kept) == 2
    assert sum(repeated for _, repeated, _ in ears.heard) >= 1  # they were read again


def test_poison_is_put_aside_before_the_rest_goes_on(broker: Cluster) -> None:
    shelf, refused, failed = Shelf(), list[tuple[str, str]](), threading.Event()

    def aside(found: Sequence[tuple[str, str]]) -> None:
        if not failed.is_set():
            failed.set()
            raise StoreError("not now")
        refused.extend(found)

    broker.send("poison", b"{broken", call(1), {"type": "track"}, None, b"\xff\x00", partition=0)
    with reading(broker, "poison", shelf, aside):
        until(lambda: broker.committed("group-poison", "poison") == 5)
    assert len(shelf.kept) == 1
    assert [message for message, _ in refused] == ["{broken", '{"type": "track"}', "�"]
    assert all(reason.startswith("kafka:poison:0:") for _, reason in refused)


def test_topics_that_are_not_there_are_said_and_waited_for() -> None:
    spec = KafkaSpec(brokers=["127.0.0.1:1"], topics=["t"])
    reader = KafkaReader(spec, Shelf(), _unexpected, Ears(), now=datetime.now)  # type: ignore[arg-type]
    reader.start()
    until(lambda: reader.trouble)
    assert reader.alive
    reader.stop()


def test_settings_are_librdkafka_s_and_passwords_come_from_the_environment() -> None:
    spec = KafkaSpec(brokers=["${HOST}:9092"], topics=["t"], settings={"sasl.password": "${WORD}"})
    told = settings(spec, {"HOST": "h", "WORD": "secret"})
    assert (told["bootstrap.servers"], told["sasl.password"]) == ("h:9092", "secret")
    with pytest.raises(UsageError, match="WORD"):
        settings(spec, {"HOST": "h"})
    odd = KafkaSpec(brokers=["h:1"], topics=["t"], settings={"no.such": "x"})
    with pytest.raises(UsageError, match=r"no\.such"):
        KafkaReader(odd, Shelf(), _unexpected, Ears(), now=datetime.now)  # type: ignore[arg-type]


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    with pytest.raises(MissingExtraError) as raised:
        KafkaReader(KafkaSpec(brokers=["h:1"], topics=["t"]), Shelf(), _unexpected, Ears(), now=datetime.now)  # type: ignore[arg-type]
    assert 'pip install "leadlight[kafka]"' in str(raised.value.fix)
