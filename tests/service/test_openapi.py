"""schemathesis sends what the OpenAPI document allows, and what it does not, to the whole application."""

from __future__ import annotations

import os
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS
from tests.service.shop import Inside, inside, make_shop

from leadlight.service.app import operations
from leadlight.service.ingest_routes import DITTOFEED, JITSU
from leadlight.service.openapi import document
from leadlight.service.operation import Operation

EXAMPLES = int(os.environ.get("LEADLIGHT_API_EXAMPLES", "2"))
SYNONYMS = frozenset(
    (*(f"/v1/{name}" for name in ("t", "p", "i", "g", "a", "s", "b", "import", "rank", "try")), *JITSU, DITTOFEED)
)
"""Other names of what is tried under its own."""
DEPENDS = frozenset(
    ("/v1/leads", "/v1/accounts", "/v1/score", "/v1/threshold", "/v1/allocate", "/v1/backtest",
     "/v1/scorecards/{name}/draft",
     "/v1/alias", "/v1/batch", "/v1/cloudevents", "/v1/group", "/v1/identify", "/v1/lines", "/v1/page", "/v1/screen",
     "/v1/track", "/v1/links", "/v1/mail/sendgrid", "/v1/mail/mailgun", "/login/first")
)  # fmt: skip
"""Where more is asked of a request than a JSON Schema can say (that a condition names what the workspace has, that a
call says of whom it is, that a signature fits), so that one the schema allows may be a 400 all the same."""
TRIED = [one for one in operations() if one.template not in SYNONYMS]

schemathesis.serializer.alias("application/x-ndjson", "text/plain")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with inside(make_shop(tmp_path_factory.mktemp("api") / "shop")) as found:
        found.state.keys.misses.free = 10**9  # schemathesis guesses keys, and has to hear that they are wrong
        yield found


@pytest.fixture(scope="module")
def api(served: Inside) -> Any:
    schema = schemathesis.openapi.from_dict(dict(document(operations())))
    schema.app = served.app
    return schema


def _modes(operation: Operation) -> list[GenerationMode]:
    """Any text is an id, so there is nothing to get wrong where only that is asked for."""
    asks = operation.request is not None or any(one.where != "path" for one in operation.parameters)
    return [GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if asks else [])]


@pytest.mark.parametrize("operation", TRIED, ids=lambda one: f"{one.method} {one.template}")
def test_the_api_keeps_its_word(api: Any, served: Inside, operation: Operation) -> None:
    but: list[Any] = CHECKS.get_by_names(["positive_data_acceptance"]) if operation.template in DEPENDS else []
    for mode in _modes(operation):

        @seed(4)
        @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck),
                  phases=(Phase.explicit, Phase.generate))  # fmt: skip
        @given(case=api[operation.template][operation.method].as_strategy(generation_mode=mode))
        def run(case: Case[Any]) -> None:
            case.call_and_validate(headers={"Authorization": f"Bearer {served.key}"}, excluded_checks=but)

        run()


def test_the_document_is_openapi(served: Inside) -> None:
    import jsonschema_rs

    told = served.get("/v1/openapi.json").json()
    assert told == dict(document(operations()))
    for schema in told["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema | {"$schema": "https://json-schema.org/draft/2020-12/schema"})


def test_the_page_says_all_of_it_and_loads_nothing(served: Inside) -> None:
    page = served.request("GET", "/v1/docs").text
    assert [one.template for one in operations() if one.template not in page] == []
    assert "<script" not in page
    assert "src=" not in page
    assert "http" not in page.replace("http-equiv", "")
