"""When messages go: quiet hours, and how many an hour."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.notify.conftest import Make
from tests.notify.office import crm
from tests.notify.receivers import Receiver

NIGHT = '{from: "20:00", to: "07:00", zone: Europe/Berlin}'


def chat(hook: Receiver, **more: object) -> str:
    rest = "".join(f", {key}: {value}" for key, value in more.items())
    return f'crm: {{slack: "{hook.address}"{rest}}}'


def texts(hook: Receiver) -> list[str]:
    return [heard.said["text"] for heard in hook.heard]


def test_what_is_due_in_quiet_hours_waits_and_is_told_at_their_end(any_firm: Make, hook: Receiver) -> None:
    firm = any_firm(crm(hook.address, quiet=NIGHT))
    firm.begin(ann=5, bob=5)
    firm.moves(ann=500)
    firm.now = datetime(2026, 3, 4, 19)  # eight in the evening in Berlin
    assert firm.send().sent == 0  # it was due before, but nobody sent it
    (held,) = firm.rows("waiting")
    assert held.due_at == datetime(2026, 3, 5, 6)
    firm.moves(ann=5)  # it goes with the night, like what came in it
    firm.moves(bob=500)
    firm.now = datetime(2026, 3, 5, 5, 59)
    assert firm.send().sent == 0
    firm.later(minutes=1)
    assert firm.send().sent == 1
    assert hook.told() == [("bob", "C", "A")]


def test_a_message_that_failed_is_not_tried_in_the_night(firm: Make, hook: Receiver) -> None:
    made = firm(crm(hook.address, quiet=NIGHT))
    made.begin(ann=5)
    made.now = datetime(2026, 3, 4, 18, 59, 59)
    made.moves(ann=500)
    hook.answers = [500]
    made.send()
    made.later(minutes=5)
    made.send()
    made.moves(ann=5)  # it was tried, and may have arrived: it stays, and the other comes behind it
    made.now = datetime(2026, 3, 5, 6)
    made.send()
    made.send()
    assert hook.told() == [("ann", "C", "A"), ("ann", "C", "A"), ("ann", "A", "C")]


def test_the_last_message_of_an_hour_tells_all_the_rest(any_firm: Make, hook: Receiver) -> None:
    firm = any_firm(chat(hook, at_most=3))
    firm.begin(**{f"c{n:02}": 5 for n in range(30)})
    firm.moves(**{f"c{n:02}": 500 if n % 3 else 50 for n in range(30)})
    assert firm.send().sent == 3
    assert sum(text.startswith("*customer") for text in texts(hook)) == 2
    (rest,) = [text for text in texts(hook) if "changed grade" in text]
    assert "*28 customers changed grade: 28 up, 0 down*" in rest
    assert "… and 8 more" in rest
    assert firm.rows("waiting") == []
    firm.later(minutes=30)
    firm.moves(c00=5, c01=5)
    firm.later(minutes=10)
    firm.moves(c02=5)
    assert firm.send().sent == 0
    assert {row.due_at for row in firm.rows("waiting")} == {firm.now + timedelta(minutes=20)}
    firm.later(minutes=20)
    assert firm.send().sent == 3
    assert len(hook.heard) == 6


def test_a_digest_that_fails_comes_again_as_it_was(firm: Make, hook: Receiver) -> None:
    made = firm(crm(hook.address, at_most=1))
    made.begin(ann=5, bob=5, cyd=5)
    hook.answers = [500]
    made.moves(ann=500, bob=500)
    made.send()
    made.later(minutes=1)
    made.moves(cyd=500)
    made.send()
    first, second = hook.heard
    assert (first.id, first.said) == (second.id, second.said)
    assert second.said["type"] == "grades.changed"
    assert {change["id"] for change in second.said["data"]["changes"]} == {"ann", "bob"}
    assert [row.who for row in made.rows("waiting")] == ["cyd"]


def test_people_get_twenty_an_hour_unless_told_and_programs_any_number(firm: Make, hook: Receiver) -> None:
    made = firm(chat(hook), crm(hook.address).replace("crm:", "all:"), rules=("r: {again: always, tell: [crm, all]}",))
    made.begin(**{f"c{n}": 5 for n in range(25)})
    made.moves(**{f"c{n}": 500 for n in range(25)})
    assert made.send().trouble == {}
    to_people = [heard for heard in hook.heard if "webhook-id" not in heard.headers]
    assert (len(to_people), len(hook.heard)) == (20, 45)


def test_the_clock_of_the_wall_counts_where_clocks_change(firm: Make, hook: Receiver) -> None:
    made = firm(crm(hook.address, quiet=NIGHT))
    made.now = datetime(2026, 3, 28, 12)
    made.begin(ann=5)
    made.now = datetime(2026, 3, 28, 21)
    made.moves(ann=500)
    assert made.rows()[0].due_at == datetime(2026, 3, 29, 5)  # summer time began in the night
