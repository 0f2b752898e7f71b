"""What leadlight.yaml says about reading events from Kafka: `kafka:`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from leadlight.spec.base import Spec

OURS = frozenset({"bootstrap.servers", "group.id", "enable.auto.commit", "enable.auto.offset.store",
                  "auto.offset.reset", "isolation.level", "enable.partition.eof"})  # fmt: skip
"""Settings of librdkafka that Leadlight makes itself: what is counted once hangs on them."""


class FieldsSpec(Spec):
    """Which field of a message is what, with `format: lines`; dots lead inside (`customer.id`)."""

    lead: str | None = Field(None, min_length=1, description="the field with the user's id")
    anonymous: str | None = Field(None, min_length=1, description="the field with an anonymous id")
    type: str | None = Field(None, min_length=1, description="the field with the event's type")
    event: str | None = Field(None, min_length=1, description="the type of all events of these topics")
    at: str | None = Field(None, min_length=1, description="the field with the time; Kafka's own time unless told")
    message_id: str | None = Field(
        None, min_length=1, description="the field with a unique id; topic, partition and offset unless told"
    )

    @model_validator(mode="after")
    def _check(self) -> FieldsSpec:
        if self.lead is None and self.anonymous is None:
            raise ValueError("fields need lead or anonymous, which say whose an event is")
        if (self.type is None) == (self.event is None):
            raise ValueError("fields need exactly one of type (a field) and event (a fixed type)")
        return self


class KafkaSpec(Spec):
    """Where events are read from, and how they are written there."""

    brokers: list[str] = Field(min_length=1, description="HOST:PORT of some brokers")
    topics: list[str] = Field(min_length=1, description="the topics to read; ^… is a pattern")
    group: str = Field("leadlight", min_length=1, max_length=249, description="the consumer group")
    format: Literal["segment", "cloudevents", "lines"] = Field(
        "segment", description="what a message holds: a call of the Segment API, a CloudEvent, or an object of your own"
    )
    fields: FieldsSpec | None = Field(None, description="with lines: which field is what")
    start: Literal["earliest", "latest"] = Field(
        "earliest", description="where to begin in topics that this group has not read yet"
    )
    settings: dict[str, str] = Field(
        default_factory=dict,
        description="further settings by librdkafka's names (security.protocol …), ${VARIABLES} too",
    )

    @field_validator("brokers")
    @classmethod
    def _check_brokers(cls, told: list[str]) -> list[str]:
        for broker in told:
            host, _, port = broker.rpartition(":")
            if "${" not in broker and (not host or not port.isdecimal()):
                raise ValueError(f"{broker!r} is no broker: HOST:PORT is wanted")
        return told

    @field_validator("settings")
    @classmethod
    def _check_settings(cls, told: dict[str, str]) -> dict[str, str]:
        if taken := sorted(OURS & told.keys()):
            raise ValueError(f"{', '.join(taken)} cannot be set: Leadlight does, so that every event counts once")
        return told

    @model_validator(mode="after")
    def _check(self) -> KafkaSpec:
        if (self.format == "lines") != (self.fields is not None):
            raise ValueError("`fields` goes with `format: lines`, and is needed there")
        return self
