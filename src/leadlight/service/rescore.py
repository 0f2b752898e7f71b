"""Score the leads that something happened to, and keep the scores as `score` does: the same statement, fewer rows.

In a store of one file without indexes, every statement would read through all events, attributes and leads, some of
them several times. So the rows of whoever is concerned are gathered first, once for all scorecards, into tables of the
same shape that the statements read instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlglot import exp

from leadlight.engines.base import Engine
from leadlight.expr import build
from leadlight.features.moment import Moment
from leadlight.scorecards.among import excluded_statement
from leadlight.scorecards.compile import Options, score_statement
from leadlight.scorecards.past import continues
from leadlight.scorecards.score import keep_scores
from leadlight.service import at_hand
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.store.sizes import note_sizes
from leadlight.store.sql import Sql, fill

CHANGED = "live_changed"
"""The temporary table of (lead, as_of) that are scored again."""
CHANGED_ACCOUNTS = "live_changed_accounts"
"""That of (account, as_of): the accounts of those leads, and others of which something new is known."""
CONCERNED = "live_concerned"
"""The leads whose rows the statements may read: those that are scored again, and all others of their accounts."""
SCORED = "live_scored"
WHENEVER = datetime(1970, 1, 1)  # noqa: DTZ001 - only its place in the statement is of use

GATHERED: Mapping[str, Sql] = {
    table: fill(
        "{owner} IN (SELECT {owner} FROM {among})",
        owner=owner,
        among={"lead": CONCERNED, "account": CHANGED_ACCOUNTS}[owner],
    )
    for table, owner in (("events", "lead"), ("attributes", "lead"), ("leads", "lead"), ("outcomes", "lead"),
                         ("account_attributes", "account"))
}  # fmt: skip
"""The tables that are gathered, and which rows of them."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What scores by a scorecard."""

    text: str
    tables: frozenset[str]
    """The tables that it reads gathered."""
    names: frozenset[str]
    """The columns that it reads, whatever table they are of."""
    types: frozenset[str] | None
    """The only types of events that it looks at; None where it may look at any."""
    is_prepared: bool
    """Whether the as-of is its parameter."""


def note_changed(engine: Engine) -> None:
    """Note that the leads the calls are of, and those `touched`, are to be scored again; call it when all is stored."""
    engine.execute(
        "INSERT INTO live_unscored SELECT lead, NULL FROM (SELECT lead FROM touched UNION "
        "SELECT lead FROM live_named) WHERE lead NOT IN "
        "(SELECT lead FROM live_unscored WHERE lead IS NOT NULL)"
    )
    engine.execute("INSERT INTO live_unscored SELECT NULL, account FROM touched_accounts")
    at_hand.let_go(engine)


def gather_changed(engine: Engine, as_of: datetime) -> int:
    """Make `live_changed` of those who are to be scored again, as far as they are known people; return how many.

    Accounts that are to be scored themselves count, too.
    """
    engine.execute(
        fill(
            "CREATE OR REPLACE TEMP TABLE {changed} AS SELECT lead, ?::TIMESTAMP AS as_of FROM leads "
            "WHERE created_at <= ? AND lead IN (SELECT lead FROM live_unscored)",
            changed=CHANGED,
        ),
        [as_of, as_of],
    )
    note_sizes(engine, CHANGED)
    counted = fill(
        "SELECT (SELECT count(*) FROM {changed}) + (SELECT count(DISTINCT account) FROM live_unscored)", changed=CHANGED
    )
    return int(engine.rows(counted)[0][0])


def rescore(
    engine: Engine, workspace: ResolvedWorkspace, as_of: datetime, *, run: int, received: datetime | None = None
) -> int:
    """Score whoever stands in `live_changed`, and their accounts, by all scorecards; return how many scores.

    `received` is when the first call came that they changed by. Changes of grade are silent where the scorecard was
    edited and nobody was scored by it yet.
    """
    gather_accounts(engine, as_of)
    leave_out_excluded(engine, workspace, as_of)
    cards = [(card, continues(engine, card, as_of)) for card in workspace.scorecards.values()]
    gathers, dialect = engine.capabilities.one_file, engine.capabilities.dialect
    statements = [_statement(_Same(workspace, card), past, gathers, dialect) for card, past in cards]
    tables = gather(engine, statements)
    count = 0
    for (card, past), statement in zip(cards, statements, strict=True):
        scored = fill("CREATE OR REPLACE TEMP TABLE {to} AS {text}", to=SCORED, text=Sql(statement.text))
        engine.execute(scored, [as_of] if statement.is_prepared else [])
        count += keep_scores(
            engine, workspace, card, SCORED, run=run, as_of=as_of, now=as_of, silent=not past, received=received
        )[0]
    for table in tables:
        engine.execute(fill("DROP TABLE {table}", table=_gathered(table)))
    return count


def gather_accounts(engine: Engine, as_of: datetime) -> None:
    """Make `live_changed_accounts` of the accounts of `live_changed`, and those that are to be scored themselves."""
    engine.execute(
        fill(
            "CREATE OR REPLACE TEMP TABLE {accounts} AS SELECT account, ?::TIMESTAMP AS as_of FROM ("
            "SELECT account FROM attributes WHERE account IS NOT NULL AND lead IN (SELECT lead FROM {changed}) "
            "UNION SELECT account FROM live_unscored WHERE account IS NOT NULL) t",
            accounts=CHANGED_ACCOUNTS,
            changed=CHANGED,
        ),
        [as_of],
    )
    note_sizes(engine, CHANGED_ACCOUNTS)


def leave_out_excluded(engine: Engine, workspace: ResolvedWorkspace, as_of: datetime) -> None:
    """Take those out of `live_changed` who are never scored, before all that they did is added up in vain.

    Not where to find them is to read everybody's attributes and outcomes: scoring leaves them out by itself.
    """
    text = None if engine.capabilities.one_file else _excluded(_Same(workspace), engine.capabilities.dialect)
    if text is not None:
        out = fill("DELETE FROM {changed} WHERE lead IN ({excluded})", changed=CHANGED, excluded=Sql(text))
        engine.execute(out, [as_of])
        note_sizes(engine, CHANGED)


def gather(engine: Engine, statements: Sequence[Statement]) -> list[str]:
    """Make the tables that the statements read gathered; return whose rows they have."""
    tables = sorted({table for statement in statements for table in statement.tables})
    if not tables:
        return []
    engine.execute(
        fill(
            "CREATE OR REPLACE TEMP TABLE {concerned} AS SELECT lead FROM {changed} UNION "
            "SELECT lead FROM attributes WHERE account IN (SELECT account FROM {accounts})",
            concerned=CONCERNED,
            changed=CHANGED,
            accounts=CHANGED_ACCOUNTS,
        )
    )
    names = {name.lower() for statement in statements for name in statement.names}
    for table in tables:
        columns = [name for name in engine.columns(table) if name.lower() in names]
        if table == "events":
            at_hand.gather_events(engine, _gathered(table), columns, of=CONCERNED, types=_types_of_all(statements))
            continue
        engine.execute(
            fill(
                "CREATE OR REPLACE TEMP TABLE {to} AS SELECT {columns} FROM {table} WHERE {rows}",
                to=_gathered(table),
                columns=columns,
                table=table,
                rows=GATHERED[table],
            )
        )
    return tables


def _types_of_all(statements: Sequence[Statement]) -> frozenset[str] | None:
    types = [statement.types for statement in statements if "events" in statement.tables]
    return None if None in types else frozenset[str]().union(*(found for found in types if found is not None))


def _gathered(table: str) -> str:
    return f"live_of_{table}"


class _Same:
    """A key of a cache: equal to itself only."""

    def __init__(self, workspace: ResolvedWorkspace, scorecard: ResolvedScorecard | None = None) -> None:
        self.workspace, self.scorecard = workspace, scorecard

    def __hash__(self) -> int:
        return hash((id(self.workspace), id(self.scorecard)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and (other.workspace is self.workspace and other.scorecard is self.scorecard)


@lru_cache(maxsize=32)
def _statement(of: _Same, grade_history: bool, gathers: bool, dialect: str) -> Statement:
    """Compile once what is asked again and again."""
    assert of.scorecard is not None
    card, options = of.scorecard, Options(contributions=False, grade_history=grade_history)
    among = CHANGED if card.spec.of == "lead" else CHANGED_ACCOUNTS
    # Columns of gathered rows are joined fastest. An engine that goes by what it knows of its tables must be told when.
    moment = Moment(table=among) if gathers else Moment(as_of=WHENEVER, prepared=True, only_in=among)
    tree = score_statement(of.workspace, card, moment, options)
    read = [table for table in tree.find_all(exp.Table) if gathers and table.name in GATHERED]
    tables = frozenset(table.name for table in read)
    for table in read:
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(table.name, quoted=True)))
        table.set("this", exp.to_identifier(_gathered(table.name), quoted=True))
    names = frozenset(column.name for column in tree.find_all(exp.Column))
    return Statement(build.to_text(tree, dialect), tables, names, _types_read(tree), moment.prepared)


@lru_cache(maxsize=8)
def _excluded(of: _Same, dialect: str) -> str | None:
    tree = excluded_statement(of.workspace, Moment(as_of=WHENEVER, prepared=True, only_in=CHANGED))
    return None if tree is None else build.to_text(tree, dialect)


def _types_read(tree: exp.Expr) -> frozenset[str] | None:
    """Return the types of events that a statement looks at; None where a pass over them names none."""
    found = frozenset[str]()
    for select in tree.find_all(exp.Select):
        sources = [select.args.get("from_"), *(select.args.get("joins") or [])]
        if not any(source is not None and source.this.name == _gathered("events") for source in sources):
            continue
        named = [_types_named(term) for term in _terms(select.args.get("where"))]
        if not any(named):
            return None
        found |= next(types for types in named if types)
    return found


def _terms(where: exp.Where | None) -> list[exp.Expr]:
    """Return the conditions that all have to be true."""
    if where is None:
        return []
    return list(where.this.flatten()) if isinstance(where.this, exp.And) else [where.this]


def _types_named(term: exp.Expr) -> frozenset[str]:
    """Return the types of which an event has to be for the term to be true, none where it may be of any.

    >>> from sqlglot import parse_one
    >>> sorted(_types_named(parse_one("CASE e.type WHEN 'a' THEN true WHEN 'b' THEN true ELSE false END")))
    ['a', 'b']
    >>> _types_named(parse_one("e.type = 'a'")), _types_named(parse_one("e.path = 'a'"))
    (frozenset({'a'}), frozenset())
    """
    match term:
        case exp.Paren():
            return _types_named(term.this)
        case exp.EQ(this=exp.Column() as column, expression=exp.Literal() as label) if column.name == "type":
            return frozenset({label.name})
        case exp.Case(this=exp.Column() as column) if column.name == "type":
            otherwise = term.args.get("default")
            sure = isinstance(otherwise, exp.Boolean) and not otherwise.this
            labels = [branch.this for branch in term.args["ifs"]]
            named = sure and all(isinstance(label, exp.Literal) for label in labels)
            return frozenset(label.name for label in labels) if named else frozenset()
        case _:
            return frozenset()
