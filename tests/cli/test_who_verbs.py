from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.service.gate import gate
from tests.service.shop import inside, make_shop

from leadlight.service.audit import audited
from leadlight.service.keys import file_keys


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "leadlight.yaml").write_text("store: duckdb:leadlight.duckdb\n")
    return tmp_path


def test_keys_are_made_renewed_and_revoked(run: Run, folder: Path) -> None:
    at = ["-w", folder]
    assert "There are no keys yet" in run("keys", *at).out
    made = run("keys", "make", "site", "--may", "browser", "--events", "50", "--expires", "9d", *at, "--json").json
    assert file_keys(folder / ".leadlight").find(made["key"]) is not None
    assert "50 events a second" in run("keys", *at).out
    renewed = run("keys", "rotate", made["id"], "--grace", "2h", *at, "--json").json
    keys = file_keys(folder / ".leadlight")
    assert keys.find(made["key"]) == keys.find(renewed["key"]) is not None
    assert "was revoked" in run("keys", "revoke", made["id"], *at).out
    assert file_keys(folder / ".leadlight").find(renewed["key"]) is None
    said = run("audit", *at, "--json").json
    assert [(one["what"], one["on"]) for one in said["entries"]] == [
        (f"leadlight keys {what}", made["id"]) for what in ("make", "rotate", "revoke")
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["keys", "mak"], "did you mean 'make'"),
        (["keys", "make", "--may", "read"], "needs a name"),
        (["keys", "rotate"], "needs the id of the key"),
        (["keys", "revoke", "x"], "there is no key 'x'"),
        (["keys", "make", "a"], "a key needs scopes"),
        (["keys", "make", "a", "--may", "reed"], "did you mean 'read'"),
        (["keys", "make", "a", "--may", "read", "--expires", "soon"], "not a duration"),
        (["keys", "revoke", "x", "--may", "read"], "goes with `keys make`"),
        (["keys", "list", "--grace", "1d"], "goes with `keys rotate`"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_makes_no_sense_is_said(run: Run, folder: Path, words: list[str], said: str) -> None:
    ended = run(*words, "-w", folder)
    assert ended.code != 0
    assert said in ended.err
    assert "Traceback" not in ended.err


def test_a_log_that_was_tampered_with_ends_with_one(run: Run, folder: Path) -> None:
    for name in "ab":
        run("keys", "make", name, "--may", "read", "-w", folder)
    head = run("audit", "-w", folder, "--json").json["head"]
    path = folder / ".leadlight" / "audit.jsonl"
    whole = path.read_text()
    path.write_text(whole.splitlines()[0] + "\n")
    assert run("audit", "-w", folder).code == 0
    cut = run("audit", "-w", folder, "--seen", head)
    assert (cut.code, "tampered" in cut.out) == (1, True)
    path.write_text(whole.replace("make", "list", 1))
    assert run("audit", "-w", folder).code == 1


def test_a_link_sets_the_admins_password(run: Run, folder: Path) -> None:
    link = run("keys", "link", "-w", folder, "--json").json["link"]
    with gate(folder) as house:
        browser = house.browser()
        token = link.partition("token=")[2]
        assert browser.send("/login/first", token=token, password="a few words of mine").status_code == 303
        assert browser.me["name"] == "admin"
        assert audited(house.admission.audit).entries[0].what == "leadlight keys link"


def test_a_service_that_runs_sees_it_within_seconds(run: Run, tmp_path: Path) -> None:
    folder = make_shop(tmp_path / "shop")
    with inside(folder) as service:
        made = run("keys", "make", "reader", "--may", "read", "-w", folder, "--json").json
        headers = {"Authorization": f"Bearer {made['key']}"}

        def waited_for(status: int) -> None:
            end = time.monotonic() + 20
            while service.request("GET", "/v1/me", headers=headers).status_code != status:
                assert time.monotonic() < end
                time.sleep(0.05)

        waited_for(200)
        run("keys", "revoke", made["id"], "-w", folder)
        waited_for(401)
        assert made["id"] not in {key["id"] for key in service.get("/v1/keys").json()["keys"]}
    assert re.search(r"test .* used 20", run("keys", "-w", folder).out), "told when it stopped"
    assert run("publish", "house", "-w", folder).code != 0
    assert run("erase", "crm-2", "--yes", "-w", folder).code == 0
    assert run("merges", "-w", folder).code == 0, "looking changes nothing"
    assert run("access", "crm-1", "-w", folder).code == 0
    verbs = [one["what"] for one in run("audit", "-w", folder, "--json").json["entries"]]
    assert verbs == ["leadlight keys make", "leadlight keys revoke", "leadlight erase", "leadlight access"]
    assert "crm-2" not in (folder / ".leadlight" / "audit.jsonl").read_text()
