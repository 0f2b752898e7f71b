"""A file of leads, looked at without being told anything."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from openpyxl import Workbook

from leadlight.errors import DataError, NotFoundError, UsageError
from leadlight.sources.discover import Discovered, discover
from sources import exports

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def written(tmp_path: Path):
    """Write a text as a file and return its path."""

    def write(text: str, name: str = "leads.csv") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def simple(header: str = "id,city,converted", rows: int = 40) -> str:
    return header + "\n" + "".join(f"L{n},{'Ulm' if n % 3 else 'Bonn'},{int(n % 4 == 0)}\n" for n in range(rows))


def headers(found: Discovered) -> dict[str, str | None]:
    return {role: choice.header for role, choice in found.choices.items() if choice.header is not None}


# ---------------------------------------------------------------------------------------------- files of CRM systems


def test_hubspot(written) -> None:
    found = discover(written(exports.hubspot()))
    assert headers(found) == {
        "id": "Record ID", "created_at": "Create Date", "outcome": "Deal Stage", "closed_at": "Close Date",
        "lost_at": "Close Date", "worth": "Amount", "account": "Associated Company",
    }  # fmt: skip
    assert (found.win, found.lose) == (("Closed Won",), ("Closed Lost",))
    assert set(found.waiting) == {"Appointment Scheduled", "Qualified To Buy", "Contract Sent"}
    assert (found.won, found.lost, found.open) == (63, 109, 68)
    assert found.final
    assert found.dated


def test_salesforce(written) -> None:
    found = discover(written(exports.salesforce()))
    assert headers(found) == {
        "id": "Lead ID", "created_at": "Created Date", "outcome": "Lead Status", "email": "Email",
        "account": "Company / Account",
    }  # fmt: skip
    assert (found.win, found.lose) == (("Closed - Converted",), ("Closed - Not Converted",))
    assert (found.open, found.final, found.dated, found.merge_by_email) == (88, True, False, True)
    assert found.closed_at.why == "few of the lost have 'Converted Date', so leads are judged as they came"


def test_pipedrive(written) -> None:
    found = discover(written(exports.pipedrive()))
    assert headers(found) == {
        "id": "Deal - ID", "created_at": "Deal - Deal created", "outcome": "Deal - Status",
        "closed_at": "Deal - Won time", "lost_at": "Deal - Lost time", "worth": "Deal - Value",
        "email": "Person - Email", "account": "Deal - Organization",
    }  # fmt: skip
    assert (found.win, found.lose, found.waiting) == (("Won",), ("Lost",), ("Open",))
    assert not found.merge_by_email  # one buyer has many deals


def test_german(written) -> None:
    found = discover(written(exports.german()))
    assert headers(found) == {
        "id": "Kundennummer", "created_at": "Erstellt am", "outcome": "Gewonnen", "closed_at": "Abschlussdatum",
        "worth": "Auftragswert", "email": "E-Mail", "account": "Firma",
    }  # fmt: skip
    assert (found.win, found.lose, found.final) == (("Ja",), ("Nein",), False)
    assert found.open == found.lost == 186
    assert found.source.decimal == ","
    assert found.source.missing == ["k.A."]


def test_a_hundred_columns(written) -> None:
    found = discover(written(exports.wide()))
    assert len(found.columns) == 100
    assert headers(found) == {"id": "lead_id", "outcome": "converted"}


@pytest.mark.parametrize("name", ["leads.xlsx", "leads.parquet", "leads.jsonl"])
def test_every_format_tells_the_same(tmp_path: Path, name: str) -> None:
    rows = [{"Lead ID": f"L{n}", "City": "Ulm", "Won": "yes" if n % 4 == 0 else "no"} for n in range(40)]
    path = tmp_path / name
    if name.endswith("xlsx"):
        book = Workbook()
        book.active.append(list(rows[0]))
        for row in rows:
            book.active.append(list(row.values()))
        book.save(path)
    elif name.endswith("parquet"):
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("\n".join(map(json.dumps, rows)))
    found = discover(path)
    assert headers(found) == {"id": "Lead ID", "outcome": "Won"}
    assert (found.won, found.open) == (10, 30)


# ------------------------------------------------------------------------------------------------------ the outcome


def test_two_columns_that_disagree_are_asked_for(written) -> None:
    rows = "".join(f"L{n},{int(n % 4 == 0)},{int(n % 3 == 0)}\n" for n in range(40))
    file = written("id,converted,conversion\n" + rows)
    with pytest.raises(UsageError) as caught:
        discover(file)
    assert str(caught.value) == (
        "2 columns of leads.csv could be the outcome:\n"
        "  converted: '0' (30), '1' (10)\n"
        "  conversion: '0' (26), '1' (14)\n"
        "Type one of:\n"
        "  leadlight rank leads.csv --outcome converted\n"
        "  leadlight rank leads.csv --outcome conversion"
    )
    assert discover(file, outcome="conversion").won == 14


def test_two_columns_that_agree_are_one_outcome_and_the_richer_is_taken(written) -> None:
    stages = ["Closed Won", "Closed Lost", "Proposal"]
    rows = "".join(f"L{n},{'true' if n % 3 == 0 else 'false'},{stages[n % 3]}\n" for n in range(60))
    assert discover(written("id,Is Won,Stage\n" + rows)).outcome.header == "Stage"


def test_the_only_column_of_two_values_is_taken_though_its_name_says_nothing(written) -> None:
    found = discover(written(simple("id,city,serious")))
    assert found.outcome.header == "serious"
    assert found.outcome.why.startswith("no other column has values that say yes or no")


def test_no_outcome_at_all(written) -> None:
    file = written("id,city\n" + "".join(f"L{n},{'Ulm' if n % 3 else 'Bonn'}\n" for n in range(30)))
    with pytest.raises(UsageError, match="no column of leads.csv says how it ended") as caught:
        discover(file)
    assert "'id', 'city'" in str(caught.value)
    assert "leadlight rank leads.csv --outcome NAME --win VALUE" in str(caught.value)


@pytest.mark.parametrize(("value", "what"), [("1", "was won"), ("0", "was not won")])
def test_one_outcome_only(written, value: str, what: str) -> None:
    file = written("id,converted\n" + "".join(f"L{n},{value}\n" for n in range(30)))
    with pytest.raises(UsageError, match="there is nothing to tell apart"):
        discover(file)
    with pytest.raises(UsageError, match="there is nothing to tell apart"):
        discover(file, outcome="converted")


def test_values_that_say_nothing_are_asked_for_and_taken_when_told(written) -> None:
    file = written("id,interest level\n" + "".join(f"L{n},{'abc'[n % 3]}\n" for n in range(30)))
    with pytest.raises(UsageError) as caught:
        discover(file)
    assert "which values of 'interest level' mean that a lead was won? It has 'a' (10), 'b' (10), 'c' (10)" in str(
        caught.value
    )
    assert "leadlight rank leads.csv --outcome 'interest level' --win VALUE" in str(caught.value)
    found = discover(file, outcome="interest_level", win=["C"])
    assert (found.win, found.lose, found.won, found.open) == (("c",), ("a", "b"), 10, 20)
    assert discover(file, win=["c", "b"]).won == 20


@pytest.mark.parametrize(("name", "word"), [("status", "won"), ("converted", "yes"), ("converted", "1")])
def test_won_or_nothing(written, name: str, word: str) -> None:
    file = written(f"id,{name}\n" + "".join(f"L{n},{word if n % 4 == 0 else ''}\n" for n in range(40)))
    found = discover(file)
    assert (found.lose, found.won, found.blank, found.open, found.final) == ((), 10, 30, 30, False)
    assert found.win in {(word,), ("true",)}


def test_where_no_win_has_a_time_the_horizon_fits_the_time_there_is(written) -> None:
    """Of 0 nobody knows that it stays so: the newest leads are too young to know, and most must not be."""
    days = [f"2026-0{1 + n // 28}-{1 + n % 28:02}" for n in range(84)]
    file = written("id,created,converted\n" + "".join(f"L{n},{day},{n % 2}\n" for n, day in enumerate(days)))
    assert discover(file).horizon == 14
    assert discover(written("id,converted\n" + "".join(f"L{n},{n % 2}\n" for n in range(84)))).horizon == 90


def test_a_value_or_a_column_that_is_not_there(written) -> None:
    file = written(simple())
    with pytest.raises(UsageError, match="no row has 'sold' in 'converted'"):
        discover(file, outcome="converted", win=["sold"])
    with pytest.raises(UsageError, match="did you mean 'converted'"):
        discover(file, outcome="convertd")
    with pytest.raises(UsageError, match="no column of leads.csv has the value 'sold'"):
        discover(file, win=["sold"])


# ---------------------------------------------------------------------------------------------------- other columns


def test_rows_are_numbered_where_nothing_names_them(written) -> None:
    rows = "".join(f"{'Ulm' if n % 3 else 'Bonn'},{int(n % 4 == 0)}\n" for n in range(40))
    found = discover(written("city,converted\n" + rows))
    assert found.id.column is None
    assert found.id.why == "no column names the lead, so rows are numbered as they stand in the file"


def test_an_id_with_a_few_repeats_is_an_id(written) -> None:
    found = discover(written(simple() + "L0,Ulm,1\n"))
    assert found.id.header == "id"
    assert "1 rows repeat one" in found.id.why


def test_an_order_is_a_number_along_the_file_and_no_count_of_rows(written) -> None:
    def file(step: int) -> Path:
        rows = "".join(f"p{n * 7919 % 100},{5000 - step * n},{int(n % 4 == 0)}\n" for n in range(100))
        return written("prospect id,number,converted\n" + rows)

    assert discover(file(3)).order.header == "number"
    assert discover(file(1)).order.header is None
    assert "falls along the file" in discover(file(3)).order.why


def test_what_is_told_is_taken(written) -> None:
    rows = "".join(
        f"L{n},k{n},2026-01-{n % 28 + 1:02},2026-02-{n % 28 + 1:02},{n},{int(n % 4 == 0)}\n" for n in range(60)
    )
    file = written("id,key,came,seen,size,converted\n" + rows)
    assert discover(file).created_at.header is None
    found = discover(file, id="key", created_at="seen", worth="size")
    assert (found.id.header, found.created_at.header, found.worth.header) == ("key", "seen", "size")


def test_dates_that_can_be_read_two_ways_are_faults_until_told(written) -> None:
    rows = "".join(f"L{n},0{n % 9 + 1}/02/2026,{int(n % 4 == 0)}\n" for n in range(40))
    file = written("id,created,converted\n" + rows)
    with pytest.raises(DataError):
        discover(file)
    assert discover(file, dates="day_first").created_at.header == "created"


def test_no_such_file_and_no_rows(tmp_path: Path, written) -> None:
    with pytest.raises(NotFoundError, match="there is no file"):
        discover(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="has no rows"):
        discover(written("id,converted\n"))


def test_the_report_is_plain_and_says_why(written) -> None:
    found = discover(written(simple()))
    assert json.loads(json.dumps(found.as_dict()))["columns"]["id"] == {
        "column": "id",
        "why": "its name is that of an id, and all 40 values differ",
    }
    text = str(found)
    assert text.startswith("leads.csv: 40 rows; 10 won, 30 not won, 30 to be ranked\n")
    assert "outcome: converted: its name and values are those of an outcome; won is '1'; '0' is not won" in text


# -------------------------------------------------------------------------------------------------------- real files

REAL = [
    ("xeducation_leads/Leads.csv.gz", "Prospect ID", "Converted", ("1",), "Lead Number"),
    ("uci_bank_marketing/bank-additional-full.csv.gz", None, "y", ("true",), None),
    ("fin_german_credit/germancredit.csv", None, "creditability", ("good",), None),
    ("realestate_hmda_boston/HMDA.csv", None, "deny", ("true",), None),
    ("fin_givemesomecredit/cs-training.csv.gz", "column 1", "SeriousDlqin2yrs", ("1",), None),
    ("email_hillstrom/hillstrom.csv.gz", None, "conversion", ("1",), None),
]


@pytest.mark.data
@pytest.mark.parametrize(("name", "lead", "outcome", "win", "order"), REAL)
def test_real_files(name: str, lead: str | None, outcome: str, win: tuple[str, ...], order: str | None) -> None:
    if not (DATA / name).exists():
        pytest.skip("the shared data are not here")
    found = discover(DATA / name)
    assert (found.id.header, found.outcome.header, found.win, found.order.header) == (lead, outcome, win, order)


def test_titles_above_the_header_are_passed_over(tmp_path: Path) -> None:
    rows = "".join(f"{n},C{n},{n % 2}\n" for n in range(20))
    (tmp_path / "leads.csv").write_text(f"Export of all leads\n\nLead ID,City,Converted\n{rows}")
    found = discover(tmp_path / "leads.csv")
    assert (found.rows, found.id.header, found.won) == (20, "Lead ID", 10)
    assert "leads.csv: header found in line 3." in found.notes
    book = Workbook()
    for row in (
        ["Export of all leads"],
        [],
        ["Lead ID", "City", "Converted"],
        *([n, f"C{n}", n % 2] for n in range(20)),
    ):
        book.active.append(row)
    book.save(tmp_path / "leads.xlsx")
    found = discover(tmp_path / "leads.xlsx")
    assert (found.rows, found.id.header, found.won) == (20, "Lead ID", 10)
