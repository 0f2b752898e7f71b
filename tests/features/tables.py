"""Tables of the documented shape, filled by hand, and specs as a user writes them over them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from leadlight.engines.duckdb import DuckDBEngine
from leadlight.expr import build
from leadlight.expr.types import Type
from leadlight.features.compile import feature_statement
from leadlight.features.moment import Moment
from leadlight.scorecards.compile import Options, score_statement
from leadlight.spec.catalog import Catalog
from leadlight.spec.load import Document, LoadedWorkspace
from leadlight.spec.models import ScorecardSpec, WorkspaceSpec
from leadlight.spec.resolve import resolve
from leadlight.spec.resolved import ResolvedWorkspace
from leadlight.spec.yaml import read_yaml


def day(text: str | datetime) -> datetime:
    """Read a moment, naive UTC."""
    return text if isinstance(text, datetime) else datetime.fromisoformat(text)


T, FOREVER = day("2026-03-01"), day("9999-12-31")
ARROW = {Type.NUMBER: pa.float64(), Type.TEXT: pa.string(), Type.BOOL: pa.bool_(), Type.TIME: pa.timestamp("us")}
TIME, TEXT, KEY = ARROW[Type.TIME], ARROW[Type.TEXT], pa.int32()

Row = Mapping[str, Any]


@dataclass
class Tables:
    """A store to be: what its columns are, and its rows, added one by one."""

    attributes: Mapping[str, Type] = field(default_factory=dict)
    account_attributes: Mapping[str, Type] = field(default_factory=dict)
    properties: Mapping[str, Type] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def lead(
        self, lead: int, *, created: str | datetime = "2026-01-01", account: str | None = None, **values: Any
    ) -> Tables:
        """Add a lead (its id is L and its number) and what is known of it since it exists."""
        self._add("leads", lead=lead, id=f"L{lead}", created_at=day(created))
        return self.known(lead, created, account=account, **values)

    def known(
        self,
        lead: int,
        since: str | datetime,
        until: str | datetime = FOREVER,
        *,
        account: str | None = None,
        **values: Any,
    ) -> Tables:
        """Add a period in which this was known of a lead."""
        return self._add(
            "attributes", lead=lead, known_at=day(since), known_until=day(until), account=account, **values
        )

    def account(
        self, account: str, since: str | datetime = "1900-01-01", until: str | datetime = FOREVER, **values: Any
    ) -> Tables:
        """Add a period in which this was known of an account."""
        return self._add("account_attributes", account=account, known_at=day(since), known_until=day(until), **values)

    def event(self, lead: int, kind: str, at: str | datetime, **properties: Any) -> Tables:
        """Add an event."""
        return self._add("events", lead=lead, type=kind, at=day(at), **properties)

    def pair(self, lead: int | str, as_of: str | datetime) -> Tables:
        """Ask for a lead (or account) as of a moment of its own."""
        key = "account" if isinstance(lead, str) else "lead"
        return self._add("pairs", **{key: lead}, as_of=day(as_of))

    def _add(self, table: str, **row: Any) -> Tables:
        self.rows.setdefault(table, []).append(row)
        return self

    def filled(self, features: str = "", scorecard: str | None = None, *, exclude: str | None = None) -> Filled:
        """Put the rows into an engine; `features` and `scorecard` are YAML."""
        return Filled(self._engine(), self.resolved(features, scorecard, exclude=exclude))

    def resolved(
        self, features: str = "", scorecard: str | None = None, *, exclude: str | None = None
    ) -> ResolvedWorkspace:
        """Check and resolve specs over the names of these tables."""
        text = f"features:\n{features}" if features else "entity: lead"
        workspace = read_yaml(text, "leadlight.yaml")
        spec = WorkspaceSpec.model_validate({**workspace.value, "exclude": exclude})
        cards = {}
        if scorecard is not None:
            parsed = read_yaml(scorecard, "scorecards/house.yaml")
            card = ScorecardSpec.model_validate(parsed.value)
            cards["house"] = Document(card, "scorecards/house.yaml", parsed.marks)
        loaded = LoadedWorkspace(Path(), Document(spec, "leadlight.yaml", workspace.marks), cards)
        catalog = Catalog(self.attributes, self.account_attributes, self.properties)
        found, faults = resolve(loaded, catalog)
        assert found is not None, "\n".join(map(str, faults))
        return found

    def _engine(self) -> DuckDBEngine:
        engine = DuckDBEngine(None)
        engine.execute("SET threads = 1")
        for name, columns in self._columns().items():
            table = pa.Table.from_pylist(list(self.rows.get(name, ())), schema=pa.schema(list(columns.items())))
            engine.register("given", table)
            engine.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
            engine.unregister("given")
        return engine

    def _columns(self) -> dict[str, dict[str, pa.DataType]]:
        period = {"known_at": TIME, "known_until": TIME}
        asked = self.rows.get("pairs", [])
        pair = {"account": TEXT} if asked and "account" in asked[0] else {"lead": KEY}
        return {
            "leads": {"lead": KEY, "id": TEXT, "created_at": TIME},
            "attributes": {"lead": KEY, **period, "account": TEXT, **_arrow(self.attributes)},
            "account_attributes": {"account": TEXT, **period, **_arrow(self.account_attributes)},
            "events": {"lead": KEY, "type": TEXT, "at": TIME, **_arrow(self.properties)},
            "outcomes": {"lead": KEY, "at": TIME, "outcome": TEXT, "value": pa.float64()},
            "pairs": {**pair, "as_of": TIME},
        }


def _arrow(types: Mapping[str, Type]) -> dict[str, pa.DataType]:
    return {name: ARROW[kind] for name, kind in types.items()}


@dataclass
class Filled:
    """Tables in an engine, and a workspace over them."""

    engine: DuckDBEngine
    workspace: ResolvedWorkspace

    def features(
        self,
        moment: Moment | None = None,
        *,
        of: Literal["lead", "account"] = "lead",
        names: Iterable[str] | None = None,
    ) -> dict[Any, dict[str, Any]]:
        """Return the features of everybody, by lead (or account), or by lead and as-of."""
        moment = moment or Moment(as_of=T)
        return self._run(feature_statement(self.workspace, moment, of=of, features=names), of, moment)

    def values(self, name: str, moment: Moment | None = None, *, of: Literal["lead", "account"] = "lead") -> list[Any]:
        """Return one feature of everybody, in the order of leads (or accounts)."""
        found = self.features(moment, of=of, names=[name])
        return [found[key][name] for key in sorted(found)]

    def scores(self, moment: Moment | None = None, options: Options | None = None) -> dict[Any, dict[str, Any]]:
        """Score everybody with the scorecard house, by lead (or account), or by lead and as-of."""
        moment, card = moment or Moment(as_of=T), self.workspace.scorecards["house"]
        return self._run(score_statement(self.workspace, card, moment, options), card.spec.of, moment)

    def _run(self, tree: build.Sql, of: str, moment: Moment) -> dict[Any, dict[str, Any]]:
        text = build.to_text(tree, "duckdb")
        rows = self.engine.prepared(text, moment.parameters) if moment.prepared else self.engine.arrow(text).to_pylist()
        found = {row[of] if moment.single else (row[of], row["as_of"]): row for row in rows}
        assert len(found) == len(rows), "two rows for one"
        return found
