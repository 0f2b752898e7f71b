"""`kafka:` in leadlight.yaml: what it takes and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from leadlight.spec.kafka import KafkaSpec

GOOD: dict[str, Any] = {"brokers": ["localhost:9092"], "topics": ["events"]}


def test_two_lines_are_enough() -> None:
    spec = KafkaSpec.model_validate(GOOD)
    assert (spec.group, spec.format, spec.start) == ("leadlight", "segment", "earliest")


@pytest.mark.parametrize(
    ("more", "said"),
    [({"brokers": []}, "brokers"), ({"brokers": ["localhost"]}, "HOST:PORT"), ({"topics": []}, "topics"),
     ({"format": "avro"}, "segment"), ({"format": "lines"}, "fields"),
     ({"fields": {"lead": "a", "event": "b"}}, "lines"),
     ({"format": "lines", "fields": {"event": "b"}}, "lead or anonymous"),
     ({"format": "lines", "fields": {"lead": "a"}}, "exactly one of type"),
     ({"settings": {"enable.auto.commit": "true"}}, "cannot be set"), ({"start": "now"}, "earliest")],
)  # fmt: skip
def test_what_is_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        KafkaSpec.model_validate({**GOOD, **more})
