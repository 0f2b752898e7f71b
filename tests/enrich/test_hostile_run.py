"""A run among hosts that misbehave: each costs its own lead at most, and the others are looked up as ever."""

from __future__ import annotations

import json

import pytest

import leadlight
from internet import Internet, companies, hostile

FORM = "bad-{}.com"
GOOD = 12


@pytest.fixture(scope="module")
def looked_up(tmp_path_factory):
    """The workspace after a run, and what was found by domain: provider → outcome."""
    folder = tmp_path_factory.mktemp("hostile")
    made = companies.make_companies(GOOD, seed=4)
    with Internet(keep=False) as internet:
        companies.add(internet, made, kilobytes=5)
        bad = [address.split("/")[2] for address in hostile.add(internet, form=FORM).values()]
        domains = [*made.domain, *bad]
        lines = [f"L{n},2026-11-01,anna.abel@{domain}" for n, domain in enumerate(domains)]
        (folder / "leads.csv").write_text("\n".join(["lead_id,created,email", *lines]) + "\n")
        spec = {
            "entity": "lead",
            "store": "duckdb:leadlight.duckdb",
            "sources": {"leads": {"csv": "leads.csv", "id": "lead_id", "created_at": "created"}},
            "enrich": {
                "ask": ["email", "dns", "website"], "always": True, "network": internet.settings(timeout="2s"),
            },
        }  # fmt: skip
        (folder / "leadlight.yaml").write_text(json.dumps(spec))
        workspace = leadlight.open(folder)
        workspace.ingest()
        workspace.enrich()
    with workspace.store() as engine:
        rows = engine.rows(
            "SELECT leads.id, lookups.provider, lookups.outcome FROM lookups JOIN leads ON leads.lead = lookups._key"
        )
        facts = engine.rows("SELECT max(length(value)), max(length(evidence)) FROM facts")[0]
    found: dict[str, dict[str, str]] = {domain: {} for domain in domains}
    for lead, provider, outcome in rows:
        found[domains[int(lead[1:])]][provider] = outcome
    return made, bad, found, facts


@pytest.mark.slow
def test_good_hosts_are_looked_up_as_ever_and_each_bad_one_ends_in_an_outcome_of_its_own(looked_up):
    made, bad, found, (value, evidence) = looked_up
    for domain in made.domain:
        assert found[domain] == {"email": "found", "dns": "found", "website": "found"}
    for host in bad:
        assert found[host]["email"] == "found"
        assert found[host]["website"] in ("found", "nothing", "failed"), host
    assert value <= 500
    assert evidence <= 300
