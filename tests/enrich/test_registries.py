"""Registers and vendors in a real run: from leadlight.yaml over HTTP into the store, and what `facts` shows of it."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from leadlight.cli.app import main

SHAPES = Path(__file__).parent / "providers/shapes"
SECRET = "s3cret-never-kept-0123456789"
LEADS = """\
lead_id,created,email,company,country
L1,2026-10-01,ada@anvil-works.com,Anvil Works,GB
L2,2026-10-02,someone@gmail.com,,
"""
HOUSE = """\
groups:
  fit:
    criteria:
      - {name: Size, feature: employees, bands: [[null, 50, 0], [50, null, 20]]}
      - {name: Registered, when: "company_status = 'active'", points: 10}
      - {name: Old domain, when: "domain_age_days > 3650", points: 5}
grades: {score: {A: 25, B: 10, C: null}}
"""


@pytest.fixture
def workspace(internet, tmp_path, monkeypatch):
    """A workspace that may ask two registers, two vendors and a registry of domains, all on the small internet."""
    for name, host in (("gleif", "api.gleif.org"), ("companies_house", "api.company-information.service.gov.uk")):
        answers = json.loads((SHAPES / f"{name}.json").read_text())["answers"]
        internet.handle(host, "*", answers["*"])
        if "*search*" in answers:
            internet.handle(host, "/search/*", answers["*search*"])
    for name, host in (("hunter", "api.hunter.io"), ("clearbit", "company.clearbit.com")):
        internet.handle(host, "*", json.loads((SHAPES / f"{name}.json").read_text())["answer"])
    rdap = json.loads((SHAPES / "rdap.json").read_text())["answers"]
    servers = {"services": [[["com"], ["https://rdap.registry.example/v1/"]]]}
    internet.handle("data.iana.org", "/rdap/dns.json", servers)
    internet.handle("rdap.registry.example", "/v1/domain/anvil-works.com", rdap["*domain*"])
    for variable in ("HUNTER_API_KEY", "CLEARBIT_KEY", "COMPANIES_HOUSE_KEY"):
        monkeypatch.setenv(variable, SECRET)
    (tmp_path / "leads.csv").write_text(LEADS)
    (tmp_path / "scorecards").mkdir()
    (tmp_path / "scorecards/house.yaml").write_text(HOUSE)
    enrich = {
        "ask": ["rdap", "gleif", "companies_house", "hunter", "clearbit"],
        "always": True,
        "attributes": {"employees": {"ask": ["hunter", "clearbit"], "rule": "confidence"}},
        "providers": {"hunter": {"cost": 0.01}},
        "network": internet.settings(),
    }
    content = {"sources": {"leads": {"csv": "leads.csv", "id": "lead_id", "created_at": "created"}}, "enrich": enrich}
    with (tmp_path / "leadlight.yaml").open("w") as file:
        YAML().dump(content, file)
    monkeypatch.chdir(tmp_path)
    internet.forget()
    return tmp_path


def test_from_leadlight_yaml_to_facts(workspace, internet, capsys):
    assert main(["check"]) == 0
    assert main(["ingest"]) == main(["score"]) == 0
    capsys.readouterr()
    assert main(["enrich", "--json"]) == 0
    run = json.loads(capsys.readouterr().out)
    assert internet.errors == []
    assert main(["facts", "L1", "--json"]) == 0
    shown = capsys.readouterr().out
    facts = json.loads(shown)
    text = json.dumps(facts)
    assert "CC0 1.0" in text
    assert "gleif:549300MADEUP00000001" in text
    assert "Hunter, by contract" in text
    assert main(["rank", "--json"]) == 0
    ranked = json.loads(capsys.readouterr().out)
    assert '"A"' in json.dumps(ranked), ranked
    assert internet.count("api.hunter.io") == internet.count("api.gleif.org") == 1, "gmail.com is nobody's company"
    kept = [path for path in workspace.rglob("*") if path.is_file()]
    assert any(path.name == "lookups.sqlite" for path in kept)
    said_back = base64.b64encode(f"{SECRET}:".encode())
    for path in kept:
        content = path.read_bytes()
        assert SECRET.encode() not in content, path
        assert said_back not in content, path
    assert SECRET not in shown + json.dumps(run)


def test_asking_again_asks_nobody(workspace, internet):
    assert main(["ingest"]) == main(["enrich"]) == 0
    before = sum(internet.count(host) for host in ("api.hunter.io", "api.gleif.org", "data.iana.org"))
    assert main(["enrich"]) == 0
    assert sum(internet.count(host) for host in ("api.hunter.io", "api.gleif.org", "data.iana.org")) == before


def test_a_key_that_is_not_set_is_told_before_anybody_is_asked(workspace, internet, monkeypatch, capsys):
    monkeypatch.delenv("HUNTER_API_KEY")
    assert main(["check"]) == 0
    assert main(["ingest"]) == 0
    capsys.readouterr()
    assert main(["enrich"]) == 3
    told = capsys.readouterr().err
    assert "HUNTER_API_KEY is not set" in told
    assert "leadlight.yaml" in told
    assert internet.count() == 0
