"""Wrong and hostile texts: each is refused with exactly these words, in exactly these places, and nothing else."""

# ruff: noqa: E501 - a message on one line is easier to compare with what a user sees
from __future__ import annotations

import time

import pytest

from leadlight.expr.functions import FUNCTIONS
from leadlight.expr.parse import ExpressionError, parse_condition
from leadlight.expr.types import Type

NAMES = {
    "employees": Type.NUMBER,
    "clicks": Type.NUMBER,
    "crm": Type.TEXT,
    "path": Type.TEXT,
    "free_mail": Type.BOOL,
    "created_at": Type.TIME,
    "order": Type.NUMBER,
}
KNOWN = "clicks, created_at, crm, employees, free_mail, order, path"
FUNCTIONS_KNOWN = ", ".join(sorted(FUNCTIONS))
ALLOWED = "allowed are and, or, not, = <> < <= > >=, between, in, like, is null, + - * / % ||, case, and functions"
ONE = "is not allowed: an expression is made of names, values and functions, without statements or subqueries"

CASES = [
    ("", ["1:1: nothing is written here"]),
    ("   \n\t", ["1:1: nothing is written here"]),
    (
        "crm = 'x'; drop table leads",
        [
            "1:10: ';' is not used here: one expression is all there is: statements and ; are not allowed",
            f"1:12: 'drop' {ONE}",
        ],
    ),
    ("crm = 'x' -- and employees > 5", ["1:11: comments are not allowed inside an expression"]),
    ("crm = 'x' /* hm */ and free_mail", ["1:11: comments are not allowed inside an expression"]),
    ("/* crm", ["1:1: the comment does not end: a closing */ is missing"]),
    ("crm = 'x", ["1:7: the text that begins here does not end: a closing ' is missing"]),
    ('crm = "x', ['1:7: the quoted name that begins here does not end: a closing " is missing']),
    (
        "crm = 'a' or 1=1; --",
        [
            "1:17: ';' is not used here: one expression is all there is: statements and ; are not allowed",
            "1:19: comments are not allowed inside an expression",
        ],
    ),
    ("select 1", [f"1:1: 'select' {ONE}"]),
    ("(select password from users)", [f"1:2: 'select' {ONE}"]),
    ("crm in (select crm from leads)", [f"1:9: 'select' {ONE}"]),
    ("exists (select 1)", [f"1:1: 'exists' {ONE}"]),
    ("employees > (select max(employees) from leads)", [f"1:14: 'select' {ONE}"]),
    ("1 union select 2", [f"1:3: 'union' {ONE}"]),
    ("employees > 5 limit 1", [f"1:15: 'limit' {ONE}"]),
    ("free_mail where free_mail", [f"1:11: 'where' {ONE}"]),
    (
        "count(*) > 5",
        [
            "1:1: there is no function 'count': an expression sees one lead, so it adds nothing up: make a feature (count, sum, …) and use its name",
            "1:7: * stands between two numbers: name the value you want",
        ],
    ),
    (
        "sum(employees) > 5",
        [
            "1:1: there is no function 'sum': an expression sees one lead, so it adds nothing up: make a feature (count, sum, …) and use its name"
        ],
    ),
    (
        "max(employees) > 3",
        ["1:1: there is no function 'max': of values of one lead it is greatest or least; of events it is a feature"],
    ),
    (
        "row_number() over (order by employees) = 1",
        [
            "1:1: there is no function 'row_number': an expression sees one lead, so it cannot look at other rows",
            "1:14: 'over' is not allowed: an expression sees one lead, so it cannot look at other rows",
            f"1:20: 'order by' is not used here: {ALLOWED}",
        ],
    ),
    (
        "employees over (partition by crm)",
        [
            "1:11: 'over' is not allowed: an expression sees one lead, so it cannot look at other rows",
            f"1:17: 'partition by' is not used here: {ALLOWED}",
        ],
    ),
    (
        "leads.employees > 5",
        [
            f"1:1: there is no name 'leads': known: {KNOWN}",
            "1:6: '.' is not used here: names stand alone, without a table; numbers begin with a digit (0.5)",
        ],
    ),
    (
        '"leads"."employees" > 5',
        [
            f"1:1: there is no name 'leads' (text is written in single quotes: 'leads'): known: {KNOWN}",
            "1:8: '.' is not used here: names stand alone, without a table; numbers begin with a digit (0.5)",
        ],
    ),
    ("employees > ?", ["1:13: '?' is not used here: parameters are not allowed: write the value"]),
    ("employees > $1", ["1:13: '$' is not used here: parameters are not allowed: write the value"]),
    (
        "employees > :limit",
        ["1:13: ':' is not used here: parameters are not allowed: write the value", f"1:14: 'limit' {ONE}"],
    ),
    (
        "employees > @x",
        [
            "1:13: '@' is not used here: parameters are not allowed: write the value",
            f"1:14: there is no name 'x': known: {KNOWN}",
        ],
    ),
    ("*", ["1:1: * stands between two numbers: name the value you want"]),
    (
        "count(distinct crm)",
        [
            "1:1: there is no function 'count': an expression sees one lead, so it adds nothing up: make a feature (count, sum, …) and use its name",
            "1:7: 'distinct' is not allowed: an expression sees one lead, so it cannot look at other rows",
        ],
    ),
    ("read_csv('/etc/passwd')", [f"1:1: there is no function 'read_csv': known: {FUNCTIONS_KNOWN}"]),
    (
        "read_text('/etc/passwd') = 'x'",
        [f"1:1: there is no function 'read_text': did you mean greatest(value, value, …)? Known: {FUNCTIONS_KNOWN}"],
    ),
    ("getenv('HOME') = 'x'", [f"1:1: there is no function 'getenv': known: {FUNCTIONS_KNOWN}"]),
    ("pg_sleep(10)", [f"1:1: there is no function 'pg_sleep': known: {FUNCTIONS_KNOWN}"]),
    ("version()", [f"1:1: there is no function 'version': known: {FUNCTIONS_KNOWN}"]),
    ("current_setting('x')", [f"1:1: there is no function 'current_setting': known: {FUNCTIONS_KNOWN}"]),
    ("nextval('s')", ["1:1: there is no function 'nextval': the same lead must get the same value every time"]),
    ("random() < 0.5", ["1:1: there is no function 'random': the same lead must get the same value every time"]),
    ("now() > created_at", ["1:1: there is no function 'now': use as_of, the moment the score is for"]),
    ("created_at < current_date", ["1:14: there is no 'current_date': use as_of, the moment the score is for"]),
    ("cast(crm as number)", ["1:1: there is no function 'cast': write try_cast(text as number)"]),
    (
        "crm::int > 5",
        ["1:4: '::' is not used here: write try_cast(text as number)", f"1:6: there is no name 'int': known: {KNOWN}"],
    ),
    (
        "try_cast(crm as integer) > 5",
        ["1:17: 'integer' is not a type that text can be made: write try_cast(text as number)"],
    ),
    ("try_cast(crm as number", ["1:9: a closing parenthesis is missing: '(' is never closed"]),
    ("try_cast(crm)", ["1:1: try_cast needs as: write try_cast(text as number)"]),
    ("try_cast(employees as number) > 1", ["1:10: argument 1 of try_cast must be text, but 'employees' is a number"]),
    ("lower(crm as number) = ''", ["1:14: as stands only in try_cast(text as number)"]),
    ("employees == 5", ["1:11: '==' is not used here: write = to compare"]),
    ("employees > 5 && free_mail", ["1:15: '&&' is not used here: write and"]),
    ("free_mail || free_mail", ["1:1: || joins texts, and these are conditions: write or"]),
    ("!free_mail", ["1:1: '!' is not used here: write not"]),
    ("employees ** 2 > 4", ["1:11: '**' is not used here: write power(number, number)"]),
    ("employees ^ 2 > 4", ["1:11: '^' is not used here: write power(number, number)"]),
    ("crm ~ 'x'", ["1:5: '~' is not used here: write like"]),
    ("crm ~~ 'x%'", ["1:5: '~~' is not used here: write like"]),
    ("crm -> 'a'", [f"1:5: '->' is not used here: {ALLOWED}"]),
    (
        "crm['a']",
        [
            "1:4: '[' is not used here: lists stand in parentheses, after in",
            "1:8: ']' is not used here: lists stand in parentheses, after in",
        ],
    ),
    (
        "[1, 2]",
        [
            "1:1: '[' is not used here: lists stand in parentheses, after in",
            "1:6: ']' is not used here: lists stand in parentheses, after in",
        ],
    ),
    (
        "{'a': 1}",
        [
            f"1:1: '{{' is not used here: {ALLOWED}",
            "1:5: ':' is not used here: parameters are not allowed: write the value",
            f"1:8: '}}' is not used here: {ALLOWED}",
        ],
    ),
    ("employees // 2 > 1", ["1:11: '//' is not used here: write floor(number / number)"]),
    (
        "`crm` = 'x'",
        [
            "1:1: the quote ` is not understood: write names without quotes or in double quotes",
            "1:5: the quote ` is not understood: write names without quotes or in double quotes",
        ],
    ),
    ("crm = “x”", ["1:7: the quote “ is not understood: write text in straight single quotes, 'like this'"]),
    ("crm = ‘x’", ["1:7: the quote ‘ is not understood: write text in straight single quotes, 'like this'"]),
    (
        "сrm = 'x'",
        [f"1:1: there is no name 'сrm' (it holds U+0441 CYRILLIC SMALL LETTER ES): did you mean 'crm'? Known: {KNOWN}"],
    ),
    (
        "crm = 'x' and еmployees > 5",
        [
            f"1:15: there is no name 'еmployees' (it holds U+0435 CYRILLIC SMALL LETTER IE): did you mean 'employees'? Known: {KNOWN}"
        ],
    ),
    ("crm\u200b = 'x'", ["1:1: 'crm\\u200b' is not understood: it holds U+200B ZERO WIDTH SPACE"]),
    ("crm = 'a\x00b'", ["1:9: the character U+0000 is not allowed"]),
    ("\x00", ["1:1: the character U+0000 is not allowed"]),
    ("crm = 'a\ud800'", ["1:9: the character U+D800 is not allowed"]),
    ("\x1b[31mcrm", ["1:1: the character U+001B is not allowed"]),
    ("crm = e'a\\n'", ["1:7: \"e'a\\\\n'\" is not understood: write text in plain single quotes, 'like this'"]),
    ("crm = $$x$$", ["1:7: '$$x$$' is not understood: write text in plain single quotes, 'like this'"]),
    (
        "crm = U&'x'",
        [
            f"1:7: there is no name 'U' (text is written in single quotes: 'U'): known: {KNOWN}",
            "1:8: '&' is not used here: write and",
        ],
    ),
    (
        "crm = x'ff'",
        [
            f"1:7: there is no name 'x' (text is written in single quotes: 'x'): known: {KNOWN}",
            "1:8: an operator is missing between 'x' and \"'ff'\"",
        ],
    ),
    ("employees > 1e999", ["1:13: '1e999' is too large for a number"]),
    ("employees > 1_000", ["1:13: '1_000' is no number: write it like 1000, 0.5 or 1e6"]),
    (
        "employees > 0x10",
        [f"1:14: there is no name 'x10': known: {KNOWN}", "1:14: an operator is missing between '0' and 'x10'"],
    ),
    (
        "employees > .5",
        ["1:13: '.' is not used here: names stand alone, without a table; numbers begin with a digit (0.5)"],
    ),
    (
        "employees > 5.5.5",
        ["1:16: '.' is not used here: names stand alone, without a table; numbers begin with a digit (0.5)"],
    ),
    ("employees > 5 5", ["1:15: an operator is missing between '5' and '5'"]),
    (
        "employees > 12abc",
        [f"1:15: there is no name 'abc': known: {KNOWN}", "1:15: an operator is missing between '12' and 'abc'"],
    ),
    ("employes > 5", [f"1:1: there is no name 'employes': did you mean 'employees'? Known: {KNOWN}"]),
    ("EMPLOYES > 5", [f"1:1: there is no name 'EMPLOYES': did you mean 'employees'? Known: {KNOWN}"]),
    (
        "crm = salesforce",
        [f"1:7: there is no name 'salesforce' (text is written in single quotes: 'salesforce'): known: {KNOWN}"],
    ),
    (
        'crm = "salesforce"',
        [f"1:7: there is no name 'salesforce' (text is written in single quotes: 'salesforce'): known: {KNOWN}"],
    ),
    ("lowr(crm) = 'x'", [f"1:1: there is no function 'lowr': did you mean lower(text)? Known: {FUNCTIONS_KNOWN}"]),
    ("startswith(crm)", ["1:1: startswith takes 2 arguments, found 1: write starts_with(text, text)"]),
    ("lower(crm, 'x') = ''", ["1:1: lower takes 1 argument, found 2: write lower(text)"]),
    ("round(employees, 2, 3) > 1", ["1:1: round takes 1 to 2 arguments, found 3: write round(number, digits)"]),
    ("round(employees, 1.5) > 1", ["1:18: argument 2 of round is a whole number from 0 to 15, written out"]),
    ("round(employees, clicks) > 1", ["1:18: argument 2 of round is a whole number from 0 to 15, written out"]),
    ("round(employees, 99) > 1", ["1:18: argument 2 of round is a whole number from 0 to 15, written out"]),
    ("substr(crm, 0, 1) = 'a'", ["1:13: argument 2 of substr is a whole number from 1 to 1000000, written out"]),
    ("substr(crm, -1) = 'a'", ["1:14: argument 2 of substr is a whole number from 1 to 1000000, written out"]),
    ("coalesce(employees) > 1", ["1:1: coalesce takes 2 to 20 arguments, found 1: write coalesce(value, value, …)"]),
    (
        "coalesce(employees, 'x') > 1",
        ["1:21: the arguments of coalesce must be of one type: 'employees' is a number and \"'x'\" is text"],
    ),
    (
        "coalesce(employees, null) > 1",
        ["1:21: argument 2 of coalesce cannot be null: missing values are found with is null, replaced with coalesce"],
    ),
    (
        "greatest(crm, 'x') = 'x'",
        [
            "1:10: argument 1 of greatest must be a number or a time, but 'crm' is text",
            "1:15: argument 2 of greatest must be a number or a time, but \"'x'\" is text",
        ],
    ),
    ("length(employees) > 5", ["1:8: argument 1 of length must be text, but 'employees' is a number"]),
    ("year(crm) > 2000", ["1:6: argument 1 of year must be a time, but 'crm' is text"]),
    (
        "days_between(created_at, '2024-01-01') > 5",
        ["1:26: argument 2 of days_between must be a time, but \"'2024-01-01'\" is text"],
    ),
    ("lower() = 'x'", ["1:1: lower takes 1 argument, found 0: write lower(text)"]),
    ("ln(free_mail) > 1", ["1:4: argument 1 of ln must be a number, but 'free_mail' is true or false"]),
    (
        "employees = '50'",
        ["1:1: 'employees' is a number and \"'50'\" is text, so they cannot be compared: write 50 without quotes"],
    ),
    ("employees = 'many'", ["1:1: 'employees' is a number and \"'many'\" is text, so they cannot be compared"]),
    ("crm = 5", ["1:1: 'crm' is text and '5' is a number, so they cannot be compared: write '5'"]),
    ("crm in ('a', 5)", ["1:1: 'crm' is text and '5' is a number, so they cannot be compared: write '5'"]),
    (
        "employees in (1, '2')",
        ["1:1: 'employees' is a number and \"'2'\" is text, so they cannot be compared: write 2 without quotes"],
    ),
    (
        "created_at > '2024-01-01'",
        [
            "1:1: 'created_at' is a time and \"'2024-01-01'\" is text, so they cannot be compared: write TIMESTAMP '2024-01-01'"
        ],
    ),
    (
        "created_at > 'yesterday'",
        ["1:1: 'created_at' is a time and \"'yesterday'\" is text, so they cannot be compared"],
    ),
    (
        "free_mail = 1",
        ["1:1: 'free_mail' is true or false and '1' is a number, so they cannot be compared: write true"],
    ),
    (
        "free_mail = 'true'",
        ["1:1: 'free_mail' is true or false and \"'true'\" is text, so they cannot be compared: write true"],
    ),
    ("employees = crm", ["1:1: 'employees' is a number and 'crm' is text, so they cannot be compared"]),
    ("crm > 'a'", ["1:1: 'crm' is text, and engines sort text differently: compare text with =, <>, in or like"]),
    (
        "crm between 'a' and 'b'",
        ["1:1: 'crm' is text, and engines sort text differently: compare text with =, <>, in or like"],
    ),
    (
        "free_mail > false",
        ["1:1: 'free_mail' is true or false, which has no order: write it alone, or with not before it"],
    ),
    (
        "least(crm, 'a') = 'a'",
        [
            "1:7: argument 1 of least must be a number or a time, but 'crm' is text",
            "1:12: argument 2 of least must be a number or a time, but \"'a'\" is text",
        ],
    ),
    ("crm = null", ["1:7: a comparison with null is never true: write is null or is not null"]),
    ("employees <> null", ["1:14: a comparison with null is never true: write is null or is not null"]),
    ("employees in (1, null)", ["1:18: a comparison with null is never true: write is null or is not null"]),
    ("employees not in (null)", ["1:19: a comparison with null is never true: write is null or is not null"]),
    (
        "null = null",
        [
            "1:1: a comparison with null is never true: write is null or is not null",
            "1:8: a comparison with null is never true: write is null or is not null",
        ],
    ),
    ("null and free_mail", ["1:1: 'null' is always missing, but 'and' needs conditions: leave it out"]),
    (
        "employees + null > 1",
        ["1:13: a value beside + cannot be null: missing values are found with is null, replaced with coalesce"],
    ),
    ("employees and free_mail", ["1:1: 'employees' is a number, but 'and' needs conditions: compare it, as in > 0"]),
    ("crm or free_mail", ["1:1: 'crm' is text, but 'or' needs conditions: compare it, as in = 'a'"]),
    ("not employees", ["1:5: 'employees' is a number, but 'not' needs conditions: compare it, as in > 0"]),
    ("employees + crm > 1", ["1:13: a value beside + must be a number, but 'crm' is text: texts are joined with ||"]),
    (
        "crm + 'x' = 'ax'",
        [
            "1:1: a value beside + must be a number, but 'crm' is text: texts are joined with ||",
            "1:7: a value beside + must be a number, but \"'x'\" is text: texts are joined with ||",
        ],
    ),
    (
        "created_at - created_at > 5",
        [
            "1:1: a value beside - must be a number, but 'created_at' is a time: write days_between(start, end)",
            "1:14: a value beside - must be a number, but 'created_at' is a time: write days_between(start, end)",
        ],
    ),
    ("created_at + 5 > created_at", ["1:1: a value beside + must be a number, but 'created_at' is a time"]),
    ("-crm = 'x'", ["1:2: the value after a minus must be a number, but 'crm' is text"]),
    ("crm || 5 = 'x5'", ["1:8: a value beside || must be text, but '5' is a number"]),
    ("crm is true", ["1:1: 'crm' is text, so it cannot be tested with is true"]),
    ("employees is 5", ["1:11: after is stands null, true or false, or not and one of them; else write ="]),
    ("employees is crm", ["1:11: after is stands null, true or false, or not and one of them; else write ="]),
    ("crm like 5", ["1:10: after like stands a pattern in single quotes, as in '/pricing%'"]),
    ("crm like path", ["1:10: after like stands a pattern in single quotes, as in '/pricing%'"]),
    ("employees like '5%'", ["1:1: the left side of like must be text, but 'employees' is a number"]),
    ("crm like 'a' escape 'ab'", ["1:10: escape is one character, other than % and _; found 'ab'"]),
    ("crm like 'a' escape '%'", ["1:10: escape is one character, other than % and _; found '%'"]),
    ("crm like 'a!' escape '!'", ["1:10: the pattern 'a!' ends in its escape character"]),
    ("crm like 'a' escape crm", ["1:14: escape is followed by a character in quotes"]),
    ("crm similar to 'x'", [f"1:5: 'similar to' is not used here: {ALLOWED}"]),
    (
        "crm glob 'x'",
        [f"1:5: there is no name 'glob': known: {KNOWN}", "1:5: an operator is missing between 'crm' and 'glob'"],
    ),
    (
        "crm regexp 'x'",
        [f"1:5: there is no name 'regexp': known: {KNOWN}", "1:5: an operator is missing between 'crm' and 'regexp'"],
    ),
    (
        "regexp_matches(crm, '(a+)+$')",
        ["1:1: there is no function 'regexp_matches': write like, starts_with or contains"],
    ),
    (
        "case when employees then 1 end",
        ["1:11: 'employees' is a number, but 'when' needs conditions: compare it, as in > 0"],
    ),
    (
        "case when free_mail then 1 else 'x' end = 1",
        ["1:33: the values of a case must be of one type: '1' is a number and \"'x'\" is text"],
    ),
    ("case when free_mail then 1", ["1:1: end is missing: 'case' is never closed"]),
    ("case free_mail end", ["1:16: 'end' is out of place: write case when … then … else … end"]),
    ("case when free_mail 1 end", ["1:21: an operator is missing between 'free_mail' and '1'"]),
    (
        "case employees when 'a' then 1 end = 1",
        ["1:6: 'employees' is a number and \"'a'\" is text, so they cannot be compared"],
    ),
    ("else 1", ["1:1: a value is missing before 'else'"]),
    ("end", ["1:1: a value is missing before 'end'"]),
    ("when", ["1:1: a value is missing before 'when'"]),
    ("if(free_mail, 1, 2) = 1", ["1:1: there is no function 'if': write case when … then … else … end"]),
    ("employees >", ["1:12: a value is missing after '>'"]),
    ("> 5", ["1:1: a value is missing before '>'"]),
    ("employees > 5 and", ["1:18: a value is missing after 'and'"]),
    ("and", ["1:1: a value is missing before 'and'"]),
    ("employees > > 5", ["1:13: a value is missing before '>'"]),
    ("(employees > 5", ["1:1: a closing parenthesis is missing: '(' is never closed"]),
    ("employees > 5)", ["1:14: this closing parenthesis has no opening one"]),
    ("employees > (5", ["1:13: a closing parenthesis is missing: '(' is never closed"]),
    ("()", ["1:1: there is nothing between these parentheses"]),
    ("employees > 5 crm = 'x'", ["1:15: an operator is missing between '5' and 'crm'"]),
    (
        "employees > 5, crm = 'x'",
        ["1:14: a comma stands only between the arguments of a function or the values of a list"],
    ),
    ("(1, 2)", ["1:3: a comma stands only between the arguments of a function or the values of a list"]),
    ("coalesce(employees, ) > 1", ["1:21: a value is missing before ')'"]),
    ("coalesce(, employees) > 1", ["1:10: a value is missing before ','"]),
    ("employees in 5", ["1:11: in needs a list in parentheses, as in ('a', 'b')"]),
    ("employees in ()", ["1:14: there is nothing between these parentheses"]),
    ("employees in (1, 2", ["1:14: a closing parenthesis is missing: '(' is never closed"]),
    ("employees between 5", ["1:20: between needs and: write between 10 and 20"]),
    ("employees between 1 or 5", ["1:25: between needs and: write between 10 and 20"]),
    ("employees not 5", ["1:11: an operator is missing before 'not'"]),
    ("employees between 1 and", ["1:24: a value is missing after 'and'"]),
    (
        "lower crm",
        [
            f"1:1: there is no name 'lower': did you mean 'order'? Known: {KNOWN}",
            "1:7: an operator is missing between 'lower' and 'crm'",
        ],
    ),
    ("+employees > 1", ["1:1: a + stands between two values: leave it out here"]),
    ("employees in (clicks)", ["1:15: a list holds values written out; 'clicks' is none"]),
    (
        "employees is distinct from 5",
        ["1:14: 'distinct' is not allowed: an expression sees one lead, so it cannot look at other rows"],
    ),
    (
        "crm collate nocase = 'x'",
        [
            f"1:5: there is no name 'collate': known: {KNOWN}",
            "1:5: an operator is missing between 'crm' and 'collate'",
            f"1:13: there is no name 'nocase': known: {KNOWN}",
        ],
    ),
    (
        "interval '1 day' > 5",
        ["1:1: 'interval' is not allowed: write days_between(start, end) and compare it with a number of days"],
    ),
    (
        "created_at > current_timestamp - interval '7 days'",
        [
            "1:14: there is no 'current_timestamp': use as_of, the moment the score is for",
            "1:34: 'interval' is not allowed: write days_between(start, end) and compare it with a number of days",
        ],
    ),
    (
        "TIMESTAMP 'yesterday' < created_at",
        ["1:1: 'yesterday' is no time: write it like TIMESTAMP '2026-01-31 12:00:00'"],
    ),
    ("DATE '2024-02-30' < created_at", ["1:1: '2024-02-30' is no time: write it like TIMESTAMP '2026-01-31 12:00:00'"]),
    ("DATE '2024-1-1' < created_at", ["1:1: '2024-1-1' is no time: write it like TIMESTAMP '2026-01-31 12:00:00'"]),
    (
        "created_at > timestamp '99999-01-01'",
        ["1:14: '99999-01-01' is no time: write it like TIMESTAMP '2026-01-31 12:00:00'"],
    ),
    (
        "TIME '10:00' < created_at",
        [f"1:1: there is no name 'TIME': known: {KNOWN}", "1:6: an operator is missing between 'TIME' and \"'10:00'\""],
    ),
    (
        "extract(year from created_at) = 2024",
        [
            "1:1: there is no function 'extract': write year(…), month(…), day(…), hour(…) or weekday(…)",
            f"1:9: there is no name 'year': known: {KNOWN}",
            f"1:14: 'from' {ONE}",
        ],
    ),
    (
        "abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(abs(employees))))))))))))))))))))) > 1",
        ["1:77: this is nested too deep: 20 levels are allowed; make parts of it features of their own"],
    ),
    ("employees", ["1:1: a condition must be true or false; this is a number"]),
    ("crm", ["1:1: a condition must be true or false; this is text"]),
    ("created_at", ["1:1: a condition must be true or false; this is a time"]),
    ("null", ["1:1: a condition must be true or false; this is always missing"]),
    ("case when free_mail then null end", ["1:1: a condition must be true or false; this is always missing"]),
    ("'true'", ["1:1: a condition must be true or false; this is text"]),
    ("1", ["1:1: a condition must be true or false; this is a number"]),
    (
        "employes > 5 and crm > 'a' and lowr(crm) = 5\n  and clicks = 'x'",
        [
            f"1:1: there is no name 'employes': did you mean 'employees'? Known: {KNOWN}",
            "1:18: 'crm' is text, and engines sort text differently: compare text with =, <>, in or like",
            f"1:32: there is no function 'lowr': did you mean lower(text)? Known: {FUNCTIONS_KNOWN}",
            "2:7: 'clicks' is a number and \"'x'\" is text, so they cannot be compared",
        ],
    ),
    (
        "=cmd|' /C calc'!A0",
        [
            f"1:2: there is no name 'cmd': did you mean 'crm'? Known: {KNOWN}",
            "1:5: '|' is not used here: write or, or || to join texts",
            "1:16: '!' is not used here: write not",
            f"1:17: there is no name 'A0': known: {KNOWN}",
        ],
    ),
    (
        "{{7*7}}",
        [
            f"1:1: '{{' is not used here: {ALLOWED}",
            f"1:2: '{{' is not used here: {ALLOWED}",
            f"1:6: '}}' is not used here: {ALLOWED}",
            f"1:7: '}}' is not used here: {ALLOWED}",
        ],
    ),
    (
        "${jndi:ldap://x}",
        [
            "1:1: '$' is not used here: parameters are not allowed: write the value",
            f"1:2: '{{' is not used here: {ALLOWED}",
            f"1:3: there is no name 'jndi': known: {KNOWN}",
            "1:7: ':' is not used here: parameters are not allowed: write the value",
            f"1:8: there is no name 'ldap': known: {KNOWN}",
            "1:12: ':' is not used here: parameters are not allowed: write the value",
            "1:13: '//' is not used here: write floor(number / number)",
            f"1:15: there is no name 'x': known: {KNOWN}",
            f"1:16: '}}' is not used here: {ALLOWED}",
        ],
    ),
    (
        "<script>alert(1)</script>",
        [
            "1:1: a value is missing before '<'",
            f"1:2: there is no name 'script': known: {KNOWN}",
            f"1:9: there is no function 'alert': known: {FUNCTIONS_KNOWN}",
            f"1:19: there is no name 'script': known: {KNOWN}",
        ],
    ),
    (
        "../../etc/passwd",
        [
            "1:1: '.' is not used here: names stand alone, without a table; numbers begin with a digit (0.5)",
            "1:2: '.' is not used here: names stand alone, without a table; numbers begin with a digit (0.5)",
            "1:4: '.' is not used here: names stand alone, without a table; numbers begin with a digit (0.5)",
            "1:5: '.' is not used here: names stand alone, without a table; numbers begin with a digit (0.5)",
            f"1:7: there is no name 'etc': known: {KNOWN}",
            f"1:11: there is no name 'passwd': known: {KNOWN}",
        ],
    ),
    ("' or ''='", ["1:1: a condition must be true or false; this is text"]),
    ("'; attach 'x' as y; --", ["1:13: the text that begins here does not end: a closing ' is missing"]),
    ("crm = 'x' union all select null", [f"1:11: 'union' {ONE}"]),
    ("pragma database_list", [f"1:1: 'pragma' {ONE}"]),
    ("order by 1", [f"1:1: 'order by' is not used here: {ALLOWED}"]),
    ("set x = 1", [f"1:1: 'set' {ONE}"]),
    ("copy leads to 'x'", [f"1:1: 'copy' {ONE}"]),
    ("true; true", ["1:5: ';' is not used here: one expression is all there is: statements and ; are not allowed"]),
    (
        "free_mail\n;\ncall x()",
        [
            "2:1: ';' is not used here: one expression is all there is: statements and ; are not allowed",
            f"3:1: there is no name 'call': known: {KNOWN}",
            "3:6: comments are not allowed inside an expression",
        ],
    ),
    ("1/0", ["1:1: a condition must be true or false; this is a number"]),
    (
        "lambda x: x",
        [
            f"1:1: there is no name 'lambda': known: {KNOWN}",
            f"1:8: there is no name 'x': known: {KNOWN}",
            "1:9: ':' is not used here: parameters are not allowed: write the value",
            f"1:11: there is no name 'x': known: {KNOWN}",
        ],
    ),
    (
        "x -> x + 1",
        [
            f"1:1: there is no name 'x': known: {KNOWN}",
            f"1:3: '->' is not used here: {ALLOWED}",
            f"1:6: there is no name 'x': known: {KNOWN}",
        ],
    ),
    ("not", ["1:4: a value is missing after 'not'"]),
    ("* from leads", [f"1:3: 'from' {ONE}"]),
    (
        "leads.*",
        [
            f"1:1: there is no name 'leads': known: {KNOWN}",
            "1:6: '.' is not used here: names stand alone, without a table; numbers begin with a digit (0.5)",
        ],
    ),
    (
        "struct_pack(a := 1)",
        [
            f"1:1: there is no function 'struct_pack': known: {FUNCTIONS_KNOWN}",
            f"1:13: there is no name 'a': known: {KNOWN}",
            f"1:15: ':=' is not used here: {ALLOWED}",
        ],
    ),
    (
        "list_transform([1], x -> x)",
        [
            f"1:1: there is no function 'list_transform': known: {FUNCTIONS_KNOWN}",
            "1:16: '[' is not used here: lists stand in parentheses, after in",
            "1:18: ']' is not used here: lists stand in parentheses, after in",
            f"1:21: there is no name 'x': known: {KNOWN}",
            f"1:23: '->' is not used here: {ALLOWED}",
            f"1:26: there is no name 'x': known: {KNOWN}",
        ],
    ),
    (
        "crm.lower() = 'x'",
        ["1:4: '.' is not used here: names stand alone, without a table; numbers begin with a digit (0.5)"],
    ),
    ("columns('.*') > 1", [f"1:1: there is no function 'columns': known: {FUNCTIONS_KNOWN}"]),
    ("unnest(crm)", [f"1:1: there is no function 'unnest': known: {FUNCTIONS_KNOWN}"]),
    (
        "map {'a': 1}",
        [
            f"1:1: there is no name 'map': known: {KNOWN}",
            f"1:5: '{{' is not used here: {ALLOWED}",
            "1:9: ':' is not used here: parameters are not allowed: write the value",
            f"1:12: '}}' is not used here: {ALLOWED}",
        ],
    ),
    ("try_cast(crm as number) as x", ["1:25: as stands only in try_cast(text as number)"]),
    ("employees as x", ["1:11: as stands only in try_cast(text as number)"]),
]


def problems_of(text: str) -> list[str]:
    with pytest.raises(ExpressionError) as raised:
        parse_condition(text, NAMES)
    assert raised.value.text == text
    return [str(problem) for problem in raised.value.problems]


@pytest.mark.parametrize(("text", "messages"), CASES, ids=[ascii(text) for text, _ in CASES])
def test_refused(text, messages):
    assert problems_of(text) == messages


DEEP = "this is nested too deep: {} levels are allowed; make parts of it features of their own"
HUGE = [
    ("(" * 100_000 + "employees" + ")" * 100_000, "1:1: this is 200009 characters long; 20000 are allowed"),
    ("crm = '" + "x" * 30_000 + "'", "1:1: this is 30008 characters long; 20000 are allowed"),
    ("(" * 5_000 + "employees > 5" + ")" * 5_000, f"1:20: {DEEP.format(20)}"),
    ("(" * 9_000, f"1:20: {DEEP.format(20)}"),
    ("not " * 1_000 + "free_mail", f"1:77: {DEEP.format(20)}"),
    ("- " * 1_000 + "employees > 1", f"1:39: {DEEP.format(20)}"),
    ("abs(" * 21 + "employees" + ")" * 21 + " > 1", f"1:77: {DEEP.format(20)}"),
    ("case when free_mail then " * 25 + "1" + " end" * 25 + " = 1", f"1:476: {DEEP.format(20)}"),
    ("employees in (" * 25 + "1" + ")" * 25, f"1:277: {DEEP.format(20)}"),
    ("employees" + " + 1" * 100 + " > 1", f"1:1: {DEEP.format(60)}"),
    ("employees" + " = 1" * 4_000, f"1:1: {DEEP.format(60)}"),
    ("a" * 300 + " = 1", f"1:1: there is no name '{'a' * 57}…': known: {KNOWN}"),
    (
        f"least({', '.join(['employees'] * 21)}) > 1",
        "1:1: least takes 2 to 20 arguments, found 21: write least(value, value, …)",
    ),
]


@pytest.mark.parametrize(("text", "message"), HUGE, ids=[text[:20] for text, _ in HUGE])
def test_huge_texts_are_refused_at_once(text, message):
    started = time.monotonic()
    assert problems_of(text) == [message]
    assert time.monotonic() - started < 5


def test_as_many_problems_as_are_shown():
    found = problems_of(" or ".join(f"x{index} = 1" for index in range(60)))
    assert len(found) == 60
    with pytest.raises(ExpressionError) as raised:
        parse_condition(" or ".join(f"x{index} = 1" for index in range(60)), NAMES)
    assert str(raised.value).splitlines()[-1] == "… and 10 more"


def test_no_names_are_known():
    with pytest.raises(ExpressionError, match=r"^1:1: there is no name 'crm': none is known$"):
        parse_condition("crm is null", {})


@pytest.mark.parametrize("nesting", range(1, 21))
def test_nesting_up_to_the_limit_parses_from_within_a_deep_stack(nesting):
    def deeper(levels: int):
        return deeper(levels - 1) if levels else parse_condition("(" * nesting + "free_mail" + ")" * nesting, NAMES)

    if nesting < 20:
        assert deeper(200).type is Type.BOOL
    else:
        with pytest.raises(ExpressionError, match="nested too deep"):
            deeper(200)
