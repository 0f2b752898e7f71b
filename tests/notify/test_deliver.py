"""What arrives, how often and in which order, whatever the receiver does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from tests.notify.conftest import Make
from tests.notify.office import Firm, crm
from tests.notify.receivers import Receiver

from leadlight.errors import NotFoundError
from leadlight.notify.deliver import Preview, Rehearsal
from leadlight.service.live_workspace import LiveWorkspace
from leadlight.store.open import open_store


def hot(make: Make, hook: Receiver, **more: object) -> Firm:
    """A workspace where ann and bob wait for a webhook each."""
    firm = make(crm(hook.address, **more))
    firm.begin(ann=5, bob=5)
    firm.moves(ann=500, bob=500)
    return firm


def test_a_change_arrives_with_its_reasons(any_firm: Make, hook: Receiver) -> None:
    firm = any_firm(crm(hook.address))
    firm.begin(ann=5, bob=50)
    firm.moves(ann=500)
    assert firm.send().sent == 1
    (heard,) = hook.heard
    assert heard.said["type"] == "grade.changed"
    change = heard.said["data"]
    row = firm.rows()[0]
    assert heard.id == row.message == change["change"]
    assert {key: change[key] for key in ("entity", "id", "scorecard", "rule", "direction", "from", "to", "score")} == {
        "entity": "customer", "id": "ann", "scorecard": "house", "rule": "all", "direction": "up", "from": "C",
        "to": "A", "score": 40.0,
    }  # fmt: skip
    assert len(change["reasons"]) == 1
    assert "500" in change["reasons"][0]
    assert "attributes" not in change
    assert (row.state, row.tries, row.reasons) == ("sent", 1, None)  # what was said is kept no longer
    assert firm.send().sent == 0


def test_a_receiver_that_fails_is_tried_again_later_each_time(firm: Make, hook: Receiver) -> None:
    made = hot(firm, hook)
    hook.by_lead = {"ann": [500, 503]}
    assert made.send().sent == 1
    (waits,) = made.rows("waiting")
    assert (waits.error, waits.tries) == ("500", 1)
    assert timedelta(seconds=2.5) <= waits.due_at - made.now <= timedelta(seconds=7.5)
    assert made.send().sent == 0  # not yet
    made.later(seconds=8)
    assert made.send().sent == 0
    (waits,) = made.rows("waiting")
    assert timedelta(seconds=7.5) <= waits.due_at - made.now <= timedelta(seconds=22.5)
    made.later(seconds=23)
    assert made.send().sent == 1
    ids = [heard.id for heard in hook.heard if heard.said["data"]["id"] == "ann"]
    assert len(ids) == 3
    assert len(set(ids)) == 1


def test_after_its_last_try_a_message_is_put_aside_and_can_be_replayed(firm: Make, hook: Receiver) -> None:
    made = hot(firm, hook, tries=2)
    hook.by_lead = {"ann": [400, (422, {}, "no such customer\n\x1b[31m")]}
    made.send()
    made.later(minutes=1)
    assert made.send().dead == 1
    (dead,) = made.rows("dead")
    assert (dead.who, dead.error, dead.tries) == ("ann", "422: no such customer [31m", 2)
    assert dead.reasons is not None
    made.later(days=1)
    assert made.send().sent == 0
    with pytest.raises(NotFoundError, match="msg_none"):
        made.workspace.outbox(replay=["msg_none"])
    assert made.workspace.outbox(replay=[dead.message]).did == (dead.message,)
    assert made.send().sent == 1
    assert hook.heard[-1].id == dead.message


def test_messages_are_dropped_by_hand(firm: Make, hook: Receiver) -> None:
    made = hot(firm, hook)
    ann = next(row for row in made.rows() if row.who == "ann")
    assert made.workspace.outbox(drop=[ann.message]).did == (ann.message,)
    assert made.workspace.outbox(drop="all").did == ()  # all that was put aside: nothing
    assert [row.who for row in made.rows()] == ["bob"]


@pytest.mark.parametrize("asked", ["120", "date"])
def test_who_asks_for_time_gets_it_and_the_try_does_not_count(firm: Make, hook: Receiver, asked: str) -> None:
    made = hot(firm, hook)
    at = made.now + timedelta(seconds=120)
    told = asked if asked == "120" else at.strftime("%a, %d %b %Y %H:%M:%S GMT")
    hook.answers = [(429, {"Retry-After": told}, "")]
    made.send()
    waits = made.rows("waiting")
    late = [row for row in waits if row.error is not None]
    assert [(row.due_at, row.tries) for row in late] == [(at, 0)]
    before = len(hook.heard)
    made.later(seconds=119)
    made.moves(bob=5)  # and nothing else goes there meanwhile
    assert (made.send().sent, len(hook.heard)) == (0, before)
    made.later(seconds=2)
    made.send()
    assert len(hook.heard) > before
    assert made.rows("waiting") == []


def test_a_destination_that_is_gone_gets_no_more(any_firm: Make, hook: Receiver) -> None:
    firm = hot(any_firm, hook)
    hook.answers = [410, 410]
    firm.send()
    heard = len(hook.heard)
    firm.moves(ann=5)
    found = firm.send()
    assert len(hook.heard) == heard
    assert (found.waiting, found.dead) == (0, 3)
    hook.answers = []
    assert len(firm.workspace.outbox(replay="all").did) == 3
    assert firm.send().sent == 3


def test_a_new_address_is_tried_though_the_old_one_was_gone(firm: Make, hook: Receiver) -> None:
    made = hot(firm, hook)
    hook.answers = [410, 410]
    made.send()
    made.destinations = [crm(hook.address + "/new")]
    made.open()
    made.later(minutes=1)
    made.moves(ann=5)
    assert made.send().sent == 1
    assert hook.heard[-1].path == "/hook/new"


@pytest.mark.parametrize(
    ("answer", "error"),
    [("drop", "RemoteProtocolError"), ("hang", "no answer within 0.3 s"), ((302, {"Location": "/x"}, ""), "302")],
)
def test_whatever_a_receiver_does_the_message_waits(firm: Make, hook: Receiver, answer: object, error: str) -> None:
    made = hot(firm, hook, timeout="0.3s")
    hook.by_lead = {"ann": [answer]}
    assert made.send().sent == 1  # bob's: one that hangs delays no other
    (waits,) = made.rows("waiting")
    assert waits.error is not None
    assert error in waits.error
    assert {heard.path for heard in hook.heard} == {"/hook"}  # no redirect was followed
    made.later(minutes=1)
    assert made.send().sent == 1


def test_nobody_listens(firm: Make, hook: Receiver) -> None:
    made = firm(crm("http://127.0.0.1:9/secret-path"))
    made.begin(ann=5)
    made.moves(ann=500)
    found = made.send()
    (waits,) = made.rows("waiting")
    assert found.trouble["crm"] == waits.error
    assert waits.error is not None
    assert "secret-path" not in waits.error


def test_what_is_down_is_left_alone_and_then_tried_by_one(firm: Make, hook: Receiver) -> None:
    made = firm(crm(hook.address))
    made.begin(**{f"c{n}": 5 for n in range(20)})
    made.moves(**{f"c{n}": 500 for n in range(20)})
    hook.answers = [503] * 21
    made.send()
    assert len(hook.heard) == 20
    made.later(seconds=20)
    made.send()
    assert len(hook.heard) == 20  # left alone for 300 s, give or take half
    made.later(seconds=451)
    made.send()
    assert len(hook.heard) == 21  # one tries
    made.later(seconds=451)
    assert made.send().sent == 20


def test_each_leads_messages_come_in_order_whatever_fails(any_firm: Make, hook: Receiver) -> None:
    firm = any_firm(crm(hook.address))
    firm.begin(ann=5, bob=5)
    hook.by_lead = {"ann": [500, 400, "drop"]}
    for step, size in enumerate([50, 500, 50, 5]):
        firm.later(seconds=1)
        firm.moves(ann=size, bob=size if step % 2 else 5)
        firm.send()
    assert [told for told in hook.told() if told[0] == "bob"] == [("bob", "C", "A"), ("bob", "A", "C")]
    for _ in range(10):
        firm.later(minutes=2)
        firm.send()
    told = [heard.said["data"] for heard in hook.heard if heard.said["data"]["id"] == "ann"]
    arrived = [(said["from"], said["to"]) for said in told]
    assert arrived == [("C", "B")] * 4 + [("B", "A"), ("A", "B"), ("B", "C")]


def test_a_kill_between_send_and_note_sends_again_under_the_same_id(
    firm: Make, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies by kill -9 when the message is out and nothing is noted."""
    import os
    import signal
    import subprocess
    import sys

    made = hot(firm, hook)
    program = f"""
import os, signal
from datetime import datetime
from pathlib import Path
from leadlight.notify.office import Office
from leadlight.workspace import Workspace
Office.note = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
Workspace(Path({str(made.folder)!r}), now=lambda: datetime.fromisoformat({made.now.isoformat()!r})).notify()
"""
    made.close()
    ended = subprocess.run([sys.executable, "-c", program], env=dict(os.environ), check=False, timeout=60)
    assert ended.returncode == -signal.SIGKILL
    first = {heard.id for heard in hook.wait(1)}
    assert made.send().sent == 0  # claimed: the other may be at work yet
    made.later(minutes=1)
    assert made.send().sent == 2
    assert first <= {heard.id for heard in hook.heard}
    assert len({heard.id for heard in hook.heard}) == 2
    assert len(hook.heard) > 2


def test_a_dry_run_shows_and_sends_nothing(firm: Make, hook: Receiver) -> None:
    made = hot(firm, hook)
    shown = made.workspace.notify(dry_run=True)
    assert isinstance(shown, Preview)
    assert {message["body"]["data"]["id"] for message in shown.as_dict()["messages"]} == {"ann", "bob"}
    assert "customer ann rose from C to A by house, 40 points" in str(shown)
    assert hook.heard == []
    assert [row.tries for row in made.rows()] == [0, 0]


def test_a_test_message_arrives_signed(firm: Make, hook: Receiver) -> None:
    from leadlight.workspace import utc_now

    made = firm(crm(hook.address), now=utc_now())
    tested = made.workspace.notify(test="crm")
    assert isinstance(tested, Rehearsal)
    assert tested.error is None
    assert hook.heard[0].verified()["data"]["rule"] == "test"
    hook.answers = [500]
    again = made.workspace.notify(test="crm")
    assert isinstance(again, Rehearsal)
    assert again.error == "500"
    with pytest.raises(NotFoundError, match="did you mean 'crm'"):
        made.workspace.notify(test="crn")


def test_a_destination_without_its_secret_says_so_and_the_message_waits(
    firm: Make, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = hot(firm, hook)
    monkeypatch.delenv("HOOK_SECRET")
    assert "HOOK_SECRET is not set" in str(made.send())
    assert [row.tries for row in made.rows("waiting")] == [0, 0]


def test_signatures_by_two_secrets_while_one_takes_over(
    firm: Make, hook: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    from leadlight.workspace import utc_now

    other = "whsec_YW5vdGhlci1zZWNyZXQtb2YtdGhlLXRlc3Rz"
    monkeypatch.setenv("OTHER", other)
    made = firm(crm(hook.address).replace('"${HOOK_SECRET}"', '["${OTHER}", "${HOOK_SECRET}"]'), now=utc_now())
    made.workspace.notify(test="crm")
    assert hook.heard[0].verified() == hook.heard[0].verified(other)


def test_two_processes_share_the_work_and_send_nothing_twice(
    postgres_store: str, tmp_path: Path, hook: Receiver
) -> None:
    """Each claims what the other has not: rows are locked, and a claim outlives its transaction."""
    firm = Firm(tmp_path / "firm", postgres_store, (crm(hook.address),))
    names = [f"c{n:03}" for n in range(120)]
    firm.begin(**dict.fromkeys(names, 5))
    firm.moves(**dict.fromkeys(names, 500))
    others = [LiveWorkspace(firm.folder, open_store(postgres_store, firm.folder), now=lambda: firm.now) for _ in "ab"]
    with ThreadPoolExecutor(2) as pool:
        sent = [found.sent for found in pool.map(lambda workspace: workspace.notify(), others)]
    assert sum(sent) == 120
    assert sorted(heard.said["data"]["id"] for heard in hook.heard) == names
    for workspace in (firm.workspace, *others):
        workspace.engine.close()


def test_a_message_that_cannot_be_written_stops_no_other(firm: Make, hook: Receiver) -> None:
    made = hot(firm, hook)
    made.workspace.engine.execute("UPDATE outbox SET attributes = '{' WHERE who = 'ann'")
    found = made.send()
    assert (found.sent, found.dead) == (1, 1)
    assert "JSONDecodeError" in (made.rows("dead")[0].error or "")


def test_tries_that_a_kill_broke_off_do_not_put_a_message_aside(any_firm: Make, hook: Receiver) -> None:
    made = any_firm(crm(hook.address, tries=2))
    made.begin(ann=5)
    made.moves(ann=500)
    office = made.workspace._office()
    for _ in range(5):  # each time the process is killed before it notes what came of it
        with made.workspace.store(write=True) as engine:
            (message,) = office.claim(engine, office.destinations["crm"])
        made.later(minutes=5)
    assert message.id == made.rows("waiting")[0].message
    hook.answers = [503]
    assert made.send().dead == 0
    assert [row.tries for row in made.rows("waiting")] == [1]
    made.later(minutes=1)
    assert made.send().sent == 1
    assert made.rows()[0].tries == 2
