"""The stand-in speaks as an independent client of Salesforce's expects it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceMalformedRequest
from simple_salesforce.format import format_soql

from connect.salesforce.stand_in import StandIn
from connect.stand_in import START


class Loopback(HTTPAdapter):
    """Sends to loopback what the client, which knows https only, sends to the org."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: requests.PreparedRequest, *args: Any, **more: Any) -> requests.Response:
        assert request.url is not None
        request.url = request.url.replace("https://org.example", self._url)
        return super().send(request, *args, **more)


@pytest.fixture
def client(org: StandIn) -> Iterator[Salesforce]:
    org.tokens.add("their-token")
    with requests.Session() as session:
        session.mount("https://", Loopback(org.url))
        yield Salesforce(instance="org.example", session_id="their-token", session=session, version="66.0")


def test_pages(org: StandIn, client: Salesforce) -> None:
    org.page_most = 4
    ids = [org.add("Lead", LastName=str(number)) for number in range(10)]
    assert [one["Id"] for one in client.query_all("SELECT Id FROM Lead ORDER BY Id")["records"]] == ids
    assert client.query("SELECT Id FROM Lead")["done"] is False
    assert client.api_usage["api-usage"].used > 0


def test_the_bin(org: StandIn, client: Salesforce) -> None:
    kept, gone = org.add("Lead", LastName="A"), org.add("Lead", LastName="B")
    client.Lead.delete(gone)
    query = "SELECT Id, IsDeleted FROM Lead ORDER BY IsDeleted"
    told = client.query_all(query, include_deleted=True)["records"]
    assert [(one["Id"], one["IsDeleted"]) for one in told] == [(kept, False), (gone, True)]
    assert client.query_all(query)["totalSize"] == 1
    day = timedelta(days=1)
    listed = client.Lead.deleted(START.replace(tzinfo=UTC) - day, START.replace(tzinfo=UTC) + day)
    assert [one["id"] for one in listed["deletedRecords"]] == [gone]


def test_records_one_by_one(org: StandIn, client: Salesforce) -> None:
    made = client.Lead.create({"LastName": "O'Neill", "NumberOfEmployees": 12})
    assert made["success"] is True
    assert client.Lead.update(made["id"], {"Title": "Buyer"}) == 204
    held = client.Lead.get(made["id"])
    assert (held["LastName"], held["Title"], held["NumberOfEmployees"]) == ("O'Neill", "Buyer", 12)
    found = client.query(format_soql("SELECT Id FROM Lead WHERE LastName = {}", "O'Neill"))
    assert [one["Id"] for one in found["records"]] == [made["id"]]


def test_describes(client: Salesforce) -> None:
    types = {field["name"]: field["type"] for field in client.Lead.describe()["fields"]}
    assert types["Email"] == "email"
    assert types["NumberOfEmployees"] == "int"
    assert "Lead" in {one["name"] for one in client.describe()["sobjects"]}


def test_refusals(org: StandIn, client: Salesforce) -> None:
    for query in ("SELECT Nope FROM Lead", "SELECT Id FROM Nope", "SELECT Id Lead"):
        with pytest.raises(SalesforceMalformedRequest):
            client.query(query)
    org.expire()
    with pytest.raises(SalesforceExpiredSession):
        client.query("SELECT Id FROM Lead")
