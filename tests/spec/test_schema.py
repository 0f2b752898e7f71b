import json
from typing import Any

import jsonschema
import pytest

from leadlight.spec.schema import json_schema
from leadlight.spec.yaml import read_yaml

# ruff: noqa: E501 - the files of the design, as they stand there
WORKSPACE = """\
entity: lead
store: duckdb:leadlight.duckdb            # or postgresql://…; batch jobs also spark://…

sources:
  leads:  {csv: data/leads.csv, id: lead_id, created_at: created, account: company}
  events: {parquet: data/events/*.parquet, lead: lead_id, type: event, at: ts}
  deals:  {csv: data/deals.csv, lead: lead_id, at: closed_at, outcome: stage, value: amount}

outcome: {win: "stage = 'won'", lose: "stage = 'lost'", horizon: 90d}

features:
  seniority:         {attribute: seniority}
  employees:         {attribute: employees}
  free_mail:         {expr: "email_domain_kind = 'free'"}
  pricing_views_30d: {count: page_view, where: "path like '/pricing%'", within: 30d}
  days_since_open:   {recency: email_open}
  visits_trend:      {trend: page_view, within: 7d}            # last 7 days against the 7 before
  colleagues_active: {account: {distinct_leads: page_view, within: 30d}}

exclude: "email like '%@ourselves.com'"   # never scored
"""
HOUSE = """\
groups:
  fit:
    cap: [-100, 60]
    criteria:
      - {name: Seniority, feature: seniority, points: {c_level: 20, vp: 15, director: 10, manager: 5}, missing: 0, other: 0}
      - {name: Company size, feature: employees, bands: [[0, 10, -5], [10, 200, 5], [200, 5000, 15], [5000, null, 8]]}
      - {name: Works with us already, when: "crm = 'salesforce' and employees > 50", points: 5}
  engagement:
    cap: [0, 60]
    criteria:
      - {name: Looks at pricing, event: page_view, where: "path like '/pricing%'", points: 5, half_life: 14d, max: 20}
      - {name: Asked for a demo, event: demo_request, points: 30, within: 30d, first: 1}
      - {name: Unsubscribed, event: unsubscribe, points: -40}
gates:
  - {name: Competitor, when: "email_domain in ('rival.com')", grade: D3}
grades:                                   # axes are groups, or `score` for one axis
  fit:        {A: 40, B: 20, C: 0, D: null}   # lower bounds; null = no bound
  engagement: {1: 30, 2: 10, 3: null}     # two axes give A1 … D3
  hysteresis: {margin: 3, dwell: 24h}
"""
LEARNED = """\
base: -31.4
groups:
  fit:
    criteria:
      - {name: Lead source, feature: source, points: {referral: 14.2, organic: 3.1, ads: -6.0}, other: -1.2, missing: 4.4}
      - name: Industry × size
        features: [industry, employees]
        bands: {employees: [50, 500]}     # cuts: below 50, 50 to 500, from 500
        table: {software: [1.2, 8.8, 3.0], retail: [-2.1, 0.4, 6.5], other: [0, 0, 0]}
scale: {double_odds: 20}
calibration: {score: [-60, -20, 0, 25, 70], probability: [0.004, 0.02, 0.07, 0.31, 0.84]}
learned: {from: 2025-01-01, to: 2026-06-30, rows: 48210, wins: 3311, data: 9f2c…, evaluation: …, left_out: …}
"""


def is_valid(kind: str, text: str) -> bool:
    """Hold a file against its schema the way an editor does: as JSON, with every key a text."""
    content = json.loads(json.dumps(read_yaml(text, "f.yaml").value))
    validator = jsonschema.Draft202012Validator(json_schema("workspace" if kind == "workspace" else "scorecard"))
    return bool(validator.is_valid(content))


@pytest.mark.parametrize("kind", ["workspace", "scorecard"])
def test_schema_is_one(kind: str) -> None:
    schema = json_schema("workspace" if kind == "workspace" else "scorecard")
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "$id" not in schema


@pytest.mark.parametrize(("kind", "text"), [("workspace", WORKSPACE), ("scorecard", HOUSE), ("scorecard", LEARNED)])
def test_files_of_the_design_are_valid(kind: str, text: str) -> None:
    assert is_valid(kind, text)


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("workspace", "features:", "featurs:"),
        ("workspace", "within: 30d", "within: 30 days"),
        ("workspace", "{trend: page_view, within: 7d}", "{trend: page_view}"),
        ("workspace", "{trend: page_view, within: 7d}", "{trend: page_view, within: 7}"),
        ("workspace", "{recency: email_open}", "{recency: email_open, count: page_view}"),
        ("workspace", "{recency: email_open}", "{distinct_leads: email_open}"),
        ("workspace", "{recency: email_open}", "recency"),
        ("workspace", "days_since_open:", "days since open:"),
        ("workspace", "type: event", "typ: event"),
        ("workspace", "exclude: \"email like '%@ourselves.com'\"", "exclude: true"),
        ("workspace", "win: ", "won: "),
        ("scorecard", "c_level: 20", "c_level: many"),
        ("scorecard", "[0, 10, -5]", "[0, 10]"),
        ("scorecard", "[0, 10, -5]", "[0, 10, null]"),
        ("scorecard", "cap: [0, 60]", "cap: [0]"),
        ("scorecard", "cap: [0, 60]", "cap: 60"),
        ("scorecard", "first: 1", "first: 0"),
        ("scorecard", "max: 20", "max: -20"),
        ("scorecard", "points: 30, ", ""),
        ("scorecard", "event: unsubscribe", "event: unsubscribe, feature: seniority"),
        ("scorecard", "name: Competitor, ", ""),
        ("scorecard", "margin: 3", "margin: -3"),
        ("scorecard", "A: 40", "A: high"),
        ("scorecard", "  fit:\n", "  'my fit':\n"),
        ("scorecard", "groups:\n", "of: deal\ngroups:\n"),
    ],
)
def test_what_is_broken_is_not_valid(kind: str, before: str, after: str) -> None:
    text = WORKSPACE if kind == "workspace" else HOUSE
    assert before in text
    assert not is_valid(kind, text.replace(before, after, 1))


def found(schema: Any, key: str) -> list[Any]:
    inside = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else []
    here = [schema[key]] if isinstance(schema, dict) and key in schema else []
    return here + [item for each in inside for item in found(each, key)]


def test_kinds_of_features_and_criteria_are_alternatives_with_descriptions() -> None:
    schema = json_schema("workspace")
    kinds = schema["properties"]["features"]["patternProperties"]["^[A-Za-z][A-Za-z0-9_]*$"]["oneOf"]
    names = [kind["$ref"].rpartition("/")[2] for kind in kinds]
    assert len(names) == 19
    assert len(json_schema("scorecard")["$defs"]["GroupSpec"]["properties"]["criteria"]["items"]["oneOf"]) == 5
    for definition in [*schema["$defs"].values(), *json_schema("scorecard")["$defs"].values()]:
        assert definition["description"]
        assert definition.get("type") == "string" or definition["properties"]
    assert all(not isinstance(title, str) for title in found(schema, "title"))
