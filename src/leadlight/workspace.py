"""The one door: open a workspace, then a method for each verb.

workspace = leadlight.open("shop")
workspace.ingest()
print(workspace.rank())
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from leadlight.errors import DataError, Fault, NotFoundError, SpecError, UsageError, did_you_mean
from leadlight.expr import build
from leadlight.features.moment import Moment
from leadlight.scorecards.compile import Options, score_statement
from leadlight.scorecards.ledger import Ledger, ledgers
from leadlight.spec.catalog import Catalog
from leadlight.spec.load import LoadedWorkspace, PartlyLoaded, load_scorecard, load_workspace
from leadlight.spec.moments import parse_moment
from leadlight.spec.resolve import resolve, resolve_scorecard
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace

if TYPE_CHECKING:
    import threading

    from leadlight.allocate.report import Allocation
    from leadlight.connect.push_house import House
    from leadlight.connect.push_report import PushReport, PushRun
    from leadlight.connect.sync_report import SyncReport, SyncUpdate
    from leadlight.engines.base import Engine
    from leadlight.enrich.facts import Facts
    from leadlight.enrich.follow import Round
    from leadlight.enrich.forget import Forgotten
    from leadlight.enrich.report import EnrichRun
    from leadlight.enrich.run import Progress
    from leadlight.expr.types import Type
    from leadlight.insight.next_step import NextStep
    from leadlight.insight.profile import Profile
    from leadlight.insight.similar import Similar
    from leadlight.learn.adjust import AdjustRun
    from leadlight.learn.drafts import Placed
    from leadlight.learn.evaluation import Evaluation
    from leadlight.learn.line import Line, Wish
    from leadlight.learn.replay import Replay
    from leadlight.learn.run import LearnRun
    from leadlight.learn.uplift import UpliftRun
    from leadlight.learn.watch import Watched
    from leadlight.notify.deliver import Delivered, Preview, Rehearsal
    from leadlight.notify.listing import OutboxListing
    from leadlight.notify.office import Office
    from leadlight.report.access import Access
    from leadlight.report.write import Report
    from leadlight.resolve.resolve import Resolved
    from leadlight.scorecards.diff import Difference
    from leadlight.scorecards.export import Exported
    from leadlight.scorecards.history import History
    from leadlight.scorecards.letter import Against, Letter
    from leadlight.scorecards.rank import Ranking
    from leadlight.scorecards.retain import Retained
    from leadlight.scorecards.score import ScoreRun
    from leadlight.scorecards.why import Movement
    from leadlight.sources.check import CheckReport
    from leadlight.sources.ingest_report import IngestReport
    from leadlight.sources.read import ProgressUpdate
    from leadlight.store.backup import BackedUp
    from leadlight.store.erase import Erased
    from leadlight.store.merges import Merges
    from leadlight.store.set_aside import SetAside

DIALECTS = ("duckdb", "postgres", "bigquery", "snowflake", "databricks", "spark", "trino", "clickhouse")
"""The dialects `sql` prints."""


def utc_now() -> datetime:
    """Return the moment as naive UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


class Workspace:
    """A folder with `leadlight.yaml`, `scorecards/*.yaml` and a store; each verb is a method.

    The clock is asked through `now`, so that a test or a back-fill can set it.
    """

    def __init__(self, folder: str | Path = ".", *, now: Callable[[], datetime] = utc_now) -> None:
        self.root = Path(folder)
        self.now = now
        self.loaded: LoadedWorkspace = load_workspace(self.root)
        self._session: tuple[Engine, ResolvedWorkspace] | None = None

    # ---------------------------------------------------------------------------------------------- from files in

    def check(self) -> CheckReport:
        """Look at every file the workspace has, and at the headers of its sources; raise all faults at once."""
        from leadlight.sources.check import check

        return check(PartlyLoaded(self.loaded), enrichment=_enrichment)

    def ingest(
        self,
        *,
        only: Sequence[str] = (),
        as_of: str | datetime | None = None,
        progress: Callable[[ProgressUpdate], None] | None = None,
        looking_up: Callable[[Progress], None] = lambda _: None,
    ) -> IngestReport:
        """Read the sources (all, or those named) into the store; all or nothing.

        `as_of` is the moment at which the files were as they are, for exports of former days: what carries no date of
        its own is known since then. With `enrich: {on_ingest: true}`, leads that are new or have changed are looked up.
        """
        moment = self._as_of(as_of)
        if moment > self.now():
            raise UsageError(f"{moment:%Y-%m-%d %H:%M} UTC lies ahead: what will be known then is not in the files")
        report, rules = self._ingest(only, moment, progress), self.loaded.workspace.spec.enrich
        if rules is None or not rules.on_ingest or not report.changed:
            return report
        return replace(report, enriched=self._enrich_read(moment, looking_up))

    def _enrich_read(self, moment: datetime, progress: Callable[[Progress], None]) -> EnrichRun | None:
        """Look up those of whom something new was read at a moment."""
        from leadlight.enrich.run import Wish, enrich
        from leadlight.store.standing import read_at

        with self.store() as engine:
            resolved, leads = self._ready(engine), read_at(engine, moment)
        return enrich(self.store, resolved, self.root, Wish(leads), now=self.now, progress=progress)

    def _ingest(
        self, only: Sequence[str], moment: datetime, progress: Callable[[ProgressUpdate], None] | None
    ) -> IngestReport:
        from leadlight.sources.check import placed
        from leadlight.sources.ingest_groups import ingest_groups

        with placed(self.loaded.workspace.marks), self.store(write=True, create=True) as engine:
            spec, contract = self.loaded.workspace.spec, self.loaded.contract
            return ingest_groups(
                engine,
                spec,
                self.root,
                only=only,
                now=moment,
                progress=progress,
                contract=contract,
                given=self._given(),
            )

    def sync(
        self,
        connections: Sequence[str] = (),
        *,
        objects: Sequence[str] = (),
        full: bool = False,
        progress: Callable[[SyncUpdate], None] | None = None,
        reading: Callable[[ProgressUpdate], None] | None = None,
        looking_up: Callable[[Progress], None] = lambda _: None,
    ) -> SyncReport:
        """Read what has changed in connected systems (all, or those named) into the lake, and that into the store.

        What stops a connection is in its report's `error`, and stops no other; what came until then is kept, and the
        next sync goes on there. `objects` are the only ones to read; with `full` everything is read again, and what
        does not come is gone. With `enrich: {on_ingest: true}`, leads that are new or have changed are looked up.
        """
        from leadlight.connect.extract import extract
        from leadlight.connect.sync_report import SyncReport

        spec, marks = self.loaded.workspace.spec, self.loaded.workspace.marks
        read = [source for source in spec.sources.values() if not objects or source.object in objects]
        used = {source.connection for source in read or spec.sources.values()}
        names = list(connections) or [name for name in spec.connections if name in used] or list(spec.connections)
        if not names:
            raise UsageError("leadlight.yaml names no connection", fix="`leadlight init --from SYSTEM` shows how.")
        with self.store(write=True, create=True):
            pass  # somebody who has it in use is to be told of before hours of reading, not after
        found = [
            extract(spec, self.root, name, now=self.now, full=full, objects=objects, progress=progress, marks=marks)
            for name in names
        ]
        try:
            report = replace(self.take_in(names, reading=reading), connections=tuple(found))
        except DataError:
            if not any(one.error for one in found):
                raise
            return SyncReport(tuple(found))  # what is wrong is told already: fields that the system does not have
        if spec.enrich is None or not spec.enrich.on_ingest or report.ingested is None or not report.changed:
            return report
        enriched = self._enrich_read(report.ingested.at, looking_up)
        return replace(report, ingested=replace(report.ingested, enriched=enriched))

    def take_in(
        self, connections: Sequence[str], *, reading: Callable[[ProgressUpdate], None] | None = None
    ) -> SyncReport:
        """Bring what was read of connections into the store: the half of `sync` that asks nobody."""
        from leadlight.connect.sync import take_in
        from leadlight.connect.sync_report import SyncReport
        from leadlight.sources.check import placed

        loaded = self.loaded
        with placed(loaded.workspace.marks), self.store(write=True, create=True) as engine:
            taken = take_in(
                engine, loaded.workspace.spec, self.root, connections, now=self.now(), contract=loaded.contract,
                given=self._given(), progress=reading,
            )  # fmt: skip
        return SyncReport((), taken.ingested, taken.joined)

    # ------------------------------------------------------------------------------------------------------ scores

    def score(self, scorecard: str | None = None, *, as_of: str | datetime | None = None) -> list[ScoreRun]:
        """Score everybody by all scorecards (or one) and keep the scores; an edited scorecard is published silently."""
        from leadlight.scorecards.score import score

        with self.store(write=True) as engine:
            resolved = self._ready(engine)
            cards = [self._card(resolved, scorecard)] if scorecard else list(resolved.scorecards.values())
            return [score(engine, resolved, card, self._as_of(as_of), now=self.now()) for card in cards]

    def rank(
        self,
        scorecard: str | None = None,
        *,
        as_of: str | datetime | None = None,
        limit: int | None = None,
        grade: str | None = None,
        among: Sequence[int] | None = None,
        per: str | None = None,
        order: Literal["score", "deadline", "rescue"] = "score",
        per_day: float | None = None,
        effort: str | None = None,
    ) -> Ranking:
        """Rank everybody (or the leads `among`, by their numbers in the store) and explain the first 20.

        `per` ranks within the values of an attribute or feature, and explains the first 5 of each. `order` may be
        `deadline`, or `rescue`: first those that can still be done in time at `per_day` (of `effort`) a day.
        """
        from leadlight.scorecards.places import Way
        from leadlight.scorecards.rank import rank

        way = Way(order, per, per_day, effort)

        with self.store() as engine:
            resolved = self._ready(engine)
            card = self._card(resolved, scorecard)
            resolved = _toward(resolved, card, needed=False)
            return rank(engine, resolved, card, self._as_of(as_of), limit=limit, grade=grade, among=among, way=way)

    def among(
        self, *, where: str | None = None, account: str | None = None, as_of: str | datetime | None = None
    ) -> list[int]:
        """Return the numbers of the leads of a condition, or of an account: the `among` of other verbs."""
        from leadlight.scorecards.among import among

        with self.store() as engine:
            return among(engine, self._ready(engine), self._as_of(as_of), where=where, account=account)

    def allocate(
        self,
        scorecard: str | None = None,
        *,
        as_of: str | datetime | None = None,
        capacity: Mapping[str, float | str] | None = None,
        need: Mapping[str, float | str] | None = None,
        pools: str | Path | Sequence[Mapping[str, Any]] | None = None,
        pool: str | None = None,
        per: str | None = None,
        where: str | None = None,
        fits: str | None = None,
        spread: bool | None = None,
        limit: int = 20,
        optimise: bool = True,
        time_limit: float = 20.0,
        target: Path | None = None,
        among: Sequence[int] | None = None,
    ) -> Allocation:
        """Give a limited resource to the ranked list: who is served, who waits and why, against the best total.

        What is not told comes from `allocate:` in leadlight.yaml. A path of `pools` given here is relative to where
        you are, one in leadlight.yaml to the workspace. `target` is a file for the whole list.
        """
        from leadlight.allocate.allocate import allocate, merged

        given = str(Path(pools).absolute()) if isinstance(pools, str | Path) else pools
        spec = merged(
            self.loaded.workspace.spec.allocate, capacity=capacity, need=need, pools=given, pool=pool, per=per,
            where=where, fits=fits, spread=spread,
        )  # fmt: skip
        with self.store() as engine:
            resolved = self._ready(engine)
            return allocate(
                engine, resolved, self._card(resolved, scorecard), self._as_of(as_of), spec, self.root, limit=limit,
                optimise=optimise, time_limit=time_limit, target=target, among=among,
            )  # fmt: skip

    def explain(self, lead: str, scorecard: str | None = None, *, as_of: str | datetime | None = None) -> Ledger:
        """Say where each point of a lead's score comes from."""
        with self.store() as engine:
            resolved = self._ready(engine)
            card = self._card(resolved, scorecard)
            resolved = _toward(resolved, card, needed=False)
            moment = Moment(as_of=self._as_of(as_of), only=[_key(engine, resolved, card, lead)])
            found = ledgers(engine, resolved, card, moment)
            if not found:
                raise NotFoundError(f"{lead} did not exist yet as of {moment.as_of:%Y-%m-%d %H:%M} UTC")
            return found[0]

    def why(
        self,
        lead: str,
        scorecard: str | None = None,
        *,
        since: str | datetime,
        until: str | datetime | None = None,
    ) -> Movement:
        """Say what moved a lead's score between two moments, item by item."""
        from leadlight.scorecards.why import movement

        with self.store() as engine:
            resolved = self._ready(engine)
            card = self._card(resolved, scorecard)
            resolved = _toward(resolved, card, needed=False)
            end = self._as_of(until)
            start = parse_moment(since, end)
            earlier = self._card_at(engine, resolved, card, start)
            found = movement(engine, resolved, card, _key(engine, resolved, card, lead), start, end, earlier=earlier)
            if found is None:
                raise NotFoundError(
                    f"{lead} did not exist at both moments ({start:%Y-%m-%d %H:%M} and {end:%Y-%m-%d %H:%M} UTC)",
                    fix="Name a later --since: `leadlight history` and `leadlight explain` show what there is.",
                )
            return found

    def diff(
        self, scorecard: str | None = None, *, against: Path | None = None, as_of: str | datetime | None = None
    ) -> Difference:
        """Say what publishing would do: the file as it stands against the version last used (or another file)."""
        from leadlight.scorecards.diff import diff

        with self.store() as engine:
            resolved = self._ready(engine)
            card = self._card(resolved, scorecard)
            resolved = _toward(resolved, card, needed=False)
            old = self._file(resolved, against) if against else self._published(engine, resolved, card)
            return diff(engine, resolved, old, card, self._as_of(as_of))

    def try_lead(
        self, lead: Mapping[str, Any], scorecard: str | None = None, *, as_of: str | datetime | None = None
    ) -> Ledger:
        """Score one lead given as a mapping; nothing is stored."""
        from leadlight.scorecards.trial import trial

        resolved, _ = self._resolved(self._catalog())
        return trial(resolved, self._card(resolved, scorecard), lead, self._as_of(as_of))

    def history(self, lead: str, scorecard: str | None = None, *, as_of: str | datetime | None = None) -> History:
        """Return the scores a lead was given up to a moment, its changes of grade, and its events rolled up by then."""
        from leadlight.scorecards.history import history
        from leadlight.store.rolled_up import rolled_up

        with self.store() as engine:
            resolved = self._ready(engine)
            card = self._card(resolved, scorecard)
            labels = card.spec.grades.labels if card.spec.grades else []
            key, until = _key(engine, resolved, card, lead), self._as_of(as_of) if as_of is not None else None
            taken = rolled_up(engine, key, resolved.spec.consent, until=until) if isinstance(key, int) else ()
            return history(engine, card.name, card.spec.of, key, lead, labels, until=until, taken=taken)

    # ---------------------------------------------------------------------------------------------------- learning

    def learn(
        self,
        *,
        name: str | None = None,
        outcome: str | None = None,
        against: str | None = None,
        keep: Sequence[str] = (),
        force: bool = False,
        if_needed: bool = False,
        seed: int = 1,
        as_of: str | datetime | None = None,
        step: Callable[[str], None] = lambda _: None,
    ) -> LearnRun | Watched:
        """Learn a scorecard from the outcomes known at a moment; publish it if it passes the gate, else leave a draft.

        `name` is what it will be called (`learned`, or `learned_OUTCOME`). `outcome` is which of several outcomes it is
        about: that of the scorecard of this name, or of `against`, unless told. `against` is the scorecard to be
        beaten; `keep` puts back features that look like leaks. With `if_needed`, a scorecard that still fits is left as
        it is, and what was seen of it is returned.
        """
        from leadlight.learn.run import learn_run, learned_name, to_beat

        until = self._as_of(as_of)
        with self.store() as engine:
            resolved = self._ready(engine)
            told = against if name is None or name not in resolved.scorecards else name
            if outcome is None and told is not None:
                outcome = self._card(resolved, told).spec.outcome
            resolved = resolved.toward(outcome)
            name = learned_name(resolved, name)
            today = self._card(resolved, against) if against else to_beat(resolved)
        if if_needed and name in self.loaded.scorecards:
            seen = self.watch(name, as_of=until)
            if not seen.needs_learning:
                return seen
        with self.store() as engine:
            run = learn_run(
                engine, resolved, until, self.root, name=name, today=today, keep=keep, force=force, seed=seed, step=step
            )
        self.loaded = load_workspace(self.root)
        return run

    def uplift(
        self,
        *,
        name: str | None = None,
        outcome: str | None = None,
        keep: Sequence[str] = (),
        force: bool = False,
        seed: int = 1,
        as_of: str | datetime | None = None,
        step: Callable[[str], None] = lambda _: None,
    ) -> UpliftRun:
        """Learn who is moved by the treatment of a randomised campaign; publish if it passes the gate, else a draft."""
        from leadlight.learn.uplift import uplift_run

        with self.store() as engine:
            resolved = self._ready(engine).toward(outcome)
            run = uplift_run(
                engine, resolved, self._as_of(as_of), self.root, name=name, keep=keep, force=force, seed=seed, step=step
            )
        self.loaded = load_workspace(self.root)
        return run

    def adjust(self, scorecard: str | None = None, *, as_of: str | datetime | None = None, seed: int = 1) -> AdjustRun:
        """Let outcomes move the points of a hand-written scorecard as far as they bear it, as a draft."""
        from leadlight.learn.adjust import adjust

        with self.store() as engine:
            resolved = self._ready(engine)
            card = self._card(resolved, scorecard)
            resolved = _toward(resolved, card)
            return adjust(engine, resolved, card, self._as_of(as_of), self.root, seed=seed)

    def publish(self, name: str, *, force: bool = False) -> Placed:
        """Publish a draft, through the gate or by force, and keep the scorecard it replaces."""
        from leadlight.learn.drafts import publish_draft

        placed = publish_draft(self.root, name, force=force)
        self.loaded = load_workspace(self.root)
        return placed

    def revert(self, name: str) -> Placed:
        """Put back the scorecard that the published one replaced."""
        from leadlight.learn.drafts import revert

        placed = revert(self.root, name)
        self.loaded = load_workspace(self.root)
        return placed

    def evaluate(
        self,
        scorecard: str | None = None,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        line: str | None = None,
    ) -> Evaluation:
        """Hold a scorecard against the outcomes of the leads looked at since a moment.

        `line` (a grade, or a score) says who is chosen, where the groups of protected attributes are compared.
        """
        from leadlight.learn.evaluation import evaluate

        with self.store() as engine:
            resolved = self._ready(engine)
            card = self._card(resolved, scorecard)
            resolved = _toward(resolved, card)
            end = self._as_of(until)
            return evaluate(engine, resolved, card, since=self._since(since, end), until=end, line=line)

    def threshold(
        self,
        wish: Wish,
        scorecard: str | None = None,
        *,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
    ) -> Line:
        """Say where to draw the line for a capacity, a cost or a precision, and what each line would have brought."""
        from leadlight.learn.line import line

        with self.store() as engine:
            resolved = self._ready(engine)
            card, end = self._card(resolved, scorecard), self._as_of(until)
            resolved = _toward(resolved, card)
            return line(engine, resolved, card, wish, since=self._since(since, end), until=end)

    def backtest(
        self,
        scorecard: str | None = None,
        *,
        top: int,
        since: str | datetime,
        until: str | datetime | None = None,
        every: timedelta = timedelta(days=7),
        relearn: timedelta = timedelta(days=28),
        seed: int = 1,
        step: Callable[[str], None] = lambda _: None,
    ) -> Replay:
        """Replay the past: call the top of each ranking step by step, learning on what was known, and count deals."""
        from leadlight.learn.replay import replay

        with self.store() as engine:
            resolved = self._ready(engine)
            card, end = self._card(resolved, scorecard), self._as_of(until)
            resolved = _toward(resolved, card)
            return replay(
                engine, resolved, card, since=parse_moment(since, end), until=end,
                top=top, every=every, relearn=relearn, seed=seed, step=step,
            )  # fmt: skip

    def watch(
        self,
        scorecard: str | None = None,
        *,
        since: str | datetime | None = None,
        as_of: str | datetime | None = None,
        segment: str | None = None,
    ) -> Watched:
        """Say what has shifted since a scorecard was learned, and whether to learn again."""
        from leadlight.learn.watch import watched

        with self.store() as engine:
            resolved = self._ready(engine)
            card, end = self._card(resolved, scorecard), self._as_of(as_of)
            resolved = _toward(resolved, card)
            return watched(engine, resolved, card, since=self._since(since, end), until=end, segment=segment)

    def profile(self, scorecard: str | None = None, *, as_of: str | datetime | None = None) -> Profile:
        """Say who the ideal buyer is: what the won have more often than all, what less, and which pairs matter."""
        from leadlight.insight.profile import profile

        with self.store() as engine:
            resolved = self._ready(engine)
            card = self._card(resolved, scorecard)
            resolved = _toward(resolved, card)
            return profile(engine, resolved, card, self._as_of(as_of))

    def similar(
        self,
        lead: str,
        scorecard: str | None = None,
        *,
        as_of: str | datetime | None = None,
        limit: int = 20,
        same_account: bool = True,
    ) -> Similar:
        """Return the past leads most like one in what gives points, and how they ended."""
        from leadlight.insight.similar import similar

        with self.store() as engine:
            resolved = self._ready(engine)
            card, key = self._card(resolved, scorecard), self._lead(engine, resolved, lead)
            resolved = _toward(resolved, card)
            return similar(engine, resolved, card, key, self._as_of(as_of), limit=limit, same_account=same_account)

    def next(
        self,
        lead: str,
        scorecard: str | None = None,
        *,
        as_of: str | datetime | None = None,
        within: timedelta = timedelta(days=14),
        actions: Sequence[str] = (),
        limit: int = 5,
    ) -> NextStep:
        """Suggest what could come next: what past leads in a like state did next who were won more often."""
        from leadlight.insight.next_step import next_step

        with self.store() as engine:
            resolved = self._ready(engine)
            card, key = self._card(resolved, scorecard), self._lead(engine, resolved, lead)
            resolved = _toward(resolved, card)
            return next_step(
                engine, resolved, card, key, self._as_of(as_of), within=within, actions=actions, limit=limit
            )

    # ------------------------------------------------------------------------------------------------- results out

    def sql(
        self,
        scorecard: str | None = None,
        *,
        dialect: str = "duckdb",
        as_of: str | datetime | None = None,
        contributions: bool = True,
    ) -> str:
        """Print the statement that scores everybody, for any of `DIALECTS`, on tables of the documented shape."""
        if dialect not in DIALECTS:
            raise NotFoundError(f"no dialect {dialect!r}: {did_you_mean(dialect, DIALECTS)}")
        resolved, _ = self._resolved(self._catalog())
        moment = Moment(as_of=self._as_of(as_of))
        options = Options(contributions=contributions)
        statement = score_statement(resolved, self._card(resolved, scorecard), moment, options)
        return build.to_text(statement, dialect, pretty=True) + "\n"

    def report(
        self,
        target: Path | None = None,
        scorecard: str | None = None,
        *,
        as_of: str | datetime | None = None,
        among: Sequence[int] | None = None,
    ) -> Report:
        """Write one self-contained HTML page about everybody's scores (`report.html` in the workspace unless told)."""
        from leadlight.report.write import write_report

        with self.store() as engine:
            resolved = self._ready(engine)
            card = self._card(resolved, scorecard)
            resolved = _toward(resolved, card, needed=False)
            path = target or self.root / "report.html"
            return write_report(engine, resolved, card, self._as_of(as_of), path, among=among)

    def export(
        self,
        target: str,
        scorecard: str | None = None,
        *,
        as_of: str | datetime | None = None,
        among: Sequence[int] | None = None,
        per: str | None = None,
    ) -> Exported:
        """Write the whole ranking to `*.csv`, `*.parquet`, or a table of the store (`table:NAME`).

        With `per`, an attribute or feature, there is a column for the rank within its values.
        """
        from leadlight.scorecards.export import export

        with self.store(write=target.startswith("table:")) as engine:
            resolved = self._ready(engine)
            card = self._card(resolved, scorecard)
            return export(engine, resolved, card, self._as_of(as_of), target, among=among, per=per)

    def letter(
        self,
        lead: str,
        scorecard: str | None = None,
        *,
        reasons: int = 4,
        against: Against = "all",
        line: str | None = None,
        as_of: str | datetime | None = None,
    ) -> Letter:
        """Return the principal reasons why a lead's score is not higher, in the wording a letter needs."""
        from leadlight.scorecards.letter import letter

        with self.store() as engine:
            resolved = self._ready(engine)
            card = self._card(resolved, scorecard)
            key = _key(engine, resolved, card, lead)
            return letter(engine, resolved, card, key, self._as_of(as_of), most=reasons, against=against, line=line)

    def letters(
        self,
        target: Path,
        scorecard: str | None = None,
        *,
        line: str,
        reasons: int = 4,
        against: Against = "all",
        as_of: str | datetime | None = None,
    ) -> Exported:
        """Write the principal reasons of everybody below a line (a grade, or a score) to a CSV file."""
        from leadlight.scorecards.letter import letters

        with self.store() as engine:
            resolved = self._ready(engine)
            card, moment = self._card(resolved, scorecard), self._as_of(as_of)
            return letters(engine, resolved, card, moment, target, line=line, most=reasons, against=against)

    def access(self, lead: str) -> Access:
        """Gather everything that is known about a person, and why its scores are what they are."""
        from leadlight.enrich.facts import facts
        from leadlight.enrich.forget import kept_questions
        from leadlight.report.access import Access
        from leadlight.sources.erased import synced_rows
        from leadlight.store.access import held, out_of_store, plain
        from leadlight.store.erase import find_person
        from leadlight.store.leads import get_lead

        spec, now = self.loaded.workspace.spec, self.now()
        with self.store() as engine:
            person, resolved = find_person(engine, lead), self._ready(engine)
            cards = [card for card in resolved.scorecards.values() if card.spec.of == "lead"]
            moment = Moment(as_of=now, only=[person.lead])
            found = [ledgers(engine, _toward(resolved, card, needed=False), card, moment) for card in cards]
            scored = any(found)  # who is known by events only is no lead yet
            known = (
                facts(engine, spec.enrich, get_lead(engine, lead, entity=spec.entity), now, entity=spec.entity)
                if scored
                else None
            )
            synced = tuple(
                {name: plain(value) for name, value in row.items()} for row in synced_rows(self.root, person.ids)
            )
            return Access(
                spec.entity, person.ids, now, tuple(one for some in found for one in some), known,
                held(engine, person) | out_of_store(engine, self.root, person)
                | ({"synced_rows": synced} if synced else {}),
                tuple(kept_questions(engine, spec.enrich, self.root, lead)),
            )  # fmt: skip

    def erase(self, lead: str) -> Erased:
        """Remove a person everywhere, for good: from the store, and from what was kept of looking it up."""
        from leadlight.enrich.forget import forget_person

        with self.store(write=True) as engine:
            return forget_person(engine, self.loaded.workspace.spec.enrich, self.root, lead, now=self.now())

    # --------------------------------------------------------------------------------------- who is who, who counts

    def merges(self, lead: str | None = None, *, limit: int = 100) -> Merges:
        """List who was merged with whom (or what became of one lead's ids), the newest first."""
        from leadlight.store.merges import list_merges

        with self.store() as engine:
            key = None if lead is None else self._lead(engine, self._ready(engine), lead)
            return list_merges(engine, key, limit=limit)

    def undo_merge(self, merge: int, *, who: str | None = None) -> Merges:
        """Take a merge back: all is as if it had never been, and no rule makes it again."""
        from leadlight.store.merges import Merges, undo_merge

        sources = self.loaded.workspace.spec.sources
        with self._changing() as engine:
            merge_by = {name: source.merge_by for name, source in sources.items()}
            return Merges((undo_merge(engine, merge, merge_by, at=self.now(), who=who),), 1)

    def join_leads(self, first: str, second: str, *, who: str | None = None, rule: str = "hand") -> Merges:
        """Let two leads be one, the first; it can be undone."""
        from leadlight.store.merges import Merges, join_leads

        with self._changing() as engine:
            return Merges((join_leads(engine, first, second, at=self.now(), who=who, rule=rule),), 1)

    def part_leads(self, first: str, second: str, *, who: str | None = None) -> None:
        """Keep two leads apart for good, whatever they share."""
        from leadlight.store.merges import part_leads

        with self._changing() as engine:
            part_leads(engine, first, second, at=self.now(), who=who)

    def resolve(
        self,
        *,
        threshold: float = 0.9,
        above: float | None = None,
        target: Path | None = None,
        same: Sequence[tuple[str, str]] = (),
        different: Sequence[tuple[str, str]] = (),
        verdicts: Path | None = None,
        who: str | None = None,
    ) -> Resolved:
        """Find leads that are probably the same, without joining any; or do what was decided about pairs.

        Pairs `above` a probability are joined; else `same` ones are, `different` ones are kept apart for good, and
        `verdicts` is a file with both. Found pairs are written to `target`. All joins can be undone.
        """
        from leadlight.resolve.decide import decide
        from leadlight.resolve.resolve import read_verdicts, resolve, write_pairs

        if verdicts is not None:
            told = read_verdicts(verdicts)
            same, different = [*same, *told[0]], [*different, *told[1]]
        if same or different:
            with self._changing() as engine:
                return decide(engine, same, different, at=self.now(), who=who)
        with self.store() as engine:
            _check_read(engine)
            found = resolve(engine, threshold=threshold if above is None else above)
        if target is not None:
            write_pairs(found.pairs, target)
            found = replace(found, file=str(target))
        if above is None or not found.pairs:
            return found
        with self._changing() as engine:
            pairs = [(pair.left, pair.right) for pair in found.pairs]
            return replace(found, joined=decide(engine, pairs, (), at=self.now(), who=who).joined)

    def set_aside(
        self,
        *,
        lead: str | None = None,
        reason: str | None = None,
        since: str | datetime | None = None,
        until: str | datetime | None = None,
        event: str | None = None,
        limit: int = 100,
        move: Literal["release", "flag"] | None = None,
        who: str | None = None,
    ) -> SetAside:
        """List the events that do not count, by the reason; or `release` those meant, or `flag` others, by hand.

        `since` and `until` (not included) are the events' own times, `event` is the short name that the list shows.
        What was moved by hand no rule moves back.
        """
        from leadlight.store.set_aside import Which, judge_which, list_set_aside

        with self.store() as engine:
            key = None if lead is None else self._lead(engine, self._ready(engine), lead)
        end = None if until is None else self._as_of(until)
        which, moved = Which(key, reason, self._since(since, end or self.now()), end, event), None
        if move is not None:
            if move == "flag" and reason is not None:
                raise UsageError("events that count have no reason", fix="Name a lead, an event or a time.")
            if which == Which():
                raise UsageError(f"{move} which events?", fix="Name a lead, a reason, an event or a time.")
            with self._changing() as engine:
                moved = judge_which(engine, which, aside=move == "flag", at=self.now(), who=who)
        with self.store() as engine:
            return list_set_aside(engine, which if move is None else Which(key), limit=limit, moved=moved)

    def sweep(self) -> SetAside:
        """Hold all events against `bots:` and `consent:` as they are now; those that changed sides are counted."""
        from leadlight.store.set_aside import list_set_aside
        from leadlight.store.sweep import sweep_all

        spec = self.loaded.workspace.spec
        with self._changing() as engine:
            moved = sweep_all(engine, spec.bots, spec.consent, at=self.now())
        with self.store() as engine:
            return list_set_aside(engine, moved=moved)

    @contextmanager
    def _changing(self) -> Iterator[Engine]:
        """Open the store to change whose is what: all that follows is made again at the end."""
        from leadlight.store.touched import changing

        with self.store(write=True) as engine, changing(engine, self.loaded.workspace.spec.enrich):
            _check_read(engine)
            yield engine
            self._settle_words(engine)

    def _settle_words(self, engine: Engine) -> None:
        """Let what people said be of who they are now; the service does, which alone knows who said what."""

    # ------------------------------------------------------------------------------------------------------- keep house

    def retain(self, *, dry_run: bool = False) -> Retained:
        """Move events that count for no score any more into the archive (`retain:`); every score stays what it is."""
        from leadlight.scorecards.retain import retain

        with self.store(write=not dry_run) as engine:
            return retain(engine, self._ready(engine), self.root, now=self.now(), dry_run=dry_run)

    def backup(self, file: str | Path | None = None) -> BackedUp:
        """Write one file that holds the store, the specs and what the service keeps; in .leadlight/backups unless told.

        `leadlight.store.backup.restore` is the way back.
        """
        from leadlight.store.backup import BACKUPS, backup

        now = self.now()
        to = self.root / BACKUPS / f"{now:%Y%m%dT%H%M%S-%f}.tar" if file is None else Path(file)
        with self.store(write=True) as engine:
            return backup(engine, self.root, self.loaded.workspace.spec.store, to, now=now)

    # -------------------------------------------------------------------------------------------------- look leads up

    def facts(self, lead: str, *, as_of: str | datetime | None = None) -> Facts:
        """Say what is known of a lead, value by value: what is used, who says otherwise, since when, by what right."""
        from leadlight.enrich.facts import facts
        from leadlight.store.leads import get_lead

        spec = self.loaded.workspace.spec
        with self.store() as engine:
            _check_read(engine)
            found = get_lead(engine, lead, entity=spec.entity)
            return facts(engine, spec.enrich, found, self._as_of(as_of), entity=spec.entity)

    def enrich(
        self,
        lead: str | None = None,
        *,
        where: str | None = None,
        providers: Sequence[str] = (),
        money: float | None = None,
        requests: int | None = None,
        dry_run: bool = False,
        progress: Callable[[Progress], None] = lambda _: None,
        stop: threading.Event | None = None,
    ) -> EnrichRun:
        """Look up leads (all, one, or those for which `where` is true) as `enrich:` in leadlight.yaml says.

        Only providers are asked whose answers could change a grade. `money` and `requests` are the budget. With
        `dry_run` nobody is asked: the report says what would be asked at most. `stop`, once set, ends the run early;
        what came until then is kept.
        """
        from leadlight.enrich.run import Wish, enrich

        with self.store() as engine:
            resolved = self._ready(engine)
            key = None if lead is None else self._lead(engine, resolved, lead)
        wish = Wish(None if key is None else (key,), where, tuple(providers), money, requests, dry_run)
        marks = self.loaded.workspace.marks
        return enrich(self.store, resolved, self.root, wish, now=self.now, progress=progress, stop=stop, marks=marks)

    def follow(
        self,
        every: timedelta,
        *,
        where: str | None = None,
        providers: Sequence[str] = (),
        money: float | None = None,
        requests: int | None = None,
        stop: threading.Event,
        told: Callable[[Round], None],
        rounds: int | None = None,
    ) -> int:
        """Read what is new, look up whom it concerns and score, every so often until `stop` is set; return the rounds.

        leadlight.yaml and the scorecards are read anew each time. All leads are looked at in the first round, once an
        hour and when these files have changed; else those that are new, or of whom an answer has ended. A round that
        fails is told and passed over.
        """
        from leadlight.enrich.follow import Steps, Watch, follow
        from leadlight.enrich.run import Wish, enrich

        watch = Watch()

        def read() -> int:
            self.loaded = load_workspace(self.root)
            report = self._ingest((), self.now(), None)
            return watch.read(sum(source.new + source.changed for source in report.sources))

        def look_up(left: float | None) -> EnrichRun:
            rules = (self.loaded.workspace.spec, {name: card.spec for name, card in self.loaded.scorecards.items()})
            with self.store() as engine:
                resolved, leads = self._ready(engine), watch.due(engine, rules, self.now())
            wish = Wish(leads, where, tuple(providers), left, requests, score=not watch.news)
            run = enrich(self.store, resolved, self.root, wish, now=self.now, stop=stop)
            watch.done()
            return run

        steps = Steps(read, look_up, self.score, self.now)
        return follow(steps, every, money=money, stop=stop, told=told, rounds=rounds)

    def forget_provider(self, provider: str) -> Forgotten:
        """Remove all that a provider has said, and what was kept of asking it; values are chosen again without it."""
        from leadlight.enrich.forget import forget_provider

        with self.store(write=True) as engine:
            return forget_provider(engine, self.loaded.workspace.spec.enrich, self.root, provider)

    # ------------------------------------------------------------------------------------- who hears of what changed

    def notify(self, *, dry_run: bool = False, test: str | None = None) -> Delivered | Preview | Rehearsal:
        """Send the messages about changes of grade that are due, as `notify:` in leadlight.yaml says.

        With `dry_run` nothing is sent: what waits is shown as it would be said. `test` names a destination that gets a
        message which says that it is a test.
        """
        from leadlight.notify import deliver

        office = self._office()
        if test is not None:
            return deliver.rehearse(office, test)
        with self.store(write=not dry_run) as engine:
            return deliver.dry(engine, office) if dry_run else deliver.deliver(engine, office)

    def outbox(
        self,
        *,
        state: Sequence[str] = ("waiting", "dead"),
        to: str | None = None,
        replay: Sequence[str] | Literal["all"] | None = None,
        drop: Sequence[str] | Literal["all"] | None = None,
        limit: int = 100,
    ) -> OutboxListing:
        """List what waits and what was put aside, or send the latter again (`replay`), or take it out (`drop`)."""
        from leadlight.notify.listing import changed, listing

        with self.store(write=replay is not None or drop is not None) as engine:
            if replay is not None or drop is not None:
                return changed(engine, replay=replay, drop=drop, now=self.now())
            return listing(engine, state, to=to, limit=limit)

    # --------------------------------------------------------------------------------------- systems leads live in

    def push(
        self,
        connection: str | None = None,
        *,
        dry_run: bool = False,
        limit: int | None = None,
        take_over: Sequence[str] = (),
        again: bool = False,
        score: bool = True,
        among: Sequence[int] | None = None,
        progress: Callable[[str, int, int], None] = lambda _connection, _done, _all: None,
    ) -> PushReport:
        """Write scores back into the systems that leads live in (all, or one connection), as `push:` says.

        Only what changed is written, and nothing that a person wrote, but for the fields to `take_over`. With `dry_run`
        nothing is written: the report shows what would be. `again` tries what was refused before once more. Everybody
        is scored first, unless `score` is false or it is a dry run; `among` are the only leads to look at. Raises
        RemoteError, UsageError.
        """
        from leadlight.connect.opened import open_connection
        from leadlight.connect.push import push_all
        from leadlight.connect.push_aim import aims_of, pushed_connections
        from leadlight.connect.push_house import Wish
        from leadlight.connect.push_report import PushReport

        spec, scored = self.loaded.workspace.spec, set[str]()
        runs: list[PushRun] = []
        wish = Wish(dry_run, limit, tuple(take_over), again, among)
        for name, told in pushed_connections(spec, connection).items():
            made, house = spec.connections[name], self._pushing(told.scorecard)
            marks = self.loaded.workspace.marks
            with open_connection(name, made, self.root, now=self.now, marks=marks) as opened:
                aims, about = aims_of(spec, name, made, opened.connector), opened.connector.about
                with self.store() as engine:
                    card = house.ready(engine)[1].name
                if score and not dry_run and card not in scored:
                    self.score(card)
                    scored.add(card)
                runs += push_all(
                    house, aims, opened.session, opened.limits, system=about.title, wish=wish,
                    progress=partial(progress, name),
                )  # fmt: skip
        return PushReport(tuple(runs))

    def _pushing(self, scorecard: str | None) -> House:
        """Return the workspace as far as writing back needs it."""
        from leadlight.connect.push_house import House

        known = list[tuple[ResolvedWorkspace, ResolvedScorecard]]()

        def ready(engine: Engine) -> tuple[ResolvedWorkspace, ResolvedScorecard]:
            if not known:  # the same for a whole push: statements are made once
                resolved = self._ready(engine)
                known.append((resolved, self._card(resolved, scorecard)))
            return known[0]

        def next_step(engine: Engine, lead: int) -> str | None:
            from leadlight.insight import next_step as insight

            resolved, card = ready(engine)
            found = insight.next_step(engine, _toward(resolved, card), card, lead, self.now(), limit=1)
            return found.steps[0].line if found.steps else None

        return House(self.store, ready, self.now, next_step)

    # ------------------------------------------------------------------------------------------------------ inside

    def _office(self) -> Office:
        from leadlight.notify.office import Office, wording_of

        notify = self.loaded.workspace.spec.notify
        if notify is None:
            raise UsageError(
                "leadlight.yaml does not say who hears of changes of grade",
                fix="Write `notify:` there: destinations, and rules that tell them (docs/howto/notify.md).",
            )
        return Office(notify, wording_of(self.loaded), now=self.now)

    def _given(self) -> Mapping[str, Type]:
        """Return the attributes that `enrich:` can give."""
        if self.loaded.workspace.spec.enrich is None:
            return {}
        from leadlight.enrich.check import given_attributes

        return given_attributes(self.loaded.workspace.spec.enrich, self.root)

    @contextmanager
    def session(self) -> Iterator[Workspace]:
        """Keep the store open for reading over many questions (`explain`, `why`, `rank` …), which makes each quick."""
        with self.store() as engine:
            self._session = (engine, self._ready(engine))
            try:
                yield self
            finally:
                self._session = None

    @contextmanager
    def store(self, *, write: bool = False, create: bool = False) -> Iterator[Engine]:
        """Open the store for a while."""
        from leadlight.store.open import open_store

        if self._session is not None and not write:
            yield self._session[0]
            return
        engine = open_store(self.loaded.workspace.spec.store, self.root, read_only=not write, create=create)
        try:
            yield engine
        finally:
            engine.close()

    def _lead(self, engine: Engine, workspace: ResolvedWorkspace, name: str) -> int:
        from leadlight.store.leads import get_lead

        return get_lead(engine, name, entity=workspace.spec.entity).lead

    def _as_of(self, text: str | datetime | None) -> datetime:
        return self.now() if text is None else parse_moment(text, self.now())

    @staticmethod
    def _since(text: str | datetime | None, until: datetime) -> datetime | None:
        """Return when a span begins; a duration goes back from its end, which need not be now."""
        return None if text is None else parse_moment(text, until)

    def _ready(self, engine: Engine) -> ResolvedWorkspace:
        from leadlight.store.names import catalog

        if self._session is not None and self._session[0] is engine:
            return self._session[1]
        _check_read(engine)
        return self._resolved(catalog(engine))[0]

    def _resolved(self, catalog: Catalog) -> tuple[ResolvedWorkspace, list[Fault]]:
        resolved, faults = resolve(self.loaded, catalog)
        if resolved is None:
            raise SpecError(faults, fix=self._unread(catalog))
        return resolved, [fault for fault in faults if fault.severity == "warning"]

    def _unread(self, catalog: Catalog) -> str | None:
        """Say what to run where the store does not know yet what a connection, or a look-up, gives."""
        from leadlight.sources.lake import locate_lake

        unread = {source.connection for source in self.loaded.workspace.spec.sources.values()
                  if source.connection is not None and not locate_lake(source, self.root)}  # fmt: skip
        if unread:
            return f"Nothing was read of {', '.join(sorted(unread))} yet: run `leadlight sync`."
        known = {*catalog.attributes, *catalog.account_attributes}
        new = [name for name in self._given() if name not in known]
        if not new:
            return None
        names = ", ".join(new[:5]) + (", …" if len(new) > 5 else "")
        return f"The store does not know yet what `enrich:` gives ({names}): run `leadlight ingest`."

    def _catalog(self) -> Catalog:
        """Return the names the store has; without a store, those the sources' headers tell."""
        from leadlight.store.names import catalog

        try:
            with self.store() as engine:
                _check_read(engine)
                return catalog(engine)
        except NotFoundError:
            return self._described()[0]

    def _described(self) -> tuple[Catalog, list[str]]:
        """Return the names the sources' headers tell, over those the store has already."""
        from leadlight.sources.catalog import describe_sources
        from leadlight.sources.check import placed

        described, notes, faults = describe_sources(self.loaded.workspace.spec, self.root, self.loaded.contract)
        with placed(self.loaded.workspace.marks):
            if faults:
                raise DataError(faults)
        return described, notes

    def _card(self, resolved: ResolvedWorkspace, name: str | None) -> ResolvedScorecard:
        cards = resolved.scorecards
        if not cards:
            raise NotFoundError("the workspace has no scorecard", fix="Write one: scorecards/NAME.yaml.")
        if name is None:
            return cards["house"] if "house" in cards else next(iter(cards.values()))
        if name not in cards:
            raise NotFoundError(f"no scorecard {name!r}: {did_you_mean(name, cards)}")
        return cards[name]

    def _file(self, resolved: ResolvedWorkspace, path: Path) -> ResolvedScorecard:
        return _checked(resolve_scorecard(load_scorecard(path), resolved))

    def _published(self, engine: Engine, resolved: ResolvedWorkspace, card: ResolvedScorecard) -> ResolvedScorecard:
        found = self._card_at(engine, resolved, card, None)
        if found is None:
            raise NotFoundError(
                f"{card.name} was never used, so there is nothing to compare with",
                fix="Run `leadlight score` first, or name another file with --against.",
            )
        return found

    def _card_at(
        self, engine: Engine, resolved: ResolvedWorkspace, card: ResolvedScorecard, as_of: datetime | None
    ) -> ResolvedScorecard | None:
        """Return the version of a scorecard that gave the scores at a moment (the last one for None)."""
        from leadlight.spec.stored import document
        from leadlight.store.scorecards import latest

        stored = latest(engine, card.name, as_of=as_of)
        return None if stored is None else _checked(resolve_scorecard(document(card.name, stored.content), resolved))


def check_folder(folder: Path) -> CheckReport:
    """Look at every file in a folder, as `Workspace.check` does, also where some cannot be read as they should."""
    from leadlight.sources.check import check_folder

    return check_folder(folder, enrichment=_enrichment)


def _enrichment(loaded: LoadedWorkspace, catalog: Catalog) -> tuple[Catalog, tuple[Fault, ...]]:
    """Return the names that are known with those that look-ups give; what is wrong with `enrich:`, `connections:`."""
    faults: tuple[Fault, ...] = ()
    if loaded.workspace.spec.connections:
        from leadlight.connect.opened import check_settings

        faults = check_settings(loaded.workspace.spec, loaded.workspace.marks)
    if loaded.workspace.spec.enrich is None:
        return catalog, faults
    from leadlight.enrich.check import check_enrich

    checked = check_enrich(loaded, catalog)
    return checked.known_in(catalog), (*faults, *checked.faults)


def open_workspace(folder: str | Path = ".", *, now: Callable[[], datetime] = utc_now) -> Workspace:
    """Open the workspace in a folder."""
    return Workspace(folder, now=now)


def _check_read(engine: Engine) -> None:
    """Raise NotFoundError where a store is there but nothing was ever read into it: its first reading had faults."""
    if not engine.rows("SELECT 1 FROM files LIMIT 1") and not engine.rows("SELECT 1 FROM leads LIMIT 1"):
        fix = "Run `leadlight ingest`, or `leadlight sync` where there are connections."
        raise NotFoundError("nothing has been read into the store yet", fix=fix)


def _key(engine: Engine, workspace: ResolvedWorkspace, card: ResolvedScorecard, name: str) -> int | str:
    """Return the key of a lead by any id it has, or of an account by its name; say the nearest where there is none."""
    from leadlight.store.accounts import get_account
    from leadlight.store.leads import get_lead

    if card.spec.of == "account":
        return get_account(engine, name)
    return get_lead(engine, name, entity=workspace.spec.entity).lead


def _toward(workspace: ResolvedWorkspace, card: ResolvedScorecard, *, needed: bool = True) -> ResolvedWorkspace:
    """Return the workspace as the scorecard's outcome sees it.

    Raises NotFoundError where the scorecard names none of several; not where no outcome is `needed`.
    """
    if not needed and card.spec.outcome is None and len(workspace.outcomes) > 1:
        return workspace
    return workspace.toward(card.spec.outcome)


def _checked(found: tuple[ResolvedScorecard | None, list[Fault]]) -> ResolvedScorecard:
    card, faults = found
    if card is None:
        raise SpecError(faults)
    return card
