"""Broken and odd CSV files: what each gives, to the letter."""

# ruff: noqa: E501

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import zstandard

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.errors import DataError, TooManyRejects
from leadlight.sources.read import Described, describe
from leadlight.spec.models import SourceSpec

from .conftest import Reader, left_over

EVENT = {"lead": "id", "at": "at", "event": "x"}


def lots(line: bytes, count: int = 200, head: bytes = b"id,a\n") -> bytes:
    """Return a file of many good lines, so that a few bad ones stay within the limit."""
    return head + b"".join(line % number for number in range(count))


@dataclass(frozen=True)
class Case:
    """A file that is refused, with every line of the message."""

    name: str
    content: bytes
    spec: Mapping[str, Any]
    message: list[str]


@dataclass(frozen=True)
class Good:
    """A file that is read: the number of rows, the rows (of many, the last two), rejects and notes."""

    name: str
    content: bytes
    spec: Mapping[str, Any]
    count: int
    rows: list[tuple[Any, ...]]
    rejects: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


FAULTS = [
    Case("empty", b"", {}, ["1 fault in the data", "f.csv: is empty: not even a header was found"]),
    Case("blank", b"\n\n\n", {}, ["1 fault in the data", "f.csv: has no header: the file is blank"]),
    Case(
        "no id",
        b"idd,a\n1,2\n",
        {},
        ["1 fault in the data", "f.csv: sources.src.id: there is no column 'id'; did you mean 'idd'? Known: a, idd"],
    ),
    Case(
        "wrong delimiter told",
        b"id;a\n1;2\n",
        {"delimiter": ","},
        ["1 fault in the data", "f.csv: sources.src.id: there is no column 'id'; did you mean 'id;a'? Known: id;a"],
    ),
    Case(
        "unknown encoding",
        b"id,a\n1,2\n",
        {"encoding": "utf9"},
        [
            "1 fault in the data",
            "f.csv: the encoding 'utf9' is not known; did you mean 'utf-8'? Known: ascii, big5, cp1250, cp1251, cp1252, cp1253, cp1254, cp1255, cp1256, cp949, euc_jp, gb18030, …",
        ],
    ),
    Case(
        "ragged all",
        b"id,a\n1,2,3\n1,2,3\n",
        {},
        [
            "3 faults in the data",
            "sources.src: 2 of 2 rows cannot be read (100.0%, allowed are 1.0%); nothing was read",
            "f.csv:2: the row has 3 cells, the header has 2",
            "f.csv:3: the row has 3 cells, the header has 2",
            "All reasons are in rejects/src.csv. Mend the rows, or allow more under `sources.src.reject_limit`.",
        ],
    ),
    Case(
        "unclosed",
        lots(b"%d,x\n") + b'1,"oops\n' + lots(b"%d,x\n", 50, b""),
        {},
        [
            "2 faults in the data",
            "sources.src: 51 of 251 rows cannot be read (20.3%, allowed are 1.0%); nothing was read",
            "f.csv:202: the row has a quote that is not closed, or text behind a closing quote: 51 lines are lost",
            "All reasons are in rejects/src.csv. Mend the rows, or allow more under `sources.src.reject_limit`.",
        ],
    ),
    Case(
        "gz cut",
        gzip.compress(b"id,a\n1,2\n" * 5000)[:60],
        {},
        ["1 fault in the data", "f.csv: the compressed data is damaged or cut off: export or copy the file again"],
    ),
    Case(
        "zip",
        b"PK\x03\x04xxxxxxxx",
        {},
        ["1 fault in the data", "f.csv: is a ZIP archive or an Excel workbook: unpack it, or write `excel:`"],
    ),
    Case("parquet as csv", b"PAR1xxxxx", {}, ["1 fault in the data", "f.csv: is a Parquet file: write `parquet:`"]),
    Case("xls", b"\xd0\xcf\x11\xe0xx", {}, ["1 fault in the data", "f.csv: is an old Excel workbook: write `excel:`"]),
    Case("pdf", b"%PDF-1.4 x", {}, ["1 fault in the data", "f.csv: is a PDF document: export the data as CSV"]),
    Case(
        "bz2",
        b"BZh91AY",
        {},
        ["1 fault in the data", "f.csv: is compressed with bzip2: unpack it, or pack it with gzip or zstd"],
    ),
    Case("binary", bytes(range(256)) * 50, {}, ["1 fault in the data", "f.csv: is not text: it has binary data in it"]),
    Case(
        "too many",
        b"id,total\n" + b"".join(b"%d,%d\n" % (i, i) for i in range(30)) + b"x,abc\n",
        {"types": {"total": "number"}},
        [
            "2 faults in the data",
            "sources.src: 1 of 31 rows cannot be read (3.2%, allowed are 1.0%); nothing was read",
            "f.csv:32: total: 'abc' is not a number",
            "All reasons are in rejects/src.csv. Mend the rows, or allow more under `sources.src.reject_limit`.",
        ],
    ),
    Case(
        "ambiguous",
        b"id,at\na,01/02/2026\nb,03/04/2026\n",
        EVENT,
        [
            "1 fault in the data",
            "sources.src: column 'at' does not tell the day from the month ('01/02/2026'): write `dates: day_first` or `dates: month_first`",
        ],
    ),
    Case(
        "both",
        b"id,at\na,31/01/2026\nb,01/31/2026\n",
        EVENT,
        [
            "1 fault in the data",
            "sources.src: column 'at' mixes two orders of day and month ('31/01/2026' has the day first, '01/31/2026' the month): write `dates: day_first` or `dates: month_first`",
        ],
    ),
    Case(
        "bad format",
        b"id,at\na,2026.02.01\n",
        dict(EVENT, dates="%Q"),
        [
            "1 fault in the data",
            "sources.src.dates: '%Q' is no way to write times: known: day_first, month_first, unix, or a format such as %d.%m.%Y %H:%M",
        ],
    ),
    Case(
        "unix untold",
        b"id,at\na,1717171717\n",
        EVENT,
        [
            "1 fault in the data",
            "sources.src: column 'at' holds numbers (such as 1717171717), not times: if they count seconds, milliseconds … since 1970, write `dates: unix`",
        ],
    ),
    Case(
        "no time",
        b"id,at\na,soon\nb,later\n",
        EVENT,
        [
            "3 faults in the data",
            "sources.src: 2 of 2 rows cannot be read (100.0%, allowed are 1.0%); nothing was read",
            "f.csv:2: at: 'soon' is not a time",
            "f.csv:3: at: 'later' is not a time",
            "All reasons are in rejects/src.csv. Mend the rows, or allow more under `sources.src.reject_limit`.",
        ],
    ),
    Case(
        "ambiguous attr",
        b"id,d\na,01/02/2026\n",
        {},
        [
            "1 fault in the data",
            "sources.src: column 'd' does not tell the day from the month ('01/02/2026'): write `dates: day_first` or `dates: month_first`",
        ],
    ),
    Case(
        "bad tz",
        b"id,at\na,2026-01-01\n",
        dict(EVENT, timezone="Europe/Berln"),
        [
            "1 fault in the data",
            "sources.src.timezone: there is no time zone 'Europe/Berln'; did you mean 'Europe/Berlin'? Known: ACT, AET, AGT, ART, AST, Africa/Abidjan, Africa/Accra, Africa/Addis_Ababa, Africa/Algiers, Africa/Asmara, Africa/Asmera, Africa/Bamako, …",
        ],
    ),
    Case(
        "drop unknown",
        b"id,a\n1,2\n",
        {"drop": ["b"]},
        ["1 fault in the data", "sources.src.drop: there is no column 'b'; known: a, id"],
    ),
    Case(
        "columns unknown",
        b"id,a\n1,2\n",
        {"columns": {"x": "z", "lead": "a"}, "types": {"q": "text"}},
        [
            "3 faults in the data",
            "sources.src.columns: there is no column 'z'; known: a, id",
            "sources.src.columns: 'lead' has a meaning of its own: choose another name",
            "sources.src.types: there is no column 'q'; known: lead",
        ],
    ),
]
READS = [
    Good("header only", b"id,a\n", {}, 0, [], [], ["a: no value in any row"]),
    Good("header no newline", b"id,a", {}, 0, [], [], ["a: no value in any row"]),
    Good("semicolon", b"id;a\n1;2\n", {}, 1, [("1", 2.0)], [], ["f.csv: delimiter semicolon"]),
    Good("tab", b"id\ta\n1\t2\n", {}, 1, [("1", 2.0)], [], ["f.csv: delimiter tab"]),
    Good("bar", b"id|a\n1|2\n", {}, 1, [("1", 2.0)], [], ["f.csv: delimiter bar"]),
    Good("told tab", b"id\ta\n1\t2\n", {"delimiter": "tab"}, 1, [("1", 2.0)], [], ["f.csv: delimiter tab"]),
    Good("one column", b"id\n1\n2\n", {}, 2, [("1",), ("2",)], [], []),
    Good(
        "sep line",
        b"sep=;\nid;a\n1;2\n",
        {},
        1,
        [("1", 2.0)],
        [],
        ["f.csv: delimiter semicolon", "f.csv: header found in line 2"],
    ),
    Good("preamble", b"Report of May\n\nid,a\n1,2\n", {}, 1, [("1", 2.0)], [], ["f.csv: header found in line 3"]),
    Good("bom", b"\xef\xbb\xbfid,a\n1,2\n", {}, 1, [("1", 2.0)], [], []),
    Good("utf16", ("id,a\n1,é\n").encode("utf-16"), {}, 1, [("1", "é")], [], ["f.csv: encoding utf-16"]),
    Good(
        "utf16le nobom", ("id,a\n1,é\n" * 1).encode("utf-16-le"), {}, 1, [("1", "é")], [], ["f.csv: encoding utf-16-le"]
    ),
    Good(
        "latin1",
        "id,a\n1,café\n2,naïve déjà\n".encode("latin-1"),
        {},
        2,
        [("1", "café"), ("2", "naïve déjà")],
        [],
        ["f.csv: encoding cp1252"],
    ),
    Good(
        "cp1252",
        "id,a\n1,“quoted” – 5 €\n".encode("cp1252"),
        {},
        1,
        [("1", "“quoted” – 5 €")],
        [],
        ["f.csv: encoding cp1252"],
    ),
    Good(
        "cp1251",
        "id,a\n1,Привет мир как дела\n2,Хорошо спасибо друг\n".encode("cp1251"),
        {},
        2,
        [("1", "Привет мир как дела"), ("2", "Хорошо спасибо друг")],
        [],
        ["f.csv: encoding cp1251"],
    ),
    Good(
        "told cp1250",
        "id,a\n1,Łódź\n".encode("cp1250"),
        {"encoding": "cp1250"},
        1,
        [("1", "Łódź")],
        [],
        ["f.csv: encoding cp1250"],
    ),
    Good(
        "broken utf8 few",
        b"id,a\n" + b"".join(f"{i},größe\n".encode() for i in range(300)) + b"x,caf\xe9\n",
        {},
        300,
        [("298", "größe"), ("299", "größe")],
        ['f.csv,302,,,has characters that are not valid UTF-8,"x,caf?"'],
        [],
    ),
    Good("nul", b"id,a\n1,x\x00y\n", {}, 1, [("1", "xy")], [], ["f.csv: NUL characters left out: 1"]),
    Good("crlf", b"id,a\r\n1,2\r\n", {}, 1, [("1", 2.0)], [], []),
    Good("cr", b"id,a\r1,2\r", {}, 1, [("1", 2.0)], [], []),
    Good("mixed", b"id,a\r\n1,2\n3,4\r5,6\n", {}, 3, [("1", 2.0), ("3", 4.0), ("5", 6.0)], [], []),
    Good(
        "dup headers",
        b"id,a,A,a\n1,2,3,4\n",
        {},
        1,
        [("1", 2.0, 3.0, 4.0)],
        [],
        ["f.csv: 2 columns are called 'a': the others are taken as 'a (3)'"],
    ),
    Good("empty header", b"id,,b\n1,2,3\n", {}, 1, [("1", 2.0, 3.0)], [], []),
    Good("trailing empty col", b"id,a,\n1,2,\n", {}, 1, [("1", 2.0)], [], []),
    Good("reserved", b"id,lead,as of,account\n1,2,3,4\n", {}, 1, [("1", 2.0, 3.0, 4.0)], [], []),
    Good("unicode header", "id,größe (m²),价格\n1,2,3\n".encode(), {}, 1, [("1", 2.0, 3.0)], [], []),
    Good(
        "ragged",
        lots(b"%d,x\n") + b"1\n1,2,3\n",
        {},
        200,
        [("198", "x"), ("199", "x")],
        ['f.csv,202,,,"has 1 cell, the header has 2",1', 'f.csv,203,,,"has 3 cells, the header has 2","1,2,3"'],
        [],
    ),
    Good(
        "empty id",
        lots(b"%d,x\n") + b",5\n  ,6\n",
        {},
        200,
        [("198", "x"), ("199", "x")],
        ['f.csv,202,id,,is empty,",5"', 'f.csv,203,id,,is empty,",6"'],
        [],
    ),
    Good("blank row", b"id,a\n1,2\n,\n3,4\n\n", {}, 2, [("1", 2.0), ("3", 4.0)], [], []),
    Good(
        "quotes",
        b'id,a\n1,"x ""y"" z"\n2,"a,b"\n3,"l1\nl2"\n',
        {},
        3,
        [("1", 'x "y" z'), ("2", "a,b"), ("3", "l1\nl2")],
        [],
        [],
    ),
    Good(
        "backslash quotes",
        b'id,a,b\n1,"x \\"y\\", z",1\n2,"a",2\n3,"q\\"",3\n',
        {},
        3,
        [("1", 'x "y", z', 1.0), ("2", "a", 2.0), ("3", 'q"', 3.0)],
        [],
        [],
    ),
    Good(
        "stray",
        lots(b"%d,x\n") + b'1,5" pipe\n2,"x"y\n',
        {},
        201,
        [("199", "x"), ("1", '5" pipe')],
        ['f.csv,203,,,"has a quote that is not closed, or text behind a closing quote","2,'],
        [],
    ),
    Good(
        "huge",
        lots(b"%d,x\n") + b"1," + b"x" * 2_100_000 + b"\n",
        {},
        200,
        [("198", "x"), ("199", "x")],
        ['f.csv,202,,,is longer than 2 MB,"1,xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'],
        [],
    ),
    Good(
        "formula",
        lots(b"%d,5\n") + b"=1+cmd|,@x\n",
        {"types": {"a": "number"}},
        200,
        [("198", 5.0), ("199", 5.0)],
        ["f.csv,202,a,'@x,is not a number,\"'=1+cmd|,@x\""],
        [],
    ),
    Good(
        "multi line reject",
        b'id,a\n1,"x\ny\nz"\n\n2,5\n3,"q\nr"\n4,\n' + b",7\n",
        {"reject_limit": 0.5},
        4,
        [("1", "x\ny\nz"), ("2", "5"), ("3", "q\nr"), ("4", None)],
        ['f.csv,10,id,,is empty,",7"'],
        [],
    ),
    Good("gz", gzip.compress(b"id,a\n1,2\n"), {}, 1, [("1", 2.0)], [], []),
    Good("zst", zstandard.compress(b"id,a\n1,2\n"), {}, 1, [("1", 2.0)], [], []),
    Good(
        "nums",
        b'id,a,b,c,d,e\n1,"1,234.50",$5,12%,007,+49301234\n2,"(1,000)",$-6.5,3%,010,+4912\n',
        {},
        2,
        [("1", 1234.5, 5.0, 12.0, "007", "+49301234"), ("2", -1000.0, -6.5, 3.0, "010", "+4912")],
        [],
        [
            "a: numbers with separators or signs (a percent sign is left out: 12% is 12)",
            "b: numbers with separators or signs (a percent sign is left out: 12% is 12)",
            "c: numbers with separators or signs (a percent sign is left out: 12% is 12)",
        ],
    ),
    Good(
        "decimal",
        b"id;a;b\n1;1.234,56;12\n2;-3,5;1.000\n",
        {"decimal": ","},
        2,
        [("1", 1234.56, 12.0), ("2", -3.5, 1000.0)],
        [],
        ["f.csv: delimiter semicolon"],
    ),
    Good(
        "decimal untold",
        b"id;a\n1;3,14\n2;2,71\n",
        {},
        2,
        [("1", "3,14"), ("2", "2,71")],
        [],
        ["f.csv: delimiter semicolon", "a: text such as '2,71'; if that is a number, write decimal: ','"],
    ),
    Good(
        "long digits",
        b"id,a\n1,1234567890123456\n2,1234567890123457\n",
        {},
        2,
        [("1", "1234567890123456"), ("2", "1234567890123457")],
        [],
        [],
    ),
    Good(
        "floats",
        b"id,a\n1,1e5\n2,-.5\n3,0.1234567890123456789\n",
        {},
        3,
        [("1", 100000.0), ("2", -0.5), ("3", 0.12345678901234568)],
        [],
        [],
    ),
    Good("inf", b"id,a\n1,inf\n2,5\n", {}, 2, [("1", "inf"), ("2", "5")], [], []),
    Good(
        "inf required",
        b"id,a\n1,inf\n2,5\n3,nan\n4,1e999\n5,abc\n",
        {"types": {"a": "number"}, "reject_limit": 1},
        1,
        [("2", 5.0)],
        [
            'f.csv,2,a,inf,is not finite,"1,inf"',
            'f.csv,4,a,nan,is not finite,"3,nan"',
            'f.csv,5,a,1e999,is not finite,"4,1e999"',
            'f.csv,6,a,abc,is not a number,"5,abc"',
        ],
        [],
    ),
    Good(
        "bools",
        b"id,a,b,c\n1,Yes,TRUE,1\n2,no,false,0\n",
        {},
        2,
        [("1", True, True, 1.0), ("2", False, False, 0.0)],
        [],
        [],
    ),
    Good(
        "bool told",
        b"id,a\n1,1\n2,0\n3,y\n4,F\n5,maybe\n",
        {"types": {"a": "bool"}, "reject_limit": 1},
        4,
        [("1", True), ("2", False), ("3", True), ("4", False)],
        ['f.csv,6,a,maybe,"is not true or false (nor yes, no, 1, 0)","5,maybe"'],
        [],
    ),
    Good(
        "nearly",
        b"id,total\n" + b"".join(b"%d,%d\n" % (i, i) for i in range(300)) + b"x,abc\n",
        {},
        301,
        [("299", "299"), ("x", "abc")],
        [],
        [
            "total: 1 of 301 values is not a number (first: 'abc' at line 302): read as text; to read as number and reject those rows write types: {total: number}, or, if 'abc' means no value, missing: ['abc']"
        ],
    ),
    Good(
        "nearly told",
        b"id,total\n" + b"".join(b"%d,%d\n" % (i, i) for i in range(300)) + b"x,abc\n",
        {"types": {"total": "number"}},
        300,
        [("298", 298.0), ("299", 299.0)],
        ['f.csv,302,total,abc,is not a number,"x,abc"'],
        [],
    ),
    Good(
        "missing words",
        b"id,a,b\n1,Select,?\n2,x,5\n",
        {"missing": ["Select", "?"]},
        2,
        [("1", None, None), ("2", "x", 5.0)],
        [],
        [],
    ),
    Good(
        "iso",
        b"id,at\na,2026-01-31\nb,2026-01-31T10:15:00Z\nc,2026-01-31 10:15:00.123+02:00\nd,2026/01/31 10:15\n",
        EVENT,
        4,
        [
            ("a", "2026-01-31 00:00:00", "x"),
            ("b", "2026-01-31 10:15:00", "x"),
            ("c", "2026-01-31 08:15:00.123000", "x"),
            ("d", "2026-01-31 10:15:00", "x"),
        ],
        [],
        [],
    ),
    Good(
        "dmy",
        b"id,at\na,31/01/2026 10:15\nb,01/02/2026 9:05:01\n",
        EVENT,
        2,
        [("a", "2026-01-31 10:15:00", "x"), ("b", "2026-02-01 09:05:01", "x")],
        [],
        ["at: times as %d/%m/%Y %H:%M or %d/%m/%Y %H:%M:%S (day first)"],
    ),
    Good(
        "mdy",
        b"id,at\na,01/31/2026 1:15 PM\nb,2/1/2026 9:05 am\n",
        EVENT,
        2,
        [("a", "2026-01-31 13:15:00", "x"), ("b", "2026-02-01 09:05:00", "x")],
        [],
        ["at: times as %m/%d/%Y %I:%M %p (month first)"],
    ),
    Good(
        "same",
        b"id,at\na,01/01/2026\nb,02/02/2026\n",
        EVENT,
        2,
        [("a", "2026-01-01 00:00:00", "x"), ("b", "2026-02-02 00:00:00", "x")],
        [],
        ["at: times as %d/%m/%Y (day first)"],
    ),
    Good(
        "told dmy",
        b"id,at\na,01/02/2026\nb,03/04/2026\n",
        dict(EVENT, dates="day_first"),
        2,
        [("a", "2026-02-01 00:00:00", "x"), ("b", "2026-04-03 00:00:00", "x")],
        [],
        ["at: times as %d/%m/%Y (day first)"],
    ),
    Good(
        "told mdy",
        b"id,at\na,01/02/2026\nb,03/04/2026\n",
        dict(EVENT, dates="month_first"),
        2,
        [("a", "2026-01-02 00:00:00", "x"), ("b", "2026-03-04 00:00:00", "x")],
        [],
        ["at: times as %m/%d/%Y (month first)"],
    ),
    Good(
        "told format",
        b"id,at\na,2026.02.01\nb,2026.03.04\n",
        dict(EVENT, dates="%Y.%d.%m"),
        2,
        [("a", "2026-01-02 00:00:00", "x"), ("b", "2026-04-03 00:00:00", "x")],
        [],
        ["at: times as %Y.%d.%m"],
    ),
    Good(
        "dots",
        b"id,at\na,01.02.2026\nb,03.04.26 10:15\n",
        EVENT,
        2,
        [("a", "2026-02-01 00:00:00", "x"), ("b", "2026-04-03 10:15:00", "x")],
        [],
        ["at: times as %d.%m.%Y or %d.%m.%y %H:%M"],
    ),
    Good(
        "jira",
        b"id,at\na,30/Sep/21 17:20\nb,1/May/70 7:01\n",
        EVENT,
        2,
        [("a", "2021-09-30 17:20:00", "x"), ("b", "1970-05-01 07:01:00", "x")],
        [],
        ["at: times as %d/%B/%y %H:%M or %d/%b/%y %H:%M"],
    ),
    Good(
        "mon d y",
        b'id,at\na,"Jan 31, 2026"\nb,"March 1, 2026 10:15 PM"\n',
        EVENT,
        2,
        [("a", "2026-01-31 00:00:00", "x"), ("b", "2026-03-01 22:15:00", "x")],
        [],
        ["at: times as %B %d, %Y or %B %d, %Y %I:%M %p or %b %d, %Y or %b %d, %Y %I:%M %p"],
    ),
    Good(
        "rfc",
        b'id,at\na,"Sat, 31 Jan 2026 10:15:00 +0200"\n',
        EVENT,
        1,
        [("a", "2026-01-31 08:15:00", "x")],
        [],
        ["at: times as %a, %d %B %Y %H:%M:%S %z or %a, %d %b %Y %H:%M:%S %z"],
    ),
    Good(
        "two digit",
        b"id,at\na,31/12/68\nb,31/12/69\n",
        EVENT,
        2,
        [("a", "2068-12-31 00:00:00", "x"), ("b", "1969-12-31 00:00:00", "x")],
        [],
        ["at: times as %d/%m/%y (day first)"],
    ),
    Good(
        "unix",
        b"id,at\na,1717171717\nb,1717171717000\nc,1717171717.5\n",
        dict(EVENT, dates="unix"),
        3,
        [
            ("a", "2024-05-31 16:08:37", "x"),
            ("b", "2024-05-31 16:08:37", "x"),
            ("c", "2024-05-31 16:08:37.500000", "x"),
        ],
        [],
        [],
    ),
    Good(
        "empty time",
        lots(b"%d,2026-01-01\n", 200, b"id,at\n") + b"x,\n",
        EVENT,
        200,
        [("198", "2026-01-01 00:00:00", "x"), ("199", "2026-01-01 00:00:00", "x")],
        ['f.csv,202,at,,is empty,"x,"'],
        [],
    ),
    Good(
        "range",
        lots(b"%d,2026-01-01\n", 200, b"id,at\n") + b"x,1500-01-01\n",
        dict(EVENT, reject_limit=0.02),
        200,
        [("198", "2026-01-01 00:00:00", "x"), ("199", "2026-01-01 00:00:00", "x")],
        ['f.csv,202,at,1500-01-01,is outside the years 1678 to 2261,"x,1500-01-01"'],
        [],
    ),
    Good(
        "feb 30",
        lots(b"%d,2026-01-01\n", 200, b"id,at\n") + b"x,2026-02-30\n",
        dict(EVENT, reject_limit=0.02),
        200,
        [("198", "2026-01-01 00:00:00", "x"), ("199", "2026-01-01 00:00:00", "x")],
        ['f.csv,202,at,2026-02-30,is not a time,"x,2026-02-30"'],
        [],
    ),
    Good(
        "attr both",
        b"id,d\na,31/01/2026\nb,01/31/2026\n",
        {},
        2,
        [("a", "31/01/2026"), ("b", "01/31/2026")],
        [],
        ["d: mixes dates with the day first (31/01/2026) and with the month first (01/31/2026): read as text"],
    ),
    Good(
        "tz",
        b"id,at\na,2026-07-01 10:00\nb,2026-07-01 10:00Z\nc,2026-07-01 10:00+00:00\n",
        dict(EVENT, timezone="Europe/Berlin"),
        3,
        [("a", "2026-07-01 08:00:00", "x"), ("b", "2026-07-01 10:00:00", "x"), ("c", "2026-07-01 10:00:00", "x")],
        [],
        [],
    ),
    Good(
        "tz dmy",
        b"id,at\na,31/07/2026 10:00\nb,31/07/2026 10:00 UTC\nc,31/07/2026 10:00 +05:00\n",
        dict(EVENT, timezone="Europe/Berlin"),
        3,
        [("a", "2026-07-31 08:00:00", "x"), ("b", "2026-07-31 10:00:00", "x"), ("c", "2026-07-31 05:00:00", "x")],
        [],
        ["at: times as %d/%m/%Y %H:%M or %d/%m/%Y %H:%M %Z or %d/%m/%Y %H:%M %z (day first)"],
    ),
    Good(
        "late type",
        b"id,a\n" + b"".join(b"%d,%d\n" % (i, i) for i in range(25000)) + b"x,abc\n",
        {},
        25001,
        [("24999", "24999"), ("x", "abc")],
        [],
        [
            "a: 1 of 25,001 values is not a number (first: 'abc' at line 25002): read as text; to read as number and reject those rows write types: {a: number}, or, if 'abc' means no value, missing: ['abc']"
        ],
    ),
    Good(
        "late sparse",
        b"id,a\n" + b"".join(b"%d,\n" % i for i in range(25000)) + b"x,5\ny,7\n",
        {},
        25002,
        [("x", 5.0), ("y", 7.0)],
        [],
        [],
    ),
    Good("columns list", b"id,a,b\n1,2,3\n", {"columns": ["b"]}, 1, [("1", 3.0)], [], []),
    Good("columns map", b"id,A b,c\n1,2,3\n", {"columns": {"x": "A b"}}, 1, [("1", 2.0)], [], []),
]


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.name)
def test_refused(case: Case, read_csv: Reader, engine: DuckDBEngine) -> None:
    with pytest.raises(DataError) as caught:
        read_csv(case.content, **case.spec)
    assert str(caught.value).splitlines() == case.message
    assert caught.value.exit_code == 4
    assert left_over(engine) == []


@pytest.mark.parametrize("case", READS, ids=lambda case: case.name)
def test_read(case: Good, read_csv: Reader) -> None:
    result = read_csv(case.content, **case.spec)
    shown = [tuple(v.isoformat(" ") if hasattr(v, "isoformat") else v for v in row) for row in result.rows]
    assert result.reading.rows == len(shown) == case.count
    assert shown[-len(case.rows) :] == case.rows if case.rows else shown == []
    assert [line[:80] for line in result.rejects] == case.rejects
    assert result.notes == case.notes


@pytest.mark.parametrize("case", READS, ids=lambda case: case.name)
def test_a_look_finds_the_columns(case: Good, folder: Path) -> None:
    described = look(case, folder)
    assert all(
        told in {str(column.type) for column in described.columns} for told in case.spec.get("types", {}).values()
    )
    width = len(case.rows[0]) if case.rows else 0
    assert len(described.roles) + len(described.columns) + ("event" in case.spec) >= width


@pytest.mark.parametrize("case", FAULTS, ids=lambda case: case.name)
def test_a_look_finds_the_faults(case: Case, folder: Path) -> None:
    """All but rejected rows, which only reading finds."""
    if "cannot be read" in case.message[1]:
        assert look(case, folder).columns or "lead" in case.spec
        return
    with pytest.raises(DataError) as caught:
        look(case, folder)
    assert str(caught.value).splitlines() == case.message


def look(case: Case | Good, folder: Path) -> Described:
    (folder / "f.csv").write_bytes(case.content)
    key = {} if "lead" in case.spec else {"id": "id"}
    return describe("src", SourceSpec(csv="f.csv", **key, **case.spec), folder)


def test_too_many_is_a_kind_of_its_own(read_csv: Reader, folder: Path) -> None:
    with pytest.raises(TooManyRejects):
        read_csv("id,a\n1,2,3\n")
    assert (folder / "rejects" / "src.csv").read_text(encoding="utf-8").splitlines() == [
        "file,line,column,value,reason,row",
        'f.csv,2,,,"has 3 cells, the header has 2","1,2,3"',
    ]


def test_rejects_file_goes_when_the_rows_are_mended(read_csv: Reader, folder: Path) -> None:
    assert read_csv(lots(b"%d,x\n") + b"1,2,3\n").reading.rejects_file == folder / "rejects" / "src.csv"
    assert read_csv(lots(b"%d,x\n")).reading.rejects_file is None
    assert not (folder / "rejects" / "src.csv").exists()
