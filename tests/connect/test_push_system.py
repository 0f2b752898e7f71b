"""From a system and back: read, scored, written; what happens there is followed; the verb, and its codes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connect.hubspot.stand_in import StandIn
from leadlight.cli.app import main
from leadlight.errors import NotFoundError, UsageError
from leadlight.workspace import Workspace, utc_now

WORKSPACE = """
connections:
  crm:
    system: hubspot
    url: "{url}"
    push: {{tasks: {{up: "Call {{id}}: now {{grade}}"}}}}
sources:
  contacts: {{connection: crm, object: contacts, kind: leads, created_at: createdate, columns: {{job: jobtitle}}}}
features:
  job: {{attribute: job}}
exclude: "deleted"
"""
CARD = """
groups:
  fit:
    criteria:
      - {name: Job, feature: job, points: {Buyer: 12, VP: 40}, missing: 0}
grades:
  score: {A: 30, B: 10, C: null}
"""


@pytest.fixture(scope="module")
def serving() -> Iterator[StandIn]:
    with StandIn().serving() as made:
        yield made


@pytest.fixture
def hubspot(serving: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    serving.reset()
    catch_up(serving)
    for name, secret in serving.secrets.items():
        monkeypatch.setenv(f"HUBSPOT_{name.upper()}", secret)
    return serving


@pytest.fixture
def folder(tmp_path: Path, hubspot: StandIn) -> Path:
    (tmp_path / "scorecards").mkdir()
    (tmp_path / "leadlight.yaml").write_text(WORKSPACE.format(url=hubspot.url).lstrip())
    (tmp_path / "scorecards" / "house.yaml").write_text(CARD.lstrip())
    return tmp_path


def catch_up(hubspot: StandIn) -> None:
    """Let it be as late there as here."""
    hubspot.clock.advance((utc_now() - hubspot.clock.now()).total_seconds())


def values(hubspot: StandIn, record: str) -> dict[str, Any]:
    held = hubspot.records["contacts"][record].values
    return {name.removeprefix("leadlight_"): value for name, value in held.items() if name.startswith("leadlight_")}


def test_scores_come_back_and_what_happens_there_is_followed(folder: Path, hubspot: StandIn) -> None:
    buyer, boss, twin, leaver = (hubspot.add("contacts", jobtitle=job) for job in ("Buyer", "VP", "VP", "Buyer"))
    workspace = Workspace(folder)
    workspace.sync()
    run = workspace.push().runs[0]

    assert (run.written, run.exit_code, run.tasks.sent) == (4, 0, 0)
    assert values(hubspot, boss) | {"scored_at": None} == {
        "score": 40.0, "grade": "A", "probability": None, "reasons": "Job: VP: +40", "next_step": None,
        "scored_at": None,
    }  # fmt: skip

    catch_up(hubspot)
    hubspot.edit("contacts", boss, leadlight_grade="hot")
    hubspot.edit("contacts", buyer, jobtitle="VP")
    hubspot.merge("contacts", twin, boss)
    hubspot.delete("contacts", leaver)
    workspace.sync()
    run = workspace.push().runs[0]

    assert (run.written, run.conflict_count, run.tasks.sent) == (1, 0, 1)
    assert (values(hubspot, buyer)["grade"], values(hubspot, boss)["grade"]) == ("A", "hot")
    assert [note["hs_task_subject"] for note in hubspot.notes] == [f"Call {buyer}: now A"]
    assert workspace.push().written == 0


def test_the_verb_says_how_it_ended(folder: Path, hubspot: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = hubspot.add("contacts", jobtitle="Buyer"), hubspot.add("contacts", jobtitle="VP")
    Workspace(folder).sync()
    hubspot.refused["contacts", first] = "refused"

    assert main(["push", "crm", "--dry-run", "-w", str(folder)]) == 0
    assert f"{second} leadlight_score: (empty) → 40.0" in capsys.readouterr().out
    assert values(hubspot, second).get("score") is None
    assert main(["push", "-w", str(folder), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)["connections"][0]
    assert (told["written"], [one["record"] for one in told["failure_list"]]) == (1, [first])
    hubspot.refused.clear()
    assert main(["push", "-w", str(folder)]) == 1  # it is not tried again by itself
    assert main(["push", "--again", "-w", str(folder)]) == 0
    assert values(hubspot, first)["grade"] == "B"

    hubspot.edit("contacts", first, leadlight_grade="mine")
    assert main(["push", "--take-over", "grades", "-w", str(folder)]) == 2
    hubspot.revoked = True
    assert main(["push", "-w", str(folder)]) == 9
    assert "HUBSPOT_REFRESH_TOKEN" in capsys.readouterr().err


def test_where_our_share_of_the_quota_is_used_up_the_rest_comes_later(folder: Path, hubspot: StandIn) -> None:
    for _ in range(3):
        hubspot.add("contacts", jobtitle="VP")
    workspace = Workspace(folder)
    workspace.sync()
    file = folder / "leadlight.yaml"
    file.write_text(file.read_text().replace("    push:", "    per_day: 10\n    push:"))

    report = Workspace(folder).push()

    assert (report.exit_code, report.written) == (9, 0)
    assert "What was written is noted; the rest comes the next time." in str(report)
    file.write_text(file.read_text().replace("    per_day: 10\n", ""))
    assert Workspace(folder).push().written == 3


def test_what_makes_no_sense_is_said(folder: Path, hubspot: StandIn) -> None:
    hubspot.add("contacts", jobtitle="VP")
    workspace = Workspace(folder)
    workspace.sync()
    with pytest.raises(NotFoundError, match="there is no connection 'cmr': did you mean 'crm'"):
        workspace.push("cmr")
    file = folder / "leadlight.yaml"
    told = file.read_text()
    file.write_text(told.replace("push: {tasks:", "push: {object: deals, tasks:"))
    with pytest.raises(NotFoundError, match="brings leads of the object 'deals'"):
        Workspace(folder).push()
    file.write_text(told.replace("push: {tasks:", "push: {fields: {score: null}, tasks:"))
    with pytest.raises(UsageError, match="leaves everything out"):
        Workspace(folder).push()
    file.write_text(told.replace("kind: leads,", "kind: leads, id: email,"))
    with pytest.raises(UsageError, match="by the ids of their records"):
        Workspace(folder).push()
    file.write_text("".join(line for line in told.splitlines(keepends=True) if "push:" not in line))
    with pytest.raises(UsageError, match="nothing about what goes back"):
        Workspace(folder).push()


@pytest.mark.slow
def test_killed_at_work_it_goes_on_and_takes_nothing_of_its_own_for_a_persons(folder: Path, hubspot: StandIn) -> None:
    records = [hubspot.add("contacts", jobtitle="VP") for _ in range(350)]
    Workspace(folder).sync()
    hubspot.calls.clear()
    words = [sys.executable, "-m", "leadlight", "push", "-w", str(folder)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + 60
        while updates(hubspot) < 2:
            assert time.monotonic() < end
            assert process.poll() is None
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
    written = [record for record in records if values(hubspot, record).get("grade") == "A"]
    assert 0 < len(written) < len(records)
    before = updates(hubspot)

    report = Workspace(folder).push()

    assert (report.runs[0].conflict_count, report.exit_code) == (0, 0)
    assert all(values(hubspot, record)["grade"] == "A" for record in records)
    assert report.written <= len(records) - len(written) + 100
    assert updates(hubspot) - before <= 4


def updates(hubspot: StandIn) -> int:
    """Return how many batches were written."""
    return sum(call.url.endswith("/batch/update") for call in hubspot.calls)


def test_several_objects_of_a_system_are_written_one_after_the_other(folder: Path, hubspot: StandIn) -> None:
    file = folder / "leadlight.yaml"
    told = file.read_text().replace("features:", '  firms: {connection: crm, object: companies, kind: leads, id: _id, '
                                    "created_at: createdate, columns: {job: name}}\nfeatures:")  # fmt: skip
    file.write_text(told)
    boss, firm = hubspot.add("contacts", jobtitle="VP"), hubspot.add("companies", name="Buyer")
    Workspace(folder).sync()

    runs = Workspace(folder).push().runs

    assert [(run.object, run.written) for run in runs] == [("contacts", 1), ("companies", 1)]
    assert values(hubspot, boss)["grade"] == "A"
    assert hubspot.records["companies"][firm].values["leadlight_grade"] == "B"
    assert Workspace(folder).push(limit=1).written == 0
    for objects, wanted in (("companies", ["companies"]), ("[companies, contacts]", ["companies", "contacts"])):
        file.write_text(told.replace("push: {tasks:", f"push: {{object: {objects}, tasks:"))
        assert [run.object for run in Workspace(folder).push().runs] == wanted
