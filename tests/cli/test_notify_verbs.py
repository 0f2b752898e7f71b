"""The verbs notify and outbox as they are typed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.notify.office import Firm, crm
from tests.notify.receivers import SECRET, Receiver, receiver

from leadlight.workspace import utc_now


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    with receiver() as made:
        yield made


def test_send_list_replay_and_drop(run: Run, tmp_path: Path, hook: Receiver) -> None:
    firm = Firm(tmp_path, "duckdb:x.duckdb", (crm(hook.address, tries=1),), now=utc_now())
    firm.moves(ann=5, bob=5)
    firm.moves(ann=500, bob=500)
    firm.close()
    at = ("-w", tmp_path)
    assert "2 waiting, 0 sent, 0 dead, 0 void" in run("outbox", *at).out
    shown = run("notify", "--dry-run", *at)
    assert "customer ann rose from C to A" in shown.out
    assert len(run("notify", "--dry-run", "--json", *at).json["messages"]) == 2
    hook.by_lead = {"ann": [(400, {}, "no")]}
    assert "1 message sent, 0 waiting, 1 put aside" in run("notify", *at).out
    hook.heard[0].verified()
    (dead,) = run("outbox", "--json", *at).json["messages"]
    assert (dead["id"], dead["error"]) == ("ann", "400: no")
    assert "400: no" in run("outbox", "--state", "dead", *at).out
    wrong = run("outbox", "--replay", "msg_none", *at)
    assert (wrong.code, "there is no message 'msg_none' to replay" in wrong.err) == (6, True)
    assert run("outbox", "--state", "lost", *at).code == 2
    assert run("outbox", "--replay", dead["message"], *at).out.startswith("1 message replayed; 1 waiting")
    assert run("outbox", "--drop", dead["message"], *at).out.startswith("1 message dropped; 0 waiting")
    assert run("notify", "--test", "crm", *at).out == "crm: the test arrived\n"
    hook.answers = [503]
    failed = run("notify", "--test", "crm", "--json", *at)
    assert (failed.code, failed.json["arrived"], failed.json["error"]) == (1, False, "503")


def test_without_notify_the_verb_says_what_to_write(run: Run, starter: Path) -> None:
    said = run("notify", "-w", starter)
    assert said.code == 2
    assert "Write `notify:` there" in said.err
