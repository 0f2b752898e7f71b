"""What the worker makes of calls, in a store of this process."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.service.shop import Inside, inside, make_shop

from leadlight.engines.base import Engine
from leadlight.engines.postgres import PostgresEngine
from leadlight.errors import NotFoundError
from leadlight.scorecards.ledger import Ledger
from leadlight.service import worker

AT = "2026-03-01T10:00:00Z"
LATER = "2026-03-02T10:00:00Z"
AS_OF = datetime(2026, 3, 3)


def track(event: str = "order", **more: Any) -> dict[str, Any]:
    return {"type": "track", "event": event, "timestamp": AT, **more}


def identify(**more: Any) -> dict[str, Any]:
    return {"type": "identify", "timestamp": AT, **more}


def points(service: Inside, lead: str, as_of: datetime = AS_OF) -> dict[str, float]:
    ledger: Ledger = service.ask(lambda workspace: workspace.explain(lead, "house", as_of=as_of))
    return {item.key: round(item.points, 6) for item in ledger.contributions}


def sent(service: Inside, *calls: dict[str, Any]) -> None:
    service.send(*calls)
    service.settle()


def rows(service: Inside, sql: str) -> list[tuple[Any, ...]]:
    return service.rows(sql)


def test_an_event_scores_its_lead_at_once(service: Inside) -> None:
    before = points(service, "crm-2", datetime(2026, 3, 1, 9))
    sent(service, track("Demo Requested", userId="crm-2"))
    assert before["interest__demo"] == 0
    assert points(service, "crm-2")["interest__demo"] == 25
    kept = service.ask(lambda workspace: workspace.history("crm-2", "house")).scores
    assert len(kept) == 2  # one of the start, one of the event
    accounts = rows(service, "SELECT count(*) FROM scores WHERE scorecard = 'firms' AND account = 'acme'")
    assert accounts == [(2,)]


def test_an_account_is_scored_for_itself_where_nobody_of_it_is(service: Inside) -> None:
    kept = "SELECT scorecard, count(*) FROM scores WHERE account = 'acme' OR lead = 1 GROUP BY ALL ORDER BY ALL"
    assert rows(service, kept) == [("firms", 1), ("house", 1)]
    service.ask(lambda workspace: workspace.engine.execute("INSERT INTO live_unscored VALUES (NULL, 'acme')"))
    service.settle()
    assert rows(service, kept) == [("firms", 2), ("house", 1)]


def test_others_are_not_scored_again(service: Inside) -> None:
    sent(service, track(userId="crm-2"))
    assert len(service.ask(lambda workspace: workspace.history("crm-1", "house")).scores) == 1


def test_a_repeated_call_counts_once(service: Inside) -> None:
    call = track("order", userId="crm-2", messageId="m1", properties={"amount": 99})
    assert service.send(call, call) == {"success": True, "accepted": 1, "repeated": 1}
    service.settle()
    assert service.send(call)["repeated"] == 1
    sent(service, track("order", userId="crm-2", messageId="m2", properties={"amount": 99}))
    assert rows(service, "SELECT count(*) FROM events WHERE _source = 'live'") == [(2,)]


def test_what_a_device_did_counts_when_its_user_is_known_at_its_own_dates(service: Inside) -> None:
    page = {"type": "page", "anonymousId": "d1", "properties": {"path": "/pricing"}, "timestamp": AT}
    sent(service, page)
    with pytest.raises(NotFoundError):
        points(service, "anonymous:d1")
    sent(service, identify(userId="u1", anonymousId="d1", traits={"job": "vp"}, timestamp=LATER))
    assert points(service, "u1")["interest__pricing"] == pytest.approx(5 * 2 ** (-38 / 24 / 5), abs=1e-6)
    with pytest.raises(NotFoundError):  # nobody knew of u1 before
        points(service, "u1", datetime(2026, 3, 2, 9))
    sent(service, {**page, "timestamp": LATER})
    assert rows(service, "SELECT count(*) FROM events e JOIN ids i ON i.lead = e.lead WHERE i.id = 'u1'") == [(2,)]


def test_a_device_of_two_users_is_the_first_ones_whatever_comes_first(service: Inside) -> None:
    sent(service, track(anonymousId="d1", event="Demo Requested"))
    sent(service, identify(userId="second", anonymousId="d1", traits={}, timestamp=LATER))
    sent(service, identify(userId="second", traits={"job": "vp"}))
    assert points(service, "second")["interest__demo"] == 25
    sent(service, identify(userId="first", anonymousId="d1", traits={"job": "vp"}))
    assert points(service, "second")["interest__demo"] == 0
    assert points(service, "first")["interest__demo"] == 25


def test_a_shared_e_mail_address_makes_one_lead_of_two(service: Inside) -> None:
    said = identify(anonymousId="d1", traits={"email": "ANN@acme.example"})
    sent(service, track("Demo Requested", anonymousId="d1"), said)
    assert points(service, "crm-1")["interest__demo"] == 25
    assert points(service, "anonymous:d1") == points(service, "crm-1")


def test_an_alias_joins_two_ids_with_all_they_have(service: Inside) -> None:
    sent(service, track("Demo Requested", userId="old"), identify(userId="new", traits={"job": "vp"}))
    sent(service, {"type": "alias", "previousId": "old", "userId": "new"})
    assert points(service, "new")["interest__demo"] == 25
    sent(service, track("order", userId="old", properties={"amount": 20}))
    assert points(service, "new")["interest__orders"] > 0


def test_calls_say_only_what_is_new_and_late_ones_belong_before(service: Inside) -> None:
    sent(service, identify(userId="u1", traits={"staff": 10}, timestamp=LATER))
    sent(service, identify(userId="u1", traits={"job": "c_level", "staff": 100}))
    assert points(service, "u1")["fit__job"] == 20
    assert points(service, "u1")["fit__staff"] == 2
    assert points(service, "u1", datetime(2026, 3, 2))["fit__staff"] == 7
    sent(service, identify(userId="u1", traits={"job": None}, timestamp="2026-03-02T11:00:00Z"))
    assert points(service, "u1")["fit__job"] == 0


def test_a_group_is_the_account(service: Inside) -> None:
    sent(service, identify(userId="u1", traits={"job": "vp"}))
    sent(service, {"type": "group", "userId": "u1", "groupId": "acme", "traits": {"size": "small"}, "timestamp": LATER})
    assert points(service, "u1")["fit__firm"] == 1
    assert rows(service, "SELECT DISTINCT account FROM attributes a JOIN ids i ON i.lead = a.lead WHERE i.id = 'u1' "
                         "AND account IS NOT NULL") == [("acme",)]  # fmt: skip


def test_values_take_the_type_their_name_has(service: Inside) -> None:
    sent(service, identify(userId="u1", traits={"staff": "75", "job": 7}))
    sent(service, identify(userId="u2", traits={"staff": "many"}))
    found = rows(service, "SELECT staff, job FROM attributes a JOIN ids i ON i.lead = a.lead WHERE i.id = 'u1'")
    assert found == [(75.0, "7")]
    assert rows(service, "SELECT staff FROM attributes a JOIN ids i ON i.lead = a.lead WHERE i.id = 'u2'") == [(None,)]


def test_new_names_can_be_seen_and_no_name_breaks_a_scorecard(service: Inside) -> None:
    sent(service, track(userId="crm-2", properties={"Colour": "red", "n": 1, "mixed": 1}),
         track(userId="crm-2", properties={"mixed": "x"}),
         identify(userId="u1", traits={"pricing_7d": 9, "size": "huge", "job": "vp", "colour": True}))  # fmt: skip
    columns = service.columns("events")
    assert (columns["colour"], columns["n"], columns["mixed"]) == ("VARCHAR", "DOUBLE", "VARCHAR")
    attributes = service.columns("attributes")
    assert "pricing_7d" not in attributes  # the name of a feature
    assert "size" not in attributes  # an attribute of accounts
    assert points(service, "u1")["fit__job"] == 12


def test_a_call_that_cannot_be_stored_is_put_aside_and_the_others_are_not(service: Inside) -> None:
    from leadlight.service.call import Call

    good, bad = (Call(name, AS_OF, AS_OF, name, event="order") for name in ("crm-1", "crm-2"))
    broken = bad.encode()[:-1]
    service.state.journal.append([(good.digest, good.encode()), (bad.digest, broken)]).result(5)
    service.settle()
    assert rows(service, "SELECT lead FROM events WHERE _source = 'live'") == [(1,)]
    ((call, reason),) = rows(service, "SELECT call, reason FROM live_refused")
    assert call == broken.decode()
    assert reason
    assert 'leadlight_calls_refused_total{why="' in service.state.metrics.text().decode()


def test_a_call_that_another_worker_has_put_aside_takes_no_other_with_it(
    tmp_path: Path, postgres_store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leadlight.service.call import Call

    good, bad = (Call(name, AS_OF, AS_OF, name, event="order") for name in ("crm-1", "crm-2"))
    with inside(make_shop(tmp_path / "shop", store=postgres_store)) as service:
        inbox = service.state.worker.inbox
        take, tries = inbox.take, list[int]()

        def racing(engine: Engine, limit: int) -> Any:
            tries.append(limit)
            if tries[-2:] == [1, 1]:  # ours has found that it cannot be stored, and is about to put it aside
                with closing(PostgresEngine(postgres_store)) as other:
                    other.execute("DELETE FROM live_inbox WHERE body NOT LIKE '%}'")
            return take(engine, limit)

        monkeypatch.setattr(inbox, "take", racing)
        inbox.append([(bad.digest, bad.encode()[:-1]), (good.digest, good.encode())]).result(5)
        service.settle()
        assert rows(service, "SELECT call FROM live_refused") == []
        assert rows(service, "SELECT lead FROM events WHERE _source = 'live'") == [(1,)]


def test_whoever_goes_away_holds_up_no_errand(service: Inside) -> None:
    free = threading.Event()
    first, gone = (service.state.worker.do(lambda _: free.wait(10)) for _ in range(2))
    gone.cancel()  # as asyncio does when the server breaks a request off
    free.set()
    assert (first.result(10), gone.result(10)) == (True, True)


def test_positions_are_kept_with_what_was_stored(service: Inside) -> None:
    sent(service, track(userId="crm-1"), track(userId="crm-1", timestamp=LATER))
    inbox = service.state.worker.inbox
    assert rows(service, "SELECT position FROM live_positions") == [(2,)]
    assert inbox.read(0, 9) == service.ask(lambda workspace: inbox.take(workspace.engine, 9)) == []


def test_traits_of_an_erased_person_go_at_the_next_start(service: Inside) -> None:
    from leadlight.service.live_tables import prepare

    sent(service, identify(userId="u1", anonymousId="d1", traits={"email": "gone@x.example"}))
    service.ask(lambda workspace: workspace.erase("u1"))
    service.ask(lambda workspace: prepare(workspace.engine))
    for table in ("live_traits", "live_links", "live_owners"):
        assert rows(service, f"SELECT count(*) FROM {table}") == [(0,)]


def test_what_happens_in_the_future_does_not_count_yet(service: Inside) -> None:
    ahead = (datetime.utcnow() + timedelta(days=2)).isoformat()
    sent(service, track("Demo Requested", userId="crm-1", timestamp=ahead))
    assert points(service, "crm-1", datetime.utcnow())["interest__demo"] == 0


def test_more_than_fits_into_a_micro_batch_is_scored_together(service: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leadlight.service.worker.MICRO", 4)
    monkeypatch.setattr("leadlight.service.worker.LONGEST", 3600)
    calls = [track("order", userId="crm-2", messageId=f"m{n}", properties={"amount": 20}) for n in range(30)]
    sent(service, *calls)
    assert rows(service, "SELECT count(*) FROM events WHERE _source = 'live'") == [(30,)]
    kept = service.ask(lambda workspace: workspace.history("crm-2", "house")).scores
    assert 2 <= len(kept) < 9
    again = service.ask(lambda workspace: workspace.explain("crm-2", "house", as_of=kept[-1].as_of))
    assert again.score == pytest.approx(kept[-1].score, abs=1e-9)
    assert again.score == pytest.approx(sum(item.points for item in again.contributions), abs=1e-9)
    assert rows(service, "SELECT count(*) FROM live_unscored") == [(0,)]


def test_events_are_put_in_order_when_nobody_has_called_for_a_while(
    service: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unordered() -> int:
        [(count,)] = rows(service, "SELECT count(*) - (SELECT in_order FROM layout WHERE name = 'events') FROM events")
        return int(count)

    [(before,)] = rows(service, "SELECT count(*) FROM events")
    sent(service, *(track(userId="crm-2", messageId=f"m{n}") for n in range(before // 2)))
    assert unordered() == before // 2  # too many for `ingest` to leave them so
    scores = points(service, "crm-2")
    monkeypatch.setattr(worker, "QUIET", 0.0)
    end = time.monotonic() + 30
    while unordered() and time.monotonic() < end:
        time.sleep(0.05)
    assert unordered() == 0
    assert points(service, "crm-2") == scores


@contextmanager
def calling(service: Inside) -> Iterator[None]:
    """Have calls come faster than they are stored."""
    done = threading.Event()

    def send_on() -> None:
        number = 0
        while not done.wait(0.05):
            service.send(*(track(userId="crm-2", messageId=f"c{number}-{n}") for n in range(100)))
            number += 1

    sender = threading.Thread(target=send_on)
    sender.start()
    try:
        yield
    finally:
        done.set()
        sender.join()


def test_an_errand_is_done_though_calls_never_cease(service: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "MICRO", 50)  # so that more waits all the time
    with calling(service):
        before = service.state.worker.stored
        while service.state.worker.stored < before + 50:
            time.sleep(0.01)
        stored = service.state.worker.do(lambda workspace: workspace.engine.rows("SELECT count(*) FROM events"))
        assert stored.result(60)
        assert service.state.worker.inbox.depth > 0  # calls waited still


def test_files_are_looked_at_though_calls_never_cease(service: Inside, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "MICRO", 50)
    monkeypatch.setattr(worker, "LOOK_UP", 0.2)
    card = service.state.worker.workspace.root / "scorecards" / "house.yaml"
    with calling(service):
        card.write_text(card.read_text() + "\n# looked at\n" + "nonsense: 1\n")
        end = time.monotonic() + 60
        while service.state.worker.faults is None and time.monotonic() < end:
            time.sleep(0.05)
        assert "nonsense" in str(service.state.worker.faults)
        assert service.state.worker.inbox.depth > 0
