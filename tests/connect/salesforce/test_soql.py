"""SOQL that is put together, and the stand-in that understands it strictly."""

from __future__ import annotations

import pytest

from connect.salesforce.soql_engine import RefusedError, parse
from leadlight.connect.salesforce import soql
from leadlight.connect.salesforce.fields import api_name
from leadlight.connect.salesforce.values import plain, type_of
from leadlight.errors import RemoteError
from leadlight.expr.types import Type


def test_what_is_quoted_is_understood_as_it_was_meant() -> None:
    text = "O'Neill \\ \"x\"\n\t) OR (Id != ''"
    query = parse(soql.select(["Id"], "Lead", f"Title = {soql.text(text)}"))
    assert [(name, literal.value) for name, literal in query.compared] == [("Title", text)]


@pytest.mark.parametrize("name", ["Id FROM Lead", "A.B-C", "", "1A", "Ä", "x" * 81])
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(RemoteError, match="cannot be the API name"):
        soql.select([name], "Lead")


@pytest.mark.parametrize(
    "query",
    [
        "SELECT Id FROM Lead WHERE A = 'x' AND B = 'y' OR C = 'z'",
        "SELECT Id, FROM Lead",
        "SELECT Id FROM Lead WHERE A = 'x' ;",
        "SELECT Id FROM Lead WHERE A == 'x'",
        "SELECT Id FROM Lead WHERE A = x",
        "SELECT Id FROM Lead WHERE A IN ()",
        "SELECT Id FROM Lead LIMIT",
        "SELECT Id FROM Lead WHERE A = '\\q'",
        "DELETE FROM Lead",
    ],
)
def test_the_stand_in_refuses_what_it_does_not_understand(query: str) -> None:
    with pytest.raises(RefusedError) as caught:
        parse(query)
    assert caught.value.code == "MALFORMED_QUERY"


def test_types_and_names() -> None:
    assert [type_of(one) for one in ("email", "int", "location")] == [Type.TEXT, Type.NUMBER, None]
    assert plain(3.6, "int") == 4
    assert api_name("leadlight_scored_at") == "Leadlight_Scored_At__c"
