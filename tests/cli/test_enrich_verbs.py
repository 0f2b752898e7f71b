from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from tests.cli.conftest import Run
from tests.enrich.fakes import NOW, Fake, Shop, denied
from tests.enrich.fakes import shop as shop

from leadlight.cli.render_enrich import enriched
from leadlight.enrich.report import EnrichRun, ProviderRun, Reason, Traffic

Make = Callable[..., Shop]
SOFTWARE = {"industry": "software"}


def test_it_says_who_was_asked_what_came_of_it_and_who_was_passed_over(run: Run, shop: Make) -> None:
    made = shop(Fake("crunch", says={"acme.com": SOFTWARE}, cost=0.5))
    said = run("enrich", "-w", made.folder)
    assert said.code == 0
    assert "asked about 3 leads of 4: 2 questions, costing 1, 2 facts about 3 leads" in said.out
    assert ["crunch", "2", "3", "2", "1", "0", "1"] in [line.split() for line in said.out.splitlines()]
    assert f"1 lead not asked about: {Reason.CLUE}" in said.out
    assert "house" in said.out


def test_json_is_the_whole_report(run: Run, shop: Make) -> None:
    made = shop(Fake("crunch", otherwise=denied()))
    found = run("enrich", "-w", made.folder, "--json").json
    (provider,) = found["providers"]
    assert (provider["failed"], provider["why"]) == (3, {"denied": 3})
    assert found["skipped"] == {str(Reason.CLUE): 1}
    assert found["dry_run"] is False


def test_a_dry_run_says_so(run: Run, shop: Make) -> None:
    made = shop(Fake("crunch", cost=2.0))
    said = run("enrich", "--dry-run", "--budget", 3, "-w", made.folder)
    assert "would ask about 2 leads of 4: 1 question at most, about 1 request, costing 2; nobody was asked" in said.out
    assert "budget: 3 of money" in said.out
    assert made.fakes["crunch"].asked == []


def test_one_lead_and_a_condition(run: Run, shop: Make) -> None:
    made = shop(Fake("crunch"))
    assert "of 1:" in run("enrich", "L4", "-w", made.folder).out
    assert "of 2:" in run("enrich", "--where", "size >= 500", "-w", made.folder).out
    wrong = run("enrich", "--where", "syze = 1", "-w", made.folder)
    assert (wrong.code, "did you mean 'size'" in wrong.err) == (2, True)


def test_a_provider_is_forgotten(run: Run, shop: Make) -> None:
    made = shop(Fake("crunch", says={"acme.com": SOFTWARE}))
    run("enrich", "-w", made.folder)
    said = run("enrich", "--forget", "crunch", "-w", made.folder)
    assert "crunch is forgotten: 2 facts" in said.out
    assert made.value("L1", "industry") is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--forget", "crunch", "--dry-run"], "--forget does not go with --dry-run"),
        (["L1", "--follow", "30s"], "--follow does not go with LEAD"),
        (["--follow", "soon"], "--follow: 'soon' is not a duration"),
        (["--provider", "crench"], "did you mean 'crunch'"),
    ],
)
def test_what_makes_no_sense_is_refused(run: Run, shop: Make, words: list[str], said: str) -> None:
    made = shop(Fake("crunch"))
    ended = run("enrich", *words, "-w", made.folder)
    assert ended.code != 0
    assert said in ended.err


def test_a_key_that_is_not_set_is_named_by_line(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COMPANIES_HOUSE_KEY", raising=False)
    folder = tmp_path / "shop"
    run("init", folder)
    spec = folder / "leadlight.yaml"
    line = spec.read_text().count("\n") + 1
    spec.write_text(spec.read_text() + "enrich: {ask: [companies_house]}\n")
    run("ingest", "-w", folder)
    said = run("enrich", "-w", folder)
    assert said.code == 3
    assert f"leadlight.yaml:{line}:16: enrich.ask[0]: COMPANIES_HOUSE_KEY is not set" in said.err


def test_ingest_shows_what_was_looked_up(run: Run, shop: Make) -> None:
    made = shop(Fake("crunch"), on_ingest=True)
    with (made.folder / "leads.csv").open("a") as file:
        file.write("L5,2026-02-01,eve@new.com,500,yes\n")
    assert "asked about 1 lead of 1: 1 question" in run("ingest", "-w", made.folder).out


def test_a_terminal_sees_it_in_a_table() -> None:
    run = EnrichRun(
        "lead", NOW, False, 10, 4, {str(Reason.GRADE): 6},
        (ProviderRun("dns", "DNS", True, 3, 4, 2, 0, 1, why={"unreachable": 1}),
         ProviderRun("email", "E-mail", False, 10, 10, 10)),
        facts=30, changed=9, traffic=Traffic(7, 12, 3, 12345), requests=100, seconds=1.5, stopped=True,
        notes=("dns was not asked any more: no",),
    )  # fmt: skip
    console = Console(width=120, record=True, force_terminal=True, color_system=None, file=io.StringIO())
    console.print(enriched(run))
    lines = [line.rstrip() for line in console.export_text().splitlines()]
    assert lines == [
        "asked about 4 leads of 10: 3 questions, 30 facts about 9 leads, in 1.5 s; stopped: run it again to go on",
        "",
        "provider  questions  leads  found  nothing  failed  cost",
        "dns               3      4      2        0       1        unreachable 1",
        "email            10     10     10        0       0        asks nobody outside",
        "",
        "6 leads not asked about: no answer could change its grade",
        "7 requests, 12 DNS questions, 12 kB received, 3 answers from the cache",
        "budget: 100 requests; those with most to gain come first",
        "dns was not asked any more: no",
    ]


def begin(folder: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "leadlight", "enrich", *words, "-w", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_following_reads_looks_up_and_scores_until_it_is_stopped(tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_text("lead_id,created,email\nL1,2026-01-01,ann@acme.com\n")
    (tmp_path / "leadlight.yaml").write_text(
        "sources: {leads: {csv: leads.csv, id: lead_id, created_at: created}}\nenrich: {ask: [email]}\n"
    )
    (tmp_path / "scorecards").mkdir()
    (tmp_path / "scorecards" / "house.yaml").write_text(
        "groups: {fit: {criteria: [{name: Kind, feature: email_domain_kind, points: {corporate: 5}}]}}\n"
    )
    following = begin(tmp_path, "--follow", "0.5s", "--json")
    assert following.stdout is not None
    try:
        first = json.loads(following.stdout.readline())
        assert (first["new"], first["scored"][0]["scored"]) == (1, 1)
        with (tmp_path / "leads.csv").open("a") as file:
            file.write("L2,2026-01-02,bob@zeta.org\n")
        later = [json.loads(following.stdout.readline()) for _ in range(2)]
        assert sum(one["new"] for one in later) == 1
        following.send_signal(signal.SIGTERM)
        assert following.wait(30) == 0
    finally:
        following.kill()
        following.communicate()


@pytest.mark.slow
def test_ctrl_c_ends_following_without_a_fuss(tmp_path: Path) -> None:
    (tmp_path / "leads.csv").write_text("lead_id,created,email\nL1,2026-01-01,ann@acme.com\n")
    (tmp_path / "leadlight.yaml").write_text(
        "sources: {leads: {csv: leads.csv, id: lead_id, created_at: created}}\nenrich: {ask: [email]}\n"
    )
    following = begin(tmp_path, "--follow", "1h")
    assert following.stdout is not None
    try:
        assert "1 row new; 0 questions about 0 leads" in following.stdout.readline()
        following.send_signal(signal.SIGINT)
        out, err = following.communicate(timeout=30)
        assert (following.returncode, out, err) == (0, "", "")
    finally:
        following.kill()
