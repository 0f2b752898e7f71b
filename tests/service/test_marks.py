"""What calls bring beside what they say: who is no person, and who has not consented, does not score."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.service.shop import Inside, inside, make_shop

from leadlight.service.marks import crawler, forget_origins
from leadlight.store.bots import sweep
from leadlight.store.set_aside import Which, judge_which
from leadlight.store.touched import changing

SPECS = """
bots: {rate: {events: 6}, address_rate: {events: 9}}
consent: {purposes: {Marketing Mail: [order]}, unsaid: count}
accounts: {by: email_domain}
"""
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    folder = make_shop(tmp_path_factory.mktemp("marks") / "shop")
    with (folder / "leadlight.yaml").open("a") as file:
        file.write(SPECS)
    with inside(folder) as found:
        yield found


def start() -> datetime:
    """A moment of now, so that addresses are remembered."""
    return datetime.now(UTC).replace(tzinfo=None, microsecond=0) - timedelta(hours=1)


def call(lead: str, at: datetime, event: str = "page_seen", **context: Any) -> dict[str, Any]:
    return {"type": "track", "event": event, "userId": lead, "timestamp": at.isoformat() + "Z", "context": context}


def sent(service: Inside, *calls: dict[str, Any]) -> None:
    service.send(*calls)
    service.settle()


def rows(service: Inside, sql: str, told: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Ask the store where nobody else does at the same time."""
    return service.state.worker.do(lambda workspace: workspace.engine.rows(sql, told)).result(30)


def aside(service: Inside, *leads: str) -> list[tuple[Any, ...]]:
    """Reasons and how many, of some leads."""
    return rows(
        service,
        "SELECT _reason, count(*) FROM set_aside s JOIN ids i ON i.key = s._said_of "
        "WHERE list_contains(?::VARCHAR[], i.id) GROUP BY ALL ORDER BY ALL",
        [list(leads)],
    )


def test_crawlers_by_their_names() -> None:
    assert crawler(GOOGLE) == "Googlebot"
    assert crawler(BROWSER) is None


def test_a_crawler_does_not_score(served: Inside) -> None:
    sent(
        served, call("bot1", start(), userAgent=GOOGLE), call("bot1", start(), userAgent=BROWSER), call("bot1", start())
    )
    assert aside(served, "bot1") == [("crawler", 1)]
    assert rows(served, "SELECT DISTINCT crawler FROM origins WHERE crawler IS NOT NULL") == [("Googlebot",)]


def test_a_burst_is_taken_as_a_whole_over_batches(served: Inside) -> None:
    at = start()
    for part in ((0, 1, 9), (2, 3), (4,)):
        sent(served, *(call("fast", at + timedelta(seconds=second), "Demo Requested") for second in part))
        assert aside(served, "fast") == []
    sent(served, call("fast", at + timedelta(seconds=5)))
    assert aside(served, "fast") == [("rate", 7)]


def test_scores_follow_both_ways(served: Inside) -> None:
    at = start() - timedelta(days=3)  # longer ago than addresses are remembered

    def points() -> float:
        found = served.state.worker.do(lambda workspace: workspace.history("crm-3", "house").scores[-1].score)
        return float(found.result(30))

    before = points()
    sent(served, *(call("crm-3", at + timedelta(seconds=n), "Demo Requested") for n in range(5)))
    assert points() == before + 25
    sent(served, *(call("crm-3", at + timedelta(seconds=n), "Demo Requested") for n in (6, 7)))
    assert aside(served, "crm-3") == [("rate", 7)]
    assert points() == before


def test_many_ids_of_one_address(served: Inside) -> None:
    at = start()
    sent(served, *(call(f"many{n}", at + timedelta(seconds=n / 10), ip="203.0.113.9") for n in range(9)))
    assert aside(served, *(f"many{n}" for n in range(10))) == []
    sent(served, call("many9", at + timedelta(seconds=2), ip="203.0.113.9"), call("one", at, ip="203.0.113.8"))
    assert aside(served, *(f"many{n}" for n in range(10))) == [("address", 10)]
    assert aside(served, "one") == []
    stored = rows(served, "SELECT DISTINCT address FROM origins WHERE address IS NOT NULL")
    assert len(stored) == 2
    assert not any("203.0" in address for (address,) in stored)


def test_a_crawler_that_runs_our_tracker_is_known_by_its_request(served: Inside) -> None:
    key = served.post("/v1/keys", {"name": "page", "scopes": ["browser"]}).json()["key"]
    at = start()
    for index, (agent, who) in enumerate(((GOOGLE, "crawled"), (BROWSER, "looked"))):
        headers = {"Authorization": f"Bearer {key}", "User-Agent": agent}
        said = served.request("POST", "/v1/t", json=call(who, at + timedelta(seconds=index)), headers=headers)
        assert said.status_code == 200
    own = {"Authorization": f"Bearer {served.key}", "User-Agent": GOOGLE}  # a server's own client is nobody's browser
    assert served.request("POST", "/v1/t", json=call("by server", at), headers=own).status_code == 200
    served.settle()
    assert aside(served, "crawled") == [("crawler", 1)]
    assert aside(served, "looked") == aside(served, "by server") == []


def test_consent_by_context_trait_and_time(served: Inside) -> None:
    at = start()
    no = {"consent": {"categoryPreferences": {"Marketing Mail": False}}}
    sent(
        served,
        call("shy", at, "order"),
        call("shy", at + timedelta(minutes=5), "order"),
        call("shy", at + timedelta(minutes=6)),
    )
    assert aside(served, "shy") == []
    sent(served, call("shy", at + timedelta(minutes=1), "page_seen", **no))
    assert aside(served, "shy") == [("consent", 1)]  # what came after the no, though it was there before
    yes = {"type": "identify", "userId": "shy", "traits": {"marketingMail": "yes"},
           "timestamp": (at + timedelta(minutes=3)).isoformat() + "Z"}  # fmt: skip
    sent(served, yes)
    assert aside(served, "shy") == []


def test_any_order_and_batching_is_a_sweep(served: Inside) -> None:
    """Live finds what a pass over everything does, and the order of arrival does not matter."""
    draw, at = random.Random(7), start() - timedelta(hours=5)
    names = ["r1", "r2", "r3"]
    types, agents = ["page_seen", "email_open", "email_click"], [GOOGLE, BROWSER, BROWSER, BROWSER]
    calls = [
        {**call(draw.choice(names), at + timedelta(seconds=draw.randrange(40)), draw.choice(types),
                userAgent=draw.choice(agents)),
         "properties": {"message": "letter", "url": draw.choice("uvw")}}
        for _ in range(70)
    ]  # fmt: skip
    while calls:
        served.send(*[calls.pop() for _ in range(min(len(calls), draw.randrange(1, 15)))])
    served.settle()

    def found() -> list[tuple[Any, ...]]:
        return rows(served, "SELECT hex(_key) AS k, _reason FROM set_aside ORDER BY ALL")

    live = found()
    assert {reason for _, reason in live} >= {"crawler", "rate", "scanner"}

    def again(workspace: Any) -> int:
        with changing(workspace.engine, None):
            return sweep(workspace.engine, workspace.loaded.workspace.spec.bots, at=workspace.now())

    assert served.state.worker.do(again).result(30) == 0
    assert found() == live


def test_a_persons_word_holds_in_later_batches(served: Inside) -> None:
    at = start() - timedelta(hours=2)
    sent(served, *(call("human", at + timedelta(seconds=n)) for n in range(7)))
    assert aside(served, "human") == [("rate", 7)]

    def release(workspace: Any) -> int:
        with changing(workspace.engine, None):
            lead = workspace.engine.rows("SELECT lead FROM ids WHERE id = 'human'")[0][0]
            return judge_which(workspace.engine, Which(lead=lead), aside=False, at=workspace.now())

    assert served.state.worker.do(release).result(30) == 7
    sent(served, call("human", at + timedelta(seconds=8)))
    assert aside(served, "human") == [("rate", 1)]  # the one nobody judged


def test_the_account_of_an_address_until_a_group_is_told(served: Inside) -> None:
    def accounts() -> list[tuple[Any, ...]]:
        return rows(
            served,
            "SELECT account FROM attributes a JOIN ids i ON i.key = a.lead WHERE i.id = 'dora' ORDER BY known_at",
        )

    at = start()
    told = {"type": "identify", "userId": "dora", "traits": {"email": "dora@mail.kite.example"}}
    sent(served, told | {"timestamp": at.isoformat() + "Z"})
    assert accounts() == [("kite.example",)]
    group = {"type": "group", "userId": "dora", "groupId": "Kite Ltd"}
    sent(served, group | {"timestamp": (at + timedelta(minutes=1)).isoformat() + "Z"})
    assert accounts() == [("kite.example",), ("Kite Ltd",)]


def test_the_same_on_postgresql(shop: Path, postgres_store: str) -> None:
    text = (shop / "leadlight.yaml").read_text()
    (shop / "leadlight.yaml").write_text(re.sub(r"(?m)^store: .*$", f"store: {postgres_store}", text) + SPECS)
    at, no = start(), {"consent": {"categoryPreferences": {"Marketing Mail": False}}}
    with inside(shop) as service:
        sent(service, call("bot", at, userAgent=GOOGLE), call("bot", at), call("shy", at, "order", **no))
        for part in ((0, 1, 9), (2, 3), (4, 5)):
            sent(service, *(call("fast", at + timedelta(seconds=second)) for second in part))
        found = service.get("/v1/set-aside").json()
        assert found["reasons"] == {"rate": 7, "consent": 1, "crawler": 1}


def test_where_events_came_from_is_forgotten(served: Inside) -> None:
    sent(served, call("past", start(), ip="203.0.113.7"), call("past", start(), ip="203.0.113.7", userAgent=GOOGLE))

    def later(workspace: Any) -> list[tuple[Any, ...]]:
        forget_origins(workspace.engine, None, now=workspace.now() + timedelta(days=2))
        found: list[tuple[Any, ...]] = workspace.engine.rows(
            "SELECT o.crawler, o.address FROM origins o JOIN ids i ON i.key = o._said_of WHERE i.id = 'past'"
        )
        return found

    assert served.state.worker.do(later).result(30) == [("Googlebot", None)]


def test_bots_null_takes_none(shop: Path) -> None:
    with (shop / "leadlight.yaml").open("a") as file:
        file.write("bots: null\n")
    with inside(shop) as service:
        sent(service, call("bot", start(), userAgent=GOOGLE))
        assert aside(service, "bot") == []
        assert rows(service, "SELECT count(*) FROM origins") == [(0,)]
