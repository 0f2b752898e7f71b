"""The verbs about the past on a drawn company: in words, as JSON, and when something is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.cli.conftest import Run
from tests.insight.company import DAY, drawn, found

AS_OF = ("--as-of", "2025-09-01")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    past = drawn(1500, seed=4)
    return found(tmp_path_factory.mktemp("company") / "c", past.leads, past.events, past.deals).root


@pytest.fixture(scope="module")
def open_lead(folder: Path) -> str:
    past = drawn(1500, seed=4)
    known = {row["lead"] for row in past.deals}
    first = max(row["created"] for row in past.leads)
    return next(str(r["id"]) for r in past.leads if r["id"] not in known and first - 12 * DAY < r["created"] < first)


def test_profile_draws_and_gives_json(run: Run, folder: Path) -> None:
    said = run("profile", "-w", folder, *AS_OF)
    assert said.code == 0, said.err
    document = run("profile", "-w", folder, *AS_OF, "--json").json
    lines = said.out.splitlines()
    assert lines[0] == "The ideal lead by house as of 2025-09-01 UTC"
    assert lines[1].startswith(
        f"{document['cases']:,} past lead cases, each as it stood on its creation, 1, 7 or 30 days after;"
    )
    row = next(line for line in lines if line.startswith("Seniority: boss"))
    boss = next(level for level in document["ideal"] if level["text"] == "Seniority: boss")
    assert f"{boss['count']:,}" in row
    assert f"{boss['lift']['value']:.1f}" in row
    assert "█" in row


def test_similar_draws_and_gives_json(run: Run, folder: Path, open_lead: str) -> None:
    said = run("similar", open_lead, "-n", "3", "-w", folder, *AS_OF)
    assert said.code == 0, said.err
    document = run("similar", open_lead, "-n", "3", "-w", folder, *AS_OF, "--json").json
    lines = said.out.splitlines()
    assert lines[0].startswith(f"{document['won']:,} of the {document['near']:,} most like {open_lead} were won")
    assert [row["id"] for row in document["rows"]] == [line.split()[0] for line in lines[4:7]]
    assert lines[7].startswith(f"{document['near'] - 3:,} more are as near as the last of these")
    others = run("similar", open_lead, "--other-accounts", "-w", folder, *AS_OF, "--json").json
    assert others["near"] <= document["cases"]


def test_next_draws_and_gives_json(run: Run, folder: Path, open_lead: str) -> None:
    words = ("next", open_lead, "--within", "9d", "--action", "visit", "-w", folder, *AS_OF)
    said = run(*words)
    assert said.code == 0, said.err
    document = run(*words, "--json").json
    assert [(step["content"], step["ours"]) for step in document["steps"]] == [("/price", True)]
    row = next(line for line in said.out.splitlines() if line.startswith("visit /price"))
    assert row.startswith("visit /price  ours to do")
    assert f"{document['steps'][0]['taken']:,}" in row
    assert "not what brought it about" in said.out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["next", "ID", "--within", "soon"], 2, "--within: 'soon' is not a duration"),
        (["next", "ID", "--action", "vist"], 2, "Types of events are: letter, visit, welcome"),
        (["next", "nobody"], 6, "there is no lead 'nobody'"),
        (["similar", "nobody"], 6, "there is no lead 'nobody'"),
        (["similar", "ID", "-n", "0"], 2, "-n"),
        (["profile", "--as-of", "2025-01-02"], 6, "there are no past cases as of 2025-01-02"),
        (["threshold", "--per-day", "a=1", "--per-day", "a=2", "--per", "x"], 2, "--per-day: 'a' is named twice"),
        (["profile", "-s", "other"], 6, "no scorecard 'other'"),
    ],
)
def test_what_is_wrong_is_said(
    run: Run, folder: Path, open_lead: str, words: list[str], code: int, message: str
) -> None:
    said = run(*(open_lead if word == "ID" else word for word in words), "-w", folder)
    assert said.code == code
    assert message in said.err
    assert "Traceback" not in said.err
