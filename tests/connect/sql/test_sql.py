"""A database of one's own, SQLite and PostgreSQL: read by what changed or as a whole, written to its columns."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connect.stand_in import Opened
from leadlight.connect.protocol import PushField, Row, Surroundings, Write
from leadlight.connect.registry import connector
from leadlight.connect.sql.settings import SqlSettings
from leadlight.errors import MissingExtraError, NotFoundError, RemoteError, UsageError
from leadlight.expr.types import Type

NOW = datetime(2026, 3, 2, 9)
TABLES = """
CREATE TABLE people (id INTEGER PRIMARY KEY, name VARCHAR(50), vip BOOLEAN, born DATE, points INTEGER,
    ratio NUMERIC(10, 2), company_id INTEGER, photo BLOB, made DATETIME, changed DATETIME, removed DATETIME);
CREATE TABLE tags (word VARCHAR(20), weight FLOAT);
CREATE VIEW adults AS SELECT id, name FROM people WHERE points > 17;
"""

Do = Callable[..., None]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "crm.db"


@pytest.fixture
def do(file: Path) -> Iterator[Do]:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.executescript(TABLES)

        def do(statement: str, *values: Any) -> None:
            connection.execute(statement, values)

        yield do


def open_it(url: str, now: datetime = NOW, secrets: dict[str, str] | None = None, **more: Any) -> Opened:
    one = connector("sql")
    settings = SqlSettings.model_validate({"url": url, **more})
    return Opened(one.open(settings, Surroundings(secrets or {}, None, now)), None, one)


def person(do: Do, number: int, at: datetime | None, **values: Any) -> None:
    told = {"id": number, "name": f"Person {number}", "changed": at and at.isoformat(" "), **values}
    do(f"INSERT OR REPLACE INTO people ({', '.join(told)}) VALUES ({', '.join('?' * len(told))})", *told.values())


def ids(rows: Sequence[Row]) -> list[str]:
    return [row.id for row in rows]


def test_columns_have_types_and_keys_are_texts(do: Do, file: Path) -> None:
    with open_it(f"sqlite:///{file}", tables={"people": {"modified_at": "changed"}}) as opened:
        people = opened.describe("people")
    assert {field.name: field.type for field in people.fields} == {
        "id": Type.TEXT, "name": Type.TEXT, "vip": Type.BOOL, "born": Type.TIME, "points": Type.NUMBER,
        "ratio": Type.NUMBER, "company_id": Type.TEXT, "made": Type.TIME, "changed": Type.TIME, "removed": Type.TIME,
    }  # fmt: skip
    assert (people.id, people.modified_at, people.whole, people.deletions) == ("id", "changed", False, True)


def test_a_table_without_a_key_alone_is_left_out_until_it_is_told(do: Do, file: Path) -> None:
    with open_it(f"sqlite:///{file}") as opened:
        assert [one.name for one in opened.session.describe()] == ["people"]
        with pytest.raises(UsageError, match="tags: {id: COLUMN}"):
            opened.describe("tags")
    do("INSERT INTO tags VALUES ('vip', 1.5)")
    with open_it(f"sqlite:///{file}", tables={"tags": {"id": "word"}, "adults": {"id": "id"}}) as opened:
        assert [one.name for one in opened.session.describe()] == ["adults", "people", "tags"]
        assert opened.read("tags") == [Row("vip", {"word": "vip", "weight": 1.5})]
        assert opened.describe("tags").whole


def test_a_column_that_does_not_exist_is_told_with_the_nearest(do: Do, file: Path) -> None:
    with (
        open_it(f"sqlite:///{file}", tables={"people": {"modified_at": "change"}}) as opened,
        pytest.raises(NotFoundError, match="did you mean 'changed'"),
    ):
        opened.describe("people")


def test_rows_that_do_not_say_when_they_changed_are_read_too(do: Do, file: Path) -> None:
    person(do, 1, NOW - timedelta(days=3))
    person(do, 2, None)
    person(do, 3, None, made="2026-02-01 10:00:00")
    tables = {"people": {"modified_at": "changed", "created_at": "made"}}
    with open_it(f"sqlite:///{file}", tables=tables, page=1) as opened:
        assert sorted(ids(opened.read("people"))) == ["1", "2", "3"]
        assert ids(opened.read("people", cursor=opened.cursor)) == ["2"]  # who cannot be told from one that changed


def test_a_transaction_that_ends_late_is_not_missed(do: Do, file: Path) -> None:
    tables = {"people": {"modified_at": "changed"}}
    person(do, 1, NOW)
    with open_it(f"sqlite:///{file}", tables=tables) as opened:
        opened.read("people")
        cursor = opened.cursor
    person(do, 2, NOW - timedelta(seconds=200))  # begun before, and ended after the reading
    later = NOW + timedelta(hours=1)
    with open_it(f"sqlite:///{file}", later, tables=tables) as opened:
        assert ids(opened.read("people", cursor=cursor)) == ["2", "1"]
        cursor = opened.cursor
    with open_it(f"sqlite:///{file}", later + timedelta(hours=1), tables=tables) as opened:
        assert ids(opened.read("people", cursor=cursor)) == []


def test_a_version_may_say_what_changed(do: Do, file: Path) -> None:
    tables = {"people": {"modified_at": "points"}}
    for number in range(5):
        person(do, number, NOW, points=number)
    with open_it(f"sqlite:///{file}", tables=tables, page=2) as opened:
        assert ids(opened.read("people")) == ["0", "1", "2", "3", "4"]
        person(do, 2, NOW, points=9)
        assert ids(opened.read("people", cursor=opened.cursor)) == ["2"]


def test_a_column_may_say_what_is_deleted(do: Do, file: Path) -> None:
    tables = {"people": {"modified_at": "changed", "deleted_at": "removed"}}
    person(do, 1, NOW)
    person(do, 2, NOW, removed="2026-03-01 10:00:00")
    with open_it(f"sqlite:///{file}", tables=tables) as opened:
        assert {row.id: row.gone for row in opened.read("people")} == {"1": False, "2": True}
        assert set(opened.session.look("people", ["1", "2"], ["name"])) == {"1"}
        answers = opened.session.write("people", [Write("1", {"name": "A"}), Write("2", {"name": "B"})])
        assert [answer.gone for answer in answers] == [False, True]


def test_what_exists_is_told_once_a_day(do: Do, file: Path) -> None:
    tables = {"people": {"modified_at": "changed"}}
    for number in range(3):
        person(do, number, NOW - timedelta(days=9))
    with open_it(f"sqlite:///{file}", tables=tables, page=2) as opened:
        pages = list(opened.pages("people"))
        assert [list(page.there) for page in pages if page.there is not None] == [["0", "1"], ["2"]]
        cursor = opened.cursor
    with open_it(f"sqlite:///{file}", NOW + timedelta(hours=23), tables=tables) as opened:
        assert all(page.there is None for page in opened.pages("people", cursor=cursor))
    with open_it(f"sqlite:///{file}", NOW + timedelta(hours=24), tables=tables) as opened:
        assert any(page.there is not None for page in opened.pages("people", cursor=cursor))


def test_times_without_a_zone_are_those_of_the_zone_that_is_told(do: Do, file: Path) -> None:
    person(do, 1, datetime(2026, 7, 1, 12), born="1990-05-01")
    tables = {"people": {"modified_at": "changed"}}
    with open_it(f"sqlite:///{file}", tables=tables, timezone="Europe/Berlin") as opened:
        (row,) = opened.read("people", ["changed"])
        assert row.values["changed"] == datetime(2026, 7, 1, 10)
        (written,) = opened.session.write("people", [Write("1", {"removed": datetime(2026, 7, 1, 10)})])
        assert written.error is None
        assert opened.session.look("people", ["1"], ["removed"]) == {"1": {"removed": datetime(2026, 7, 1, 10)}}


def test_columns_that_are_not_there_come_with_the_statement_that_makes_them(do: Do, file: Path) -> None:
    fields = [PushField("Points", Type.NUMBER, "", ""), PushField("leadlight_grade", Type.TEXT, "", "", length=40)]
    with open_it(f"sqlite:///{file}") as opened:
        there, missing = opened.session.ready("people", fields)
    assert (there.field, there.was) == ("points", "there")
    assert missing.todo is not None
    assert missing.todo.endswith("ALTER TABLE people ADD COLUMN leadlight_grade varchar(40);")


def test_nobody_but_the_named_row_is_written(do: Do, file: Path) -> None:
    person(do, 1, NOW, points=1)
    person(do, 2, NOW, points=2)
    with open_it(f"sqlite:///{file}") as opened:
        answers = opened.session.write(
            "people", [Write("x'; DROP TABLE people; --", {"points": 9.0}), Write("2", {"points": 7.6})]
        )
        assert [answer.gone for answer in answers] == [True, False]
        held = opened.session.look("people", ["1", "2", "nobody"], ["points"])
    assert held == {"1": {"points": 1.0}, "2": {"points": 8.0}}


def test_a_value_that_is_not_of_its_columns_type_is_told(do: Do, file: Path) -> None:
    person(do, 1, NOW, made="yesterday")
    with open_it(f"sqlite:///{file}") as opened, pytest.raises(RemoteError, match="yesterday"):
        opened.read("people")


@pytest.mark.parametrize("name", ["lost.db", "no/crm.db"])
def test_a_file_that_is_not_there_is_told_and_not_made(tmp_path: Path, name: str) -> None:
    with open_it(f"sqlite:///{tmp_path / name}") as opened, pytest.raises(RemoteError, match="there is no") as caught:
        opened.session.describe()
    assert caught.value.trouble == "absent"
    assert list(tmp_path.iterdir()) == []


def test_a_driver_that_is_not_there_is_told() -> None:
    for url in ("oracle+oracledb://reader@db/crm", "nothing://x/y"):
        with open_it(url) as opened, pytest.raises(MissingExtraError, match="package that is not there"):
            opened.session.describe()


@pytest.mark.parametrize("url", ["postgresql://ann:s3cret@db/crm", "postgresql://db/crm?password=s3cret", "crm"])
def test_no_password_stands_in_the_address(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SqlSettings.model_validate({"url": url})
    assert "s3cret" not in str(caught.value.errors(include_input=False))


def test_postgresql_is_read_and_written_like_sqlite(postgres_uri: str) -> None:
    import psycopg

    with psycopg.connect(postgres_uri, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA crm")
        connection.execute(
            "CREATE TABLE crm.people (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), name text, tags text[], "
            "more jsonb, score double precision, changed timestamptz DEFAULT now())"
        )
        connection.execute(
            "INSERT INTO crm.people (name, tags, more, changed) SELECT 'Person ' || n, ARRAY['a', 'b'], '{\"x\": 1}', "
            "TIMESTAMPTZ '2026-03-01 12:00:00+02' + n * INTERVAL '1 minute' FROM generate_series(1, 7) AS n"
        )
    url = postgres_uri.replace("postgresql://", "postgresql+psycopg://", 1)
    try:
        with open_it(url, db_schema="crm", tables={"people": {"modified_at": "changed"}}, page=3) as opened:
            rows = opened.read("people")
            assert [row.values["name"] for row in rows] == [f"Person {number}" for number in range(1, 8)]
            assert rows[0].values["changed"] == datetime(2026, 3, 1, 10, 1)
            assert (rows[0].values["tags"], rows[0].values["more"]) == ("a;b", '{"x": 1}')
            assert ids(opened.read("people", cursor=opened.cursor)) == []
            answers = opened.session.write(
                "people", [Write(rows[2].id, {"score": 7.5}), Write(rows[3].id, {"score": "x"})]
            )
            assert [answer.error is None for answer in answers] == [True, False]
            assert opened.session.look("people", [rows[2].id, "no-uuid"], ["score"]) == {rows[2].id: {"score": 7.5}}
    finally:
        with psycopg.connect(postgres_uri, autocommit=True) as connection:
            connection.execute("DROP SCHEMA crm CASCADE")


def test_a_wrong_password_is_told_and_not_shown(do: Do) -> None:
    from leadlight.connect.sql.database import Database

    database = Database(SqlSettings.model_validate({"url": "sqlite://"}), {"password": "s3cret-1"})
    error = database.failed('FATAL: password authentication failed for user "x" with s3cret-1')
    assert error.trouble == "sign_in"
    assert "s3cret-1" not in str(error)
    assert "LEADLIGHT_SQL_PASSWORD" in str(error)
