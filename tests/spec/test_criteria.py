from leadlight.expr.types import Type
from leadlight.spec.catalog import Catalog
from leadlight.spec.criteria import check_scorecard, scorecard_name
from leadlight.spec.findings import Findings, Scope
from leadlight.spec.models import ScorecardSpec
from leadlight.spec.resolved import ResolvedScorecard
from leadlight.spec.version import version
from leadlight.spec.yaml import read_yaml

CATALOG = Catalog(properties={"path": Type.TEXT}, events=frozenset({"page_view"}))
SCOPE = Scope({"size": Type.NUMBER, "industry": Type.TEXT, "member": Type.BOOL})
HOUSE = """\
groups:
  fit:
    criteria:
      - {name: Size, feature: size, bands: [[10, null, 8], [null, 10, 1]]}
      - {name: Industry, feature: industry, points: {software: 5}}
      - {name: Pair, features: [member, size], bands: {size: [5]}, table: {true: [1, 2], other: [3, 4]}}
  engagement:
    criteria:
      - {name: Looks, event: page_view, where: path = '/', points: 5, first: 2, half_life: 3d, max: 7}
      - {name: Big member, when: member and size > 5, points: 2}
gates:
  - {name: Rival, when: industry = 'rival', grade: A1}
  - {name: Tiny, when: size < 2, grade: B2}
grades: {fit: {A: 4, B: null}, score: {1: 4, 2: null}}
"""


def check(text: str) -> tuple[ResolvedScorecard | None, list[str]]:
    parsed = read_yaml(text, "f")
    findings = Findings(parsed.marks)
    resolved = check_scorecard("house", ScorecardSpec.model_validate(parsed.value), SCOPE, CATALOG, findings)
    return resolved, [str(fault) for fault in findings.faults]


def test_sound_scorecard_has_keys_conditions_and_a_version() -> None:
    resolved, faults = check(HOUSE)
    assert faults == []
    assert resolved is not None
    assert [(each.key, each.group, each.condition and sorted(each.condition.names)) for each in resolved.criteria] == [
        ("fit__size", "fit", None),
        ("fit__industry", "fit", None),
        ("fit__pair", "fit", None),
        ("engagement__looks", "engagement", ["path"]),
        ("engagement__big_member", "engagement", ["member", "size"]),
    ]
    assert [(gate.spec.name, sorted(gate.condition.names)) for gate in resolved.gates] == [
        ("Rival", ["industry"]),
        ("Tiny", ["size"]),
    ]
    assert resolved.version == version(resolved.spec)
    assert resolved.name == "house"


def test_gate_without_grades_may_name_any_grade() -> None:
    resolved, faults = check("groups: {fit: {}}\ngates: [{name: a, when: member, grade: Never}]")
    assert resolved is not None
    assert [fault for fault in faults if not fault.endswith("(warning)")] == []


def test_two_gates_share_no_name_though_a_criterion_may_have_it() -> None:
    gate = "{name: a, when: member, grade: A}"
    text = "groups: {fit: {criteria: [{name: a, when: member, points: 1}]}}\ngates:\n"
    assert check(f"{text}  - {gate}\n")[1] == []
    assert check(f"{text}  - {gate}\n  - {gate}\n") == (
        None,
        ["f:4:12: gates[1].name: the name 'a' is taken on line 3: reasons must be told apart"],
    )


def test_level_needs_a_name() -> None:
    text = "groups: {fit: {criteria: [{name: a, when: member, points: 1}]}}\ngrades: {fit: {' ': null}}"
    assert check(text)[1] == ["f:2:15: grades.fit: a level needs a name"]


def test_name_of_a_scorecard_is_that_of_its_file() -> None:
    assert scorecard_name("/some/where/house.v2.yaml") == "house.v2"
