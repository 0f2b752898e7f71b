import pytest

from leadlight.spec.findings import Findings
from leadlight.spec.models import WorkspaceSpec
from leadlight.spec.sources import check_sources, has_accounts
from leadlight.spec.yaml import read_yaml


def faults(text: str) -> list[str]:
    parsed = read_yaml(text, "f")
    findings = Findings(parsed.marks)
    check_sources(WorkspaceSpec.model_validate(parsed.value), findings)
    return [str(fault) for fault in findings.faults]


@pytest.mark.parametrize(
    "keys",
    [
        "timezone: Europe/Berlin",
        "encoding: latin-1",
        'delimiter: "\\t"',
        "dates: day_first",
        "dates: unix",
        "dates: '%d.%m.%Y'",
    ],
)
def test_what_a_source_may_say(keys: str) -> None:
    assert faults(f"sources: {{leads: {{csv: a.csv, id: id, {keys}}}}}") == []


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../etc", "/etc/passwd", "Europe", "x" * 10_000])
def test_zone_there_is_not_is_refused_and_never_opened(zone: str) -> None:
    (fault,) = faults(f"sources: {{leads: {{csv: a.csv, id: id, timezone: {zone}}}}}")
    assert "unknown time zone" in fault
    assert len(fault) < 250


@pytest.mark.parametrize("store", ["duckdb:a.duckdb", "duckdb:${HOME}/a.duckdb"])
def test_store_is_a_duckdb_file(store: str) -> None:
    assert faults(f"store: {store}") == []


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ({}, True),
        ({"e": {"csv": "a", "lead": "x", "type": "t", "at": "a"}}, True),
        ({"l": {"csv": "a", "id": "x"}}, False),
        ({"l": {"csv": "a", "id": "x"}, "m": {"csv": "a", "id": "x", "account": "y"}}, True),
    ],
)
def test_leads_have_accounts_where_a_source_of_leads_names_them(sources: object, expected: bool) -> None:
    assert has_accounts(WorkspaceSpec.model_validate({"sources": sources})) is expected
