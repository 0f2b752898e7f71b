"""Who reads Kafka: a thread that takes messages into the inbox, and tells Kafka only then how far it came.

So a crash at any moment loses nothing; what is read twice has the same ids and counts once. Where the inbox is full or
cannot be written, the thread waits with what it has. What no call can be made of is put aside, in the table
`live_refused`, with the reason, before the next is read.

Several processes of one service share the topics' partitions, as consumers of one group do.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from leadlight.errors import MissingExtraError, StoreError
from leadlight.service.call import Call, entries
from leadlight.service.inbox import Inbox
from leadlight.service.kafka.message import Message, read_message, written_at
from leadlight.spec.kafka import KafkaSpec
from leadlight.spec.variables import expand

if TYPE_CHECKING:
    import confluent_kafka

TOGETHER = 1_000
"""Messages taken at a time, at most."""
WAIT = 0.25
"""Seconds to wait for messages, and to look whether to stop."""
PATIENCE = 5.0
"""Seconds between tries where the inbox takes nothing, or Kafka is not there."""
QUIET = 60.0
"""Seconds without a word from the client after which its last trouble is over: it says so again while it lasts."""
MAX_KEPT = 100_000
"""Characters of a message that is put aside."""

PutAside = Callable[[Sequence[tuple[str, str]]], None]
"""Keeps messages, each with its reason, so that they last; raises StoreError where that fails."""


class Watcher(Protocol):
    """Who is told what was read."""

    def read(self, accepted: int, repeated: int, rejected: int) -> None:
        """Hear of calls in the inbox, and of those put aside."""


def settings(spec: KafkaSpec, environ: Mapping[str, str]) -> dict[str, Any]:
    """Return the client's settings by librdkafka's names.

    Raises UsageError where a variable is not set.

    >>> spec = KafkaSpec(brokers=["a:9092", "b:9092"], topics=["t"], settings={"security.protocol": "ssl"})
    >>> told = settings(spec, {})
    >>> told["bootstrap.servers"], told["enable.auto.commit"], told["security.protocol"]
    ('a:9092,b:9092', False, 'ssl')
    """
    return {
        **{name: expand(value, environ) for name, value in spec.settings.items()},
        "bootstrap.servers": ",".join(expand(broker, environ) for broker in spec.brokers),
        "group.id": spec.group, "auto.offset.reset": spec.start, "enable.auto.commit": False,
        "enable.auto.offset.store": False, "isolation.level": "read_committed",
    }  # fmt: skip


class KafkaReader:
    """Reads topics into an inbox, in a thread of its own."""

    def __init__(
        self, spec: KafkaSpec, inbox: Inbox, put_aside: PutAside, watcher: Watcher, *, now: Callable[[], datetime]
    ) -> None:
        """Make the client; nothing is asked before `start`.

        Raises MissingExtraError, UsageError for a variable that is not set or a setting that librdkafka does not know.
        """
        self.spec, self.inbox, self.put_aside, self.watcher, self.now = spec, inbox, put_aside, watcher, now
        self.trouble: str | None = None
        """Why nothing can be read at present."""
        self._heard_at = 0.0
        self._told = settings(spec, os.environ)
        self._consumer = _client(self._told, self._hear)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="kafka", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, *, seconds: float = 10.0) -> None:
        """Finish what was taken, and leave the group, so that others take over at once."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    @property
    def alive(self) -> bool:
        """Whether it reads."""
        return self._thread.is_alive()

    # ------------------------------------------------------------------------------------------------------ inside

    def _hear(self, error: Any) -> None:
        """Take note of what the client says of its brokers."""
        self.trouble, self._heard_at = f"Kafka: {error.str()}", time.monotonic()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._read()
            except Exception as error:  # what was taken and not told is read again, by a client that begins anew
                self.trouble = f"{type(error).__name__}: {error}"
                if not self._stop.wait(PATIENCE):
                    self._consumer = _client(self._told, self._hear)

    def _read(self) -> None:
        """Read until told to stop."""
        self._consumer.subscribe(list(self.spec.topics))
        try:
            while not self._stop.is_set():
                self._turn()
        finally:
            with suppress(Exception):  # the group finds out by itself
                self._consumer.close()

    def _turn(self) -> None:
        """Take messages, keep what they say, then tell Kafka."""
        from confluent_kafka import KafkaException

        try:
            taken = self._consumer.consume(TOGETHER, WAIT)
        except KafkaException as error:
            self._hear(error.args[0])
            self._stop.wait(PATIENCE)
            return
        faults = [one.error() for one in taken if one.error() is not None]
        good = [one for one in taken if one.error() is None]
        if faults:
            self._hear(faults[0])
        elif good or time.monotonic() - self._heard_at > QUIET:
            self.trouble = None
        if good and self._kept([_message(one) for one in good]):
            self._commit(good)

    def _kept(self, messages: Sequence[Message]) -> bool:
        """Put what messages say on disk, however long it takes; False where it is to stop before that."""
        calls, refused = list[Call](), list[tuple[str, str]]()
        now = self.now()
        for message in messages:
            batch = read_message(message, self.spec, now)
            calls += batch.calls
            refused += [(_shown(message), f"{message.place}: {fault.message}") for fault in batch.rejected]
        while True:
            try:
                self._keep(calls, refused)
                return True
            except StoreError as error:
                self.trouble = error.message
                if self._stop.wait(min(float(getattr(error, "retry_after", PATIENCE)), PATIENCE)):
                    return False

    def _keep(self, calls: Sequence[Call], refused: Sequence[tuple[str, str]]) -> None:
        new = repeated = 0
        for start in range(0, len(calls), TOGETHER):
            kept = self.inbox.append(entries(calls[start : start + TOGETHER])).result()
            new, repeated = new + kept.new, repeated + kept.repeated
        if refused:
            self.put_aside(refused)
        self.trouble = None
        self.watcher.read(new, repeated, len(refused))

    def _commit(self, taken: Sequence[confluent_kafka.Message]) -> None:
        from confluent_kafka import KafkaException, TopicPartition

        last: dict[tuple[Any, Any], int] = {}
        for one in taken:
            place = (one.topic(), one.partition())
            last[place] = max(last.get(place, -1), one.offset() or 0)
        offsets = [TopicPartition(topic, partition, offset + 1) for (topic, partition), offset in last.items()]
        try:
            self._consumer.commit(offsets=offsets, asynchronous=False)
        except KafkaException as error:  # another has the partition now, and reads it again: that counts once
            self._hear(error.args[0])


def _client(told: dict[str, Any], hear: Callable[[Any], None]) -> Any:
    try:
        from confluent_kafka import Consumer, KafkaException
    except ImportError:
        raise MissingExtraError(
            "reading from Kafka needs confluent-kafka", fix='Install it with `pip install "leadlight[kafka]"`.'
        ) from None
    try:
        return Consumer(told, error_cb=hear, logger=_Quiet())
    except KafkaException as error:
        from leadlight.errors import UsageError

        raise UsageError(
            f"kafka.settings: {error.args[0].str()}", fix="Settings have the names that librdkafka gives them."
        ) from None


class _Quiet:
    """Hears librdkafka's own words and says nothing: what matters comes as an error."""

    def log(self, *_: Any, **__: Any) -> None:
        """Say nothing."""

    debug = info = warning = error = critical = log


def _message(one: confluent_kafka.Message) -> Message:
    kind, milliseconds = one.timestamp()
    headers = {name: _text(value) for name, value in dict(one.headers() or ()).items() if value is not None}
    return Message(
        str(one.topic()), int(one.partition() or 0), int(one.offset() or 0), one.value(), headers,
        written_at(milliseconds) if kind and milliseconds > 0 else None,
    )  # fmt: skip


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _shown(message: Message) -> str:
    """Return a message as it is put aside: what no store can hold is left out."""
    return (message.value or b"").decode("utf-8", "replace").replace("\x00", "")[:MAX_KEPT]
