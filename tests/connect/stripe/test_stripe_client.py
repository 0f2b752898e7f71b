"""The stand-in is spoken to by Stripe's own client: it checks what is promised of requests and answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from connect.stripe.stand_in import StandIn


@pytest.fixture
def client(stripe: StandIn) -> Any:
    from stripe import RequestsClient, StripeClient

    addresses = {"api": stripe.url}
    key = stripe.secrets["api_key"]
    return StripeClient(key, base_addresses=addresses, http_client=RequestsClient(), max_network_retries=0)


def test_customers_are_made_listed_written_and_deleted(stripe: StandIn, client: Any) -> None:
    made = [client.v1.customers.create({"name": name, "email": f"{name}@x.example"}) for name in ("ann", "bob", "cyd")]
    stripe.page_most = 2
    listed = list(client.v1.customers.list({"limit": 2}).auto_paging_iter())
    assert [one.name for one in listed] == ["cyd", "bob", "ann"]
    told = client.v1.customers.update(made[0].id, {"metadata": {"leadlight_score": "71.25"}})
    assert told.metadata["leadlight_score"] == "71.25"
    assert stripe.held("customers", made[0].id).values["metadata_leadlight_score"] == "71.25"
    client.v1.customers.update(made[0].id, {"metadata": {"leadlight_score": ""}})
    assert client.v1.customers.retrieve(made[0].id).metadata.to_dict() == {}
    assert client.v1.customers.delete(made[1].id).deleted
    assert client.v1.customers.retrieve(made[1].id).deleted


def test_events_hold_what_was(stripe: StandIn, client: Any) -> None:
    one = client.v1.customers.create({"name": "ann"})
    client.v1.customers.update(one.id, {"name": "Ann"})
    found = client.v1.events.list({"types": ["customer.created", "customer.updated"], "created": {"gte": 0}})
    assert [(event.type, event.data.object.name) for event in found.data] == [
        ("customer.updated", "Ann"),
        ("customer.created", "ann"),
    ]


def test_subscriptions_and_invoices_are_of_todays_form(stripe: StandIn, client: Any) -> None:
    items = {"amount": 40.0, "quantity": 2.0, "price": "price_1", "product": "prod_1", "interval": "month"}
    stripe.add("subscriptions", status="active", **items)
    stripe.add("subscriptions", status="canceled")
    stripe.add("invoices", status="paid", amount_paid=40.0, subscription="sub_1001")
    (subscription,) = client.v1.subscriptions.list().data
    assert subscription["items"].data[0].price.unit_amount == 2000
    assert len(client.v1.subscriptions.list({"status": "all"}).data) == 2
    (invoice,) = client.v1.invoices.list().data
    assert invoice.amount_paid == 4000
    assert invoice.parent.subscription_details.subscription == "sub_1001"


def test_what_the_client_makes_of_refusals(stripe: StandIn, client: Any) -> None:
    import stripe as vendor

    with pytest.raises(vendor.InvalidRequestError) as caught:
        client.v1.customers.retrieve("cus_9")
    assert caught.value.code == "resource_missing"
    stripe.scope_missing = True
    with pytest.raises(vendor.PermissionError):
        client.v1.customers.list()
    stripe.revoked = True
    with pytest.raises(vendor.AuthenticationError):
        client.v1.customers.list()


def test_an_idempotency_key_is_answered_once(stripe: StandIn, client: Any) -> None:
    one = client.v1.customers.create({"name": "ann"})
    for _ in range(2):
        client.v1.customers.update(one.id, {"name": "Ann"}, {"idempotency_key": "k-1"})
    assert len([event for event in stripe.log if event["type"] == "customer.updated"]) == 1


def test_webhooks_are_signed_as_the_client_expects(stripe: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    import stripe as vendor

    headers, body = stripe.webhook("customers", "https://x.example")
    monkeypatch.setattr("time.time", lambda: float(headers["Stripe-Signature"].partition(",")[0][2:]))
    secret = stripe.secrets["webhook_secret"]
    event = vendor.Webhook.construct_event(body, headers["Stripe-Signature"], secret)
    assert event.type == json.loads(body)["type"]
