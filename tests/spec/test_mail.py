"""`mail:` in leadlight.yaml: what it takes and what it refuses."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from leadlight.spec.mail import MailSpec


def test_all_of_it_may_be_left_out() -> None:
    spec = MailSpec.model_validate({})
    assert (spec.user_id, spec.max_age, spec.sendgrid) == ("user_id", timedelta(days=1), None)


def test_postmark_by_password_or_by_header() -> None:
    for told in ({"user": "u", "password": "p"}, {"header": "X-Token", "token": "t"}):
        assert MailSpec.model_validate({"postmark": told}).postmark is not None


@pytest.mark.parametrize(
    ("told", "said"),
    [({"postmark": {}}, "user and password"), ({"postmark": {"user": "u", "token": "t"}}, "user and password"),
     ({"postmark": {"user": "u", "password": "p", "header": "X", "token": "t"}}, "user and password"),
     ({"postmark": {"header": "X Y", "token": "t"}}, "header"), ({"ses": {"topics": []}}, "topics"),
     ({"ses": {"topics": ["mail"]}}, "ARN"), ({"mailgun": {}}, "signing_key"), ({"sendgrid": {}}, "public_key"),
     ({"user_id": ""}, "user_id"), ({"brevo": {}}, "brevo")],
)  # fmt: skip
def test_what_is_refused(told: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        MailSpec.model_validate(told)
