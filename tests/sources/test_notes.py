from .conftest import Reader


def test_nearly_numbers_name_the_first_value_and_its_line(read_csv: Reader) -> None:
    rows = [f"{n},{n}" for n in range(600)]
    rows[15], rows[300], rows[400] = "15,abc", "300,n/a", '401,"x\ny"'
    result = read_csv("id,visits\n" + "\n".join(rows) + "\n")
    assert result.notes == [
        "visits: 3 of 600 values are not numbers (first: 'abc' at line 17): read as text; to read as number and reject "
        "those rows write types: {visits: number}, or, if 'abc' means no value, missing: ['abc']"
    ]


def test_nearly_times(read_csv: Reader) -> None:
    rows = "".join(f"{n},2026-01-31\n" for n in range(300))
    result = read_csv(f"id,seen\n{rows}x,2026-02-30\n")
    assert result.notes[0].startswith("seen: 1 of 301 values is not a time (first: '2026-02-30' at line 302)")


def test_what_was_found_out(read_csv: Reader) -> None:
    text = "id;when;price;empty;share\n1;31/12/2026;$1,000;;12%\n2;01/02/2026;$5;;7%\n"
    assert read_csv(text.encode("utf-16")).notes == [
        "f.csv: encoding utf-16",
        "f.csv: delimiter semicolon",
        "when: times as %d/%m/%Y (day first)",
        "price: numbers with separators or signs (a percent sign is left out: 12% is 12)",
        "empty: no value in any row",
        "share: numbers with separators or signs (a percent sign is left out: 12% is 12)",
    ]


def test_a_decimal_comma_is_suspected(read_csv: Reader) -> None:
    assert read_csv("id;price\n1;3,14\n2;2,71\n").notes[1] == (
        "price: text such as '2,71'; if that is a number, write decimal: ','"
    )
    assert read_csv("id;price\n1;3,14\n2;2,71\n", decimal=",").rows == [("1", 3.14), ("2", 2.71)]
