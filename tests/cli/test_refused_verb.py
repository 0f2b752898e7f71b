"""The verb refused as it is typed."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.service.shop import inside, make_shop

from leadlight.service.call import Call
from leadlight.service.keeping import read_audit
from leadlight.service.live_tables import refuse

AT = datetime(2026, 3, 1, 10)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A workspace in which two calls of ann and one text were put aside."""
    folder = make_shop(tmp_path / "shop")
    with inside(folder) as service:
        for name in ("m1", "m2"):
            call = Call(name, AT, AT, "ann", event="order").encode().decode()
            service.ask(lambda workspace, text=call: refuse(workspace.engine, AT, text, "Bad Value: 'ann'"))
        service.ask(lambda workspace: refuse(workspace.engine, AT, "<ann/>", "no JSON"))
        assert service.request("DELETE", "/v1/refused/none").status_code == 404  # with it, there is an audit log
    return folder


def test_listed_without_a_name_shown_with_all_replayed_dropped_and_noted(run: Run, shop: Path) -> None:
    at = ("-w", str(shop))
    listed = run("refused", *at).out
    assert "ann" not in listed
    assert "3 refused calls" in listed
    assert "Bad Value: …" in listed
    assert "event of a user, 2026-03-01 10:00" in listed
    assert '"u":"ann"' in run("refused", "--show", *at).out
    calls = run("refused", "--json", *at).json["calls"]
    first, second = [one["id"] for one in calls if one["call"].startswith("{")]
    (text,) = [one["id"] for one in calls if one["call"].startswith("<")]
    assert len(run("refused", "-n", "1", "--json", *at).json["calls"]) == 1

    said = run(*at)
    assert "3 calls could not be stored." in said.out
    assert "leadlight refused" in said.out
    assert run(*at, "--json").json["refused"] == 3

    assert run("refused", "--replay", "none", *at).code == 6
    assert run("refused", "--replay", text, *at).code == 2
    assert run("refused", "--replay", "all", "--drop", "all", *at).code == 2
    assert run("refused", "--replay", first, "--replay", second, *at).out.startswith("2 calls replayed: ")
    assert run("refused", "--drop", text, *at).out == "1 call dropped\n"
    assert run("refused", *at).out == "no call was refused\n"
    assert "could not be stored" not in run(*at).out
    noted = [entry.what for entry in read_audit(shop).entries]
    assert noted == ["DELETE /v1/refused/{id}", "leadlight refused", "leadlight refused"]
    with inside(shop) as service:
        service.settle()
        assert service.rows("SELECT count(*) FROM events WHERE _source = 'live'") == [(2,)]
