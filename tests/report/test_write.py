from __future__ import annotations

import json
import re
import stat
from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.scorecards.shop import HOUSE, WORKSPACE, open_shop

from leadlight.errors import UsageError
from leadlight.report.write import Report
from leadlight.workspace import Workspace

NO_GRADES = HOUSE[: HOUSE.index("gates:")]
NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
TITLES = [
    "Grades", "Scores", "Who comes first, and why", "What each criterion does", "Did the grades come true?", "Data",
]  # fmt: skip
HOSTILE = "<script>alert(1)</script>"
ATTRIBUTE = '" onmouseover="alert(2)'


class Page(HTMLParser):
    """Reads a page: its tags, attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.text.append(" ".join(data.split()))

    @property
    def headings(self) -> list[str]:
        """The titles of the sections."""
        return [text for text in self.text if text in TITLES]


def assert_self_contained(html: str) -> Page:
    """Nothing is loaded, nothing runs, and no two parts have one id."""
    page = Page(html)
    ids = [value for name, value in page.attributes if name == "id"]
    assert len(set(ids)) == len(ids)
    assert set(re.findall(r"https?://[^\s\"'<>)]+", html)) <= NAMESPACES
    assert {"script", "link", "img", "iframe", "object", "embed", "base", "form"}.isdisjoint(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href", "xlink:href")]
    assert "url(" not in re.sub(r"url\(#", "", html)
    assert "default-src 'none'" in html
    return page


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    workspace = open_shop(tmp_path_factory.mktemp("shop"))
    workspace.ingest()
    return workspace


@pytest.fixture(scope="module")
def report(shop: Workspace) -> Report:
    return shop.report()


@pytest.fixture
def again(shop: Workspace, tmp_path: Path):
    """Write the report of the same data by another scorecard."""

    def write(house: str = HOUSE, *, workspace: str = WORKSPACE, as_of: str = "2026-03-01") -> Page:
        found = open_shop(shop.root, house=house, workspace=workspace)
        return assert_self_contained(found.report(tmp_path / "r.html", as_of=as_of).html)

    yield write
    open_shop(shop.root)


# ------------------------------------------------------------------------------------------------------ on the shop


def test_the_page_is_self_contained_and_tells_the_whole_story(report: Report) -> None:
    page = assert_self_contained(report.html)
    assert page.headings == TITLES
    assert page.tags.count("svg") == 4
    text = " ".join(page.text)
    for told in (
        "Lead scores as of 1 March 2026, 00:00 UTC · scorecard house, version ",
        "How many leads hold each grade. Gate “Competitor” decides 1.",
        "The cap of fit limits 1.",
        "The first 4 of 4.",
        "ann 37.0 A1 20.0 16.0 Seniority: vp: +15 Company size: 500: +12 fit is limited to 20 (cap): -11",
        "Never fires: Came to Mars. Either nobody is like that,",
        "2 leads have no event so far. 1 events lie after the as-of and do not count. No row was rejected.",
        "1 excluded by the workspace",
    ):
        assert told in text


def test_it_lies_where_it_was_asked_for_readable_and_alone(report: Report, shop: Workspace) -> None:
    assert report.path == shop.root / "report.html"
    assert report.path.read_text(encoding="utf-8") == report.html
    assert stat.S_IMODE(report.path.stat().st_mode) == 0o644
    assert list(shop.root.glob("*.tmp")) == []
    assert str(report) == f"report written to {report.path}"
    assert report._repr_html_() == report.html


def test_as_json(report: Report) -> None:
    document = report.as_dict()
    assert json.loads(json.dumps(document)) == document
    assert document["path"] == str(report.path)
    assert document["ranking"]["rows"][0]["id"] == "ann"


def test_the_same_facts_make_the_same_page(report: Report, shop: Workspace, tmp_path: Path) -> None:
    assert shop.report(tmp_path / "again.html").html == report.html


def test_an_earlier_report_is_replaced_only_by_a_whole_one(shop: Workspace, tmp_path: Path) -> None:
    place = tmp_path / "r.html"
    place.write_text("old")
    with pytest.raises(UsageError):
        shop.report(place, as_of="never")
    assert place.read_text() == "old"
    shop.report(place)
    assert place.read_text() != "old"


@pytest.mark.parametrize("name", ["missing/r.html", "."])
def test_a_place_that_cannot_be_written(shop: Workspace, tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match=r"^cannot write .*: .*\nName another file\.$"):
        shop.report(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------------------------------------- in other shapes


def test_nobody_is_there_yet(again) -> None:
    page = again(as_of="2025-01-01")
    assert "Nobody has been scored: there is no lead as of this moment." in page.text
    assert page.headings == ["Grades", "Who comes first, and why", "What each criterion does", "Data"]


def test_one_lead(again) -> None:
    assert "The first 1 of 1." in " ".join(again(as_of="2026-01-03").text)


def test_without_grades(again) -> None:
    page = again(NO_GRADES)
    assert page.headings == ["Scores", "Who comes first, and why", "What each criterion does", "Data"]
    assert "grade" not in page.text


def test_chance_and_what_is_expected_stand_beside_the_points(again) -> None:
    page = again(
        NO_GRADES + "calibration: {score: [-100, 100], probability: [0.25, 0.25]}\nworth: {base: 400, criteria: []}\n"
    )
    assert "The order is by what is expected: the chance times the worth." in " ".join(page.text)
    assert {"expected", "chance", "100", "25%"} <= set(page.text)
    assert "expected" not in again(NO_GRADES).text


def test_one_axis(again) -> None:
    assert again(NO_GRADES + "grades: {score: {A: 15, B: 5, C: null}}\n").headings[0] == "Grades"


def test_accounts(again) -> None:
    page = again("of: account\ngroups: {g: {criteria: [{name: Demos, event: demo, points: 5}]}}\n")
    assert "Account scores as of 1 March 2026, 00:00 UTC" in " ".join(page.text)
    assert "Acme" in page.text


def test_no_criteria(again) -> None:
    assert again("groups: {g: {}}\n").headings == ["Scores", "Who comes first, and why", "Data"]


def test_wins_by_grade(again) -> None:
    late = WORKSPACE.replace("stage = 'won'", "stage = 'lost'").replace("horizon: 30d", "horizon: 44d")
    page = again(workspace=late)
    assert "Did the grades come true?" in page.headings
    assert (
        "Graded as of 16 January 2026 with what was known then: 2 leads were open. The bars show how many of each "
        "grade were won by 1 March 2026, with the 95 % interval; the dashed line is the rate of all, 50.0 %."
    ) in page.text


def test_outcomes_without_a_time_come_with_a_warning(tmp_path: Path) -> None:
    shop = open_shop(tmp_path, workspace=WORKSPACE.replace("at: closed, ", ""))
    shop.ingest()
    page = assert_self_contained(shop.report().html)
    assert "What became known after the outcome may flatter these figures." in " ".join(page.text)


# ------------------------------------------------------------------------------------------------------ hostile values


def test_hostile_values_are_only_text(tmp_path: Path) -> None:
    house = f"""
title: "{HOSTILE}"
groups:
  fit:
    criteria:
      - {{name: "{HOSTILE} by value", feature: seniority, points: {{"{HOSTILE}": 5}}}}
      - {{name: "never </style>{HOSTILE}", event: rocket, points: 1}}
      - {{name: '{ATTRIBUTE}', event: "{HOSTILE}", points: 1}}
gates: [{{name: "{HOSTILE} gate", when: "seniority = '{HOSTILE}'", grade: "<b>"}}]
grades: {{fit: {{"<b>": 3, "]]>": null}}}}
"""
    shop = open_shop(
        tmp_path, house=house, workspace=WORKSPACE.replace("{csv: events.csv", "{csv: events.csv, delimiter: ','")
    )
    quoted = '"' + ATTRIBUTE.replace('"', '""') + '"'
    (tmp_path / "leads.csv").write_text(
        f"id,created,email,company,seniority,employees\n{HOSTILE},2026-01-01,a@x.example,A,{HOSTILE},1\n"
        f"{quoted},2026-01-01,b@x.example,B,{quoted},1\n"
    )
    (tmp_path / "events.csv").write_text(f"lead,type,at,path\n{HOSTILE},{HOSTILE},2026-02-01,{HOSTILE}\n")
    shop.ingest()
    html = shop.report().html
    page = assert_self_contained(html)
    assert "<script" not in html
    assert html.count("</style>") == 1
    assert "<b>" not in re.sub(r'<div class="tile"><b>', "", html)
    assert HOSTILE in page.text
    assert ATTRIBUTE in page.text
    assert f"{HOSTILE} by value: {HOSTILE}: +5" in page.text
    assert f"{HOSTILE} gate: grade <b>" in page.text


def test_where_it_cannot_be_written_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "pages" / "report.html").mkdir(parents=True)
    workspace = open_shop(tmp_path)
    workspace.ingest()
    with pytest.raises(UsageError, match="cannot write"):
        workspace.report(tmp_path / "pages" / "report.html")
    assert [path.name for path in (tmp_path / "pages").iterdir()] == ["report.html"]
