import pytest

from leadlight.errors import DataError
from leadlight.expr.types import Type
from leadlight.sources.layout import lay_out
from leadlight.sources.part import Cell, Kind, Part
from leadlight.spec.models import SourceSpec


def part(*headers: str, shown: str = "f.csv") -> Part:
    return Part(shown, 0, {header: Cell(Kind.ANY, "c0") for header in headers})


def names(slots) -> dict[str, str]:
    return {slot.name: slot.header for slot in slots}


def test_roles_match_in_snake_case_and_are_no_attributes() -> None:
    spec = SourceSpec(csv="f.csv", id="lead_number", account="company", outcome="Converted")
    slots = lay_out("src", spec, [part("Lead Number", "Company", "Converted", "City")], {})
    assert names(slots) == {
        "_id": "Lead Number", "_account": "Company", "_outcome": "Converted", "city": "City",
    }  # fmt: skip
    assert [slot.must for slot in slots] == [True, False, False, False]


def test_a_role_column_is_an_attribute_too_where_the_map_says_so() -> None:
    spec = SourceSpec(csv="f.csv", id="Email", columns={"email": "Email"})
    assert names(lay_out("src", spec, [part("Email", "City")], {})) == {"_id": "Email", "email": "Email"}


def test_columns_of_all_files_are_taken_together() -> None:
    spec = SourceSpec(csv="*.csv", id="id")
    slots = lay_out("src", spec, [part("id", "a"), part("id", "b")], {})
    assert names(slots) == {"_id": "id", "a": "a", "b": "b"}


def test_types_by_name_by_header_and_from_the_store() -> None:
    spec = SourceSpec(csv="f.csv", id="id", outcome="Won", types={"Zip Code": "text", "b": "number", "won": "bool"})
    slots = lay_out("src", spec, [part("id", "Won", "Zip Code", "b", "c")], {"b": Type.TEXT, "c": Type.BOOL})
    told = {slot.name: slot.told for slot in slots}
    assert told == {"_id": Type.TEXT, "_outcome": Type.BOOL, "zip_code": Type.TEXT, "b": Type.NUMBER, "c": Type.BOOL}


def test_properties_may_be_called_like_what_leads_reserve() -> None:
    spec = SourceSpec(csv="f.csv", lead="who", at="ts", type="what")
    assert names(lay_out("src", spec, [part("who", "ts", "what", "id", "type", "account")], {})) == {
        "_lead": "who", "_at": "ts", "_type": "what", "id": "id", "type_": "type", "account": "account",
    }  # fmt: skip


def test_all_faults_at_once() -> None:
    spec = SourceSpec(
        csv="*.csv", id="ID Numbr", created_at="made", drop=["x"], columns=["City", "Town"], types={"cty": "text"}
    )
    with pytest.raises(DataError) as caught:
        lay_out("src", spec, [part("ID Number", "City"), part("ID Numbr", "made", shown="g.csv")], {})
    assert str(caught.value).splitlines() == [
        "5 faults in the data",
        "f.csv: sources.src.id: there is no column 'ID Numbr'; did you mean 'ID Number'? Known: City, ID Number",
        "f.csv: sources.src.created_at: there is no column 'made'; known: City, ID Number",
        "sources.src.drop: there is no column 'x'; known: City, ID Number, ID Numbr, made",
        "sources.src.columns: there is no column 'Town'; known: City, ID Number, ID Numbr, made",
        "sources.src.types: there is no column 'cty'; did you mean 'city'? Known: city",
    ]
