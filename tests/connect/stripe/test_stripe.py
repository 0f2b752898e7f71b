"""What only Stripe has: events as history, 30 days of them, amounts in small units, metadata, idempotency keys."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from connect.stand_in import START
from connect.stripe.stand_in import StandIn
from leadlight.connect.protocol import Note, PushField, Write
from leadlight.connect.registry import connector
from leadlight.errors import RemoteError
from leadlight.expr.types import Type

DAY = 86_400
SCORE = PushField("leadlight_score", Type.NUMBER, "Leadlight score", "Points")


def read_first(stripe: StandIn, name: str, fields: list[str]) -> dict[str, object]:
    with stripe.open() as opened:
        opened.read(name, fields)
        return dict(opened.cursor or {})


def test_events_date_what_a_customer_was(stripe: StandIn) -> None:
    one = stripe.add("customers", name="Ann", at=START - timedelta(days=90))
    cursor = read_first(stripe, "customers", ["name"])
    times = []
    for name in ("Anna", "Annabel"):
        stripe.clock.advance(DAY)
        stripe.edit("customers", one, name=name)
        times.append(stripe.clock.now().replace(microsecond=0))
    stripe.clock.advance(DAY)
    stripe.delete("customers", one)
    times.append(stripe.clock.now().replace(microsecond=0))
    with stripe.open() as opened:
        rows = opened.read("customers", ["name"], cursor=cursor)
    assert [(row.values.get("name"), row.gone) for row in rows] == [("Anna", False), ("Annabel", False), (None, True)]
    assert [row.known_at for row in rows] == times


def test_the_oldest_event_comes_first_however_many_there_are(stripe: StandIn) -> None:
    stripe.page_most = 4
    ids = [stripe.add("customers", name="0") for _ in range(3)]
    cursor = read_first(stripe, "customers", ["name"])
    for number in range(1, 8):
        stripe.clock.advance(3600 if number % 3 else 1)
        for one in ids:
            stripe.edit("customers", one, name=str(number))
    with stripe.open() as opened:
        rows = [row for row in opened.read("customers", ["name"], cursor=cursor) if row.values["name"] != "0"]
    assert [row.values["name"] for row in rows] == [str(number) for number in range(1, 8) for _ in ids]


def test_of_one_second_only_the_last_counts(stripe: StandIn) -> None:
    stripe.page_most = 2
    one = stripe.add("customers", name="0")
    cursor = read_first(stripe, "customers", ["name"])
    stripe.clock.advance(DAY)
    for number in range(1, 8):
        stripe.edit("customers", one, name=str(number))
    with stripe.open() as opened:
        rows = [row for row in opened.read("customers", ["name"], cursor=cursor) if row.values["name"] != "0"]
    assert [row.values["name"] for row in rows] == ["7"]


def test_after_thirty_days_all_are_counted_anew(stripe: StandIn) -> None:
    stripe.page_most = 5
    ids = [stripe.add("customers", name=str(number)) for number in range(12)]
    cursor = read_first(stripe, "customers", ["name"])
    stripe.clock.advance(DAY)
    stripe.delete("customers", ids[4])
    stripe.edit("customers", ids[7], name="Changed")
    stripe.clock.advance(40 * DAY)
    with stripe.open() as opened:
        pages = list(opened.pages("customers", ["name"], cursor=cursor))
        last = opened.cursor
    there = {one for page in pages for one in page.there or ()}
    assert there == set(ids) - {ids[4]}
    assert {row.values["name"] for page in pages for row in page.rows if row.id == ids[7]} == {"Changed"}
    assert [page.cursor for page in pages[:-1]] == [cursor] * (len(pages) - 1)  # half a count is none
    assert last is not None
    assert last["phase"] == "events"


def test_reading_goes_on_though_the_last_one_is_gone(stripe: StandIn) -> None:
    stripe.page_most = 5
    ids = []
    for number in range(12):
        stripe.clock.advance(1)
        ids.append(stripe.add("customers", name=str(number)))
    with stripe.open() as opened:
        reading = opened.pages("customers", ["name"])
        first = next(reading).rows
        cursor = opened.cursor
        reading.close()
    stripe.delete("customers", first[-1].id)
    with stripe.open() as opened:
        rest = opened.read("customers", ["name"], cursor=cursor)
    assert {row.id for row in [*first, *rest]} == set(ids)


def test_amounts_are_in_their_currency(stripe: StandIn) -> None:
    for currency in ("usd", "jpy", "kwd", "isk"):
        stripe.add("invoices", currency=currency, amount_paid=1234.0, number=currency)
    with stripe.open() as opened:
        rows = opened.read("invoices", ["number", "amount_paid"])
    assert {row.values["number"]: row.values["amount_paid"] for row in rows} == dict.fromkeys(
        ("usd", "jpy", "kwd", "isk"), 1234.0
    )


def test_a_subscription_costs_what_its_items_do(stripe: StandIn) -> None:
    items = {"amount": 40.0, "quantity": 2.0, "price": "price_1", "product": "prod_1", "interval": "month"}
    one = stripe.add("subscriptions", customer="cus_1", **items)
    bare = stripe.add("subscriptions", customer="cus_1")
    with stripe.open() as opened:
        found = {row.id: row.values for row in opened.read("subscriptions")}
    told = {name: found[one][name] for name in (*items, "customer")}
    assert told == {**items, "customer": "cus_1"}
    assert found[bare]["amount"] is None


def test_invoices_of_older_versions_name_their_subscription_elsewhere() -> None:
    from leadlight.connect.protocol import Field
    from leadlight.connect.stripe.describe import INVOICES
    from leadlight.connect.stripe.records import row

    fields = [Field("subscription", Type.TEXT), Field("customer", Type.TEXT)]
    held = {"id": "in_1", "subscription": {"id": "sub_1"}, "customer": {"id": "cus_1", "object": "customer"}}
    assert row(INVOICES, fields, held).values == {"subscription": "sub_1", "customer": "cus_1"}


def test_metadata_are_fields(stripe: StandIn) -> None:
    stripe.new_field("customers", "metadata_plan")
    one = stripe.add("customers", name="Ann", metadata_plan="gold")
    with stripe.open() as opened:
        assert opened.describe("customers").field("metadata_plan") is not None
        (row,) = opened.read("customers", ["metadata_plan"])
    assert (row.id, row.values) == (one, {"metadata_plan": "gold"})


def test_each_write_has_a_key_of_its_own_and_its_tries_share_it(stripe: StandIn) -> None:
    one = stripe.add("customers", name="Ann")
    with stripe.open() as opened:
        opened.session.ready("customers", [SCORE])
        stripe.fail("unavailable")
        for value in (1.0, 2.0, 1.0):
            opened.session.write("customers", [Write(one, {"metadata_leadlight_score": value})])
        looked = opened.session.look("customers", [one], ["metadata_leadlight_score"])
    assert looked == {one: {"metadata_leadlight_score": 1.0}}
    keys = [call.headers["idempotency-key"] for call in stripe.calls if call.method == "POST"]
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3
    assert {call.headers["stripe-version"] for call in stripe.calls} == {"2026-10-28.endive"}


def test_long_reasons_are_cut_and_bad_keys_refused(stripe: StandIn) -> None:
    one = stripe.add("customers", name="Ann")
    with stripe.open() as opened:
        told = opened.session.write("customers", [Write(one, {"leadlight_reasons": "x" * 900})])
        names = ("a" * 41, "with[brackets]", "good")
        readied = opened.session.ready("customers", [PushField(name, Type.TEXT, "x", "y") for name in names])
        (wrong,) = opened.session.ready("charges", [SCORE])
    assert told[0].error is None
    assert len(str(stripe.held("customers", one).values["metadata_leadlight_reasons"])) == 500
    assert [answer.was for answer in readied] == ["missing", "missing", "there"]
    assert "customers" in (wrong.todo or "")


def test_what_was_written_before_a_trouble_is_told(stripe: StandIn) -> None:
    ids = [stripe.add("customers", name=str(number)) for number in range(3)]
    batch = [Write(one, {"leadlight_score": 1.0}) for one in ids]
    with stripe.open() as opened:
        stripe.fail("none", *["cut"] * 6)
        told = opened.session.write("customers", batch)
    assert [(answer.error is None, answer.again) for answer in told] == [(True, False), (False, True), (False, True)]
    stripe.revoked = True
    with stripe.open() as opened, pytest.raises(RemoteError, match="STRIPE_API_KEY"):
        opened.session.write("customers", batch)


def test_there_is_no_place_for_tasks(stripe: StandIn) -> None:
    with stripe.open() as opened:
        (told,) = opened.session.note("customers", [Note("cus_1", "Call", "Now A")])
    assert "take `tasks` out" in (told.error or "")


def test_a_key_for_browsers_is_not_sent_anywhere(stripe: StandIn) -> None:
    with pytest.raises(RemoteError, match="rk_") as caught:
        stripe.open(secrets={"api_key": "pk_live_abc"})
    assert caught.value.trouble == "sign_in"
    assert stripe.calls == []


def test_webhooks_of_the_live_account_do_not_wake_a_sandbox(stripe: StandIn) -> None:
    import hmac
    from hashlib import sha256

    one, now = connector("stripe"), stripe.clock.now()
    headers, body = stripe.webhook("subscriptions", "https://x.example")
    told = one.changed(headers, body, url="", secrets=stripe.secrets, now=now)
    assert told == ["subscriptions"]
    with pytest.raises(PermissionError, match="five minutes"):
        one.changed(headers, body, url="", secrets=stripe.secrets, now=now + timedelta(seconds=301))
    with pytest.raises(PermissionError, match="STRIPE_WEBHOOK_SECRET"):
        one.changed(headers, body, url="", secrets={}, now=now)
    live = json.dumps({"type": "customer.updated", "livemode": True}).encode()
    stamp = headers["Stripe-Signature"].partition(",")[0][2:]
    signed = hmac.new(stripe.secrets["webhook_secret"].encode(), stamp.encode() + b"." + live, sha256).hexdigest()
    assert (
        one.changed({"stripe-signature": f"t={stamp},v1={signed}"}, live, url="", secrets=stripe.secrets, now=now) == []
    )
