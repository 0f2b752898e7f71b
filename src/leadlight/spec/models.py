"""What the user writes: `leadlight.yaml` (a WorkspaceSpec) and `scorecards/*.yaml` (ScorecardSpecs).

These are the author's objects: frozen, without dialect, with nothing resolved. `spec.load` reads them from YAML and
keeps line numbers; `spec.lint` checks what one model alone cannot know (names, types, gaps between bands).
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Strict, Tag, field_validator, model_validator

from leadlight.spec.base import Factor, Finite, Label, Name, Spec
from leadlight.spec.bots import BotsSpec
from leadlight.spec.clock import ClockSpec
from leadlight.spec.connections import ConnectionSpec
from leadlight.spec.consent import ConsentSpec
from leadlight.spec.durations import Duration
from leadlight.spec.enrich import EnrichSpec
from leadlight.spec.kafka import KafkaSpec
from leadlight.spec.mail import MailSpec
from leadlight.spec.notify import NotifySpec
from leadlight.spec.retain import RetainSpec
from leadlight.spec.service import ServiceSpec

# ------------------------------------------------------------------------------------------------------- sources


class SourceKind(StrEnum):
    """What the records of a source are."""

    LEADS = "leads"
    ACCOUNTS = "accounts"
    EVENTS = "events"
    OUTCOMES = "outcomes"


FORMATS = ("csv", "parquet", "jsonl", "excel", "sql", "connection")
"""The keys that say where a source's records come from."""

CONNECTED: dict[SourceKind | None, dict[str, str]] = {
    SourceKind.LEADS: {"id": "_id", "known_at": "_known_at"},
    SourceKind.ACCOUNTS: {"account": "_id", "known_at": "_known_at"},
    SourceKind.EVENTS: {"message_id": "_id"},
    SourceKind.OUTCOMES: {"message_id": "_id"},
}
"""What the columns that each record of a connection has are used for, unless told otherwise."""


def _told_role(told: dict[str, Any]) -> SourceKind | None:
    """Say what the records of a source are, as far as its keys tell before they are looked at."""
    kind = told.get("kind")
    if isinstance(kind, str):
        return SourceKind(kind) if kind in set(SourceKind) else None
    if "type" in told or "event" in told:
        return SourceKind.EVENTS
    if "id" in told:
        return SourceKind.LEADS
    return SourceKind.OUTCOMES if "lead" in told else SourceKind.ACCOUNTS if "account" in told else None


class SourceSpec(Spec):
    """Where records come from and which column is what.

    Exactly one of `csv`, `parquet`, `jsonl`, `excel`, `sql`, `connection` says where. What the records are follows from
    the keys: `outcome` with `lead` makes outcomes; `type` or `event` makes events; `id` makes leads; `account` alone
    makes accounts; `kind` says it outright. Column names are matched as they stand in the file, or in snake case.

    Records of a `connection` have columns of their own besides those of the system, which are used unless told
    otherwise: `_id` (for `id`, `account` of accounts, `message_id`) and `_known_at` (for `known_at`).
    """

    csv: str | None = Field(None, description="path or glob of CSV files, also .gz and .zst")
    parquet: str | None = Field(None, description="path or glob of Parquet files")
    jsonl: str | None = Field(None, description="path or glob of files with one JSON object a line, also .gz and .zst")
    excel: str | None = Field(None, description="path or glob of .xlsx, .xls, .xlsb or .ods files")
    sql: str | None = Field(None, description="duckdb:FILE, sqlite:FILE or postgresql://… (with ${VARIABLES})")
    connection: Name | None = Field(None, description="one of `connections:`, which `leadlight sync` reads")
    object: str | None = Field(None, min_length=1, description="with connection: what is read of it (contacts, Lead)")
    table: str | None = Field(None, description="the table to read, with sql")
    query: str | None = Field(None, description="the query to read, with sql")
    sheet: str | None = Field(None, description="the sheet to read, with excel; the first unless told")

    kind: SourceKind | None = Field(
        None, strict=False, description="what the records are, where the keys alone do not tell"
    )
    id: str | None = Field(None, description="leads: the column that names the lead")
    lead: str | None = Field(None, description="events and outcomes: the column that names the lead")
    account: str | None = Field(None, description="the column that names the lead's account")
    created_at: str | None = Field(None, description="leads: the column that says when the lead came to exist")
    known_at: str | None = Field(None, description="leads, accounts: since when a row's values are known")
    at: str | None = Field(None, description="events and outcomes: the column that says when it happened")
    type: str | None = Field(None, description="events: the column that holds the event's type")
    event: str | None = Field(None, description="events: the type of all events of this source")
    message_id: str | None = Field(None, description="events: the column with a unique id; without it, the content is")
    outcome: str | None = Field(None, description="outcomes, or leads with an outcome column: what finally happened")
    outcome_is: str | None = Field(
        None, min_length=1, description="outcomes: what finally happened in every row of this source"
    )
    value: str | None = Field(None, description="outcomes: the column that holds the worth")
    prefix: str | None = Field(
        None, description="put before ids of leads and accounts; with connection its name and a colon, unless told"
    )
    merge_by: str | None = Field("email", description="leads: attribute by which duplicates merge; null for by id only")

    columns: dict[Name, str] | list[str] | None = Field(
        None, description="which columns to keep: a list of headers, or our name for each header; all unless told"
    )
    rename: dict[Name, str] = Field(
        default_factory=dict, description="our name for headers; the other columns keep their own, unlike with columns"
    )
    drop: list[str] = Field(default_factory=list, description="columns not to read")
    where: str | None = Field(
        None, description="a condition over the file's columns (in snake case); other rows are left out and counted"
    )
    types: dict[str, Literal["number", "text", "bool", "time"]] = Field(
        default_factory=dict, description="types to use instead of those found"
    )
    missing: list[str] = Field(default_factory=list, description="texts that mean: no value (empty always does)")
    dates: str | None = Field(
        None, description="how times are written: day_first, month_first, unix, or a strptime format"
    )
    timezone: str = Field("UTC", description="the zone of times that name none")
    decimal: Literal[".", ","] = Field(".", description="the decimal mark of numbers")
    delimiter: str | None = Field(None, description="found out unless told")
    encoding: str | None = Field(None, description="found out unless told")
    reject_limit: float = Field(
        0.01, ge=0, le=1, description="the share of unreadable rows above which nothing is read"
    )

    @property
    def format(self) -> str:
        """The key that says where: csv, parquet, jsonl, excel, sql or connection."""
        return next(key for key in FORMATS if getattr(self, key) is not None)

    @property
    def location(self) -> str:
        """The path, glob or address."""
        return f"{self.connection}:{self.object}" if self.connection else str(getattr(self, self.format))

    def header(self, name: str) -> str:
        """The header behind one of our names, where `rename` or `columns` gives one; else the name itself."""
        mapped = self.columns if isinstance(self.columns, dict) else {}
        return self.rename.get(name) or mapped.get(name, name)

    @property
    def role(self) -> SourceKind:
        """What the records are, stated or as the keys tell."""
        if self.kind is not None:
            return self.kind
        if self.type is not None or self.event is not None:
            return SourceKind.EVENTS
        if self.id is not None:
            return SourceKind.LEADS
        return SourceKind.OUTCOMES if self.lead is not None else SourceKind.ACCOUNTS

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, told: Any) -> Any:
        """Let the columns that each record of a connection has stand for what they are meant for."""
        if not isinstance(told, dict) or not isinstance(told.get("connection"), str):
            return told
        own = CONNECTED.get(_told_role(told), {})
        prefix = {"prefix": f"{told['connection']}:"}
        return {**{key: value for key, value in {**own, **prefix}.items() if key not in told}, **told}

    @model_validator(mode="after")
    def _check(self) -> SourceSpec:
        given = [key for key in FORMATS if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(f"a source needs exactly one of {', '.join(FORMATS)}; found {', '.join(given) or 'none'}")
        if (self.object is None) != (self.connection is None):
            raise ValueError("a source of a connection needs both: connection (its name) and object (what is read)")
        if self.connection is not None and self.kind is None and self.role is SourceKind.ACCOUNTS:
            raise ValueError("say what the records of this object are: kind: leads, accounts, events or outcomes")
        if (self.table is None) == (self.query is None) and self.sql is not None:
            raise ValueError("a sql source needs exactly one of table and query")
        if self.sql is None and (self.table or self.query):
            raise ValueError("table and query go with sql")
        if self.rename and isinstance(self.columns, dict):
            raise ValueError("columns gives our names already: put those of rename there, or list headers in columns")
        needs = {
            SourceKind.LEADS: ["id"],
            SourceKind.ACCOUNTS: ["account"],
            SourceKind.EVENTS: ["lead", "at"],
            SourceKind.OUTCOMES: ["lead"],
        }[self.role]
        absent = [key for key in needs if getattr(self, key) is None]
        if absent:
            raise ValueError(f"a source of {self.role} needs {', '.join(absent)}")
        if self.role is SourceKind.EVENTS and (self.type is None) == (self.event is None):
            raise ValueError("a source of events needs exactly one of type (a column) and event (a fixed type)")
        if self.role is SourceKind.OUTCOMES and (self.outcome is None) == (self.outcome_is is None):
            raise ValueError("a source of outcomes needs exactly one of outcome (a column) and outcome_is (what it is)")
        if self.role is not SourceKind.OUTCOMES and self.outcome_is is not None:
            raise ValueError(f"outcome_is goes with a source of outcomes, which has `lead`; this is one of {self.role}")
        return self


class TreatmentSpec(Spec):
    """Who got the treatment of a randomised campaign, and who was held back to compare with.

    Both are conditions over attributes and features; leads of neither (another arm) are left out and counted.
    """

    treated: str = Field(description="true for those who got the treatment: \"segment = 'Mens E-Mail'\"")
    control: str | None = Field(None, description="true for those held back; everybody else unless told")
    share: float | None = Field(
        None, gt=0, lt=1, description="the share of both arms that was meant to be treated; as found unless told"
    )


class OutcomeSpec(Spec):
    """Which outcomes are wins and losses, and how far ahead an outcome counts.

    `win` and `lose` are conditions over the outcome column (by its own name or as `outcome`) and `value`. With
    `repeats` a win closes nothing: as of a moment, wins before are history and a win within the horizon is what counts.
    """

    win: str
    lose: str | None = None
    horizon: Duration = timedelta(days=90)
    repeats: bool = Field(
        default=False, description="a win may come again (a purchase, a renewal): only `lose` closes, worth adds up"
    )
    called: str = Field("won", min_length=1, max_length=40, description="what became of a lead that is won: exploited")
    noun: str | None = Field(None, min_length=1, max_length=40, description="what a win is called: exploit, renewal")
    worth: str = Field("worth", min_length=1, max_length=40, description="what the worth of a win is called: impact")
    treatment: TreatmentSpec | None = Field(
        None, description="a randomised campaign: `leadlight uplift` learns who is moved by it"
    )


# ------------------------------------------------------------------------------------------------------ features


class AttributeFeature(Spec):
    """The value of an attribute as of the moment."""

    attribute: Name


class ExprFeature(Spec):
    """The value of an SQL expression over attributes and other features."""

    expr: str


class AgeFeature(Spec):
    """Days from a moment (`created_at`, or an attribute that is a time) to the as-of; negative when it lies ahead."""

    age: Name


class UntilFeature(Spec):
    """Days from the as-of to a moment (an attribute or feature that is a time); negative when it has passed."""

    until: Name


class AfterFeature(Spec):
    """A moment that lies a duration after another (`created_at`, an attribute or feature that is a time).

    With `by`, the duration is the one named for the value of that attribute or feature; `other` is for values not
    named, which have no such moment without it. All hours of all days count: there is no calendar of office hours.
    """

    after: Name
    plus: Duration | dict[str | bool | int | float, Duration]
    by: Name | None = Field(None, description="the attribute or feature whose value picks the duration")
    other: Duration | None = Field(None, description="for values that `plus` does not name")

    @model_validator(mode="after")
    def _check(self) -> AfterFeature:
        if isinstance(self.plus, dict) != (self.by is not None):
            raise ValueError("`by` names the attribute whose values `plus` gives durations for: they come together")
        if self.other is not None and self.by is None:
            raise ValueError("`other` goes with `by`")
        return self


class _EventFeature(Spec):
    where: str | None = Field(default=None, description="a condition over the event's properties")
    within: Duration | None = Field(default=None, description="how far back to look; without it, all the past")


class CountFeature(_EventFeature):
    """How many events; 0 when none. The type `*` stands for any."""

    count: str


class SumFeature(_EventFeature):
    """The sum of a property over events; 0 when there are none."""

    sum: str
    property: Name


class MinFeature(_EventFeature):
    """The least value of a property over events; missing when none."""

    min: str
    property: Name


class MaxFeature(_EventFeature):
    """The greatest value of a property over events; missing when none."""

    max: str
    property: Name


class AvgFeature(_EventFeature):
    """The mean of a property over events; missing when none."""

    avg: str
    property: Name


class DistinctFeature(_EventFeature):
    """How many different values of a property; 0 when none."""

    distinct: str
    property: Name


class ShareFeature(_EventFeature):
    """The share of the events of this type (within the window) that satisfy `where`; missing when there are none."""

    share: str
    where: str


class RecencyFeature(_EventFeature):
    """Days from the last such event to the as-of; missing when none."""

    recency: str


class SinceFirstFeature(_EventFeature):
    """Days from the first such event to the as-of (tenure); missing when none."""

    since_first: str


class IntervalFeature(_EventFeature):
    """The mean days between one such event and the next: (last - first) / (n - 1); missing for fewer than two."""

    interval: str


class SessionsFeature(_EventFeature):
    """How many sessions: runs of such events in which no silence is longer than `gap`; 0 when there are no events.

    Counted among the events that match and lie in the window: one that the window cuts counts by what is left of it.
    """

    sessions: str
    gap: Duration


class DecayedFeature(_EventFeature):
    """The sum of 2^(-age / half_life) over events, times a property where one is named; 0 when none."""

    decayed: str
    half_life: Duration
    property: Name | None = None


class TrendFeature(_EventFeature):
    """Events of the last window (n) against those of the window before (p): (n - p) / (n + p), missing when none."""

    trend: str
    within: Duration


class DistinctLeadsFeature(_EventFeature):
    """How many different leads of the account have such an event; only inside `account`."""

    distinct_leads: str


class LeadSumFeature(Spec):
    """The sum of an attribute or feature over the leads of the account; only inside `account`."""

    sum: Name


class LeadMaxFeature(Spec):
    """The greatest value of an attribute or feature over the leads of the account; only inside `account`."""

    max: Name


def _event_tag(value: Any) -> str | None:
    keys = (
        "count", "sum", "min", "max", "avg", "distinct", "share", "recency", "since_first", "interval", "sessions",
        "decayed", "trend", "distinct_leads",
    )  # fmt: skip
    found = [key for key in keys if _has(value, key)]
    if len(found) != 1:
        return None
    if found[0] in ("sum", "max") and not _has(value, "property"):
        return f"lead_{found[0]}"
    return found[0]


def _has(value: Any, key: str) -> bool:
    if isinstance(value, BaseModel):
        return getattr(value, key, None) is not None
    return isinstance(value, dict) and key in value


EventFeature = (
    CountFeature | SumFeature | MinFeature | MaxFeature | AvgFeature | DistinctFeature | ShareFeature
    | RecencyFeature | SinceFirstFeature | IntervalFeature | SessionsFeature | DecayedFeature | TrendFeature
)  # fmt: skip


class AccountFeature(Spec):
    """A feature over the events, or the leads, of the whole account."""

    account: Annotated[
        Annotated[CountFeature, Tag("count")]
        | Annotated[SumFeature, Tag("sum")]
        | Annotated[MinFeature, Tag("min")]
        | Annotated[MaxFeature, Tag("max")]
        | Annotated[AvgFeature, Tag("avg")]
        | Annotated[DistinctFeature, Tag("distinct")]
        | Annotated[ShareFeature, Tag("share")]
        | Annotated[RecencyFeature, Tag("recency")]
        | Annotated[SinceFirstFeature, Tag("since_first")]
        | Annotated[IntervalFeature, Tag("interval")]
        | Annotated[SessionsFeature, Tag("sessions")]
        | Annotated[DecayedFeature, Tag("decayed")]
        | Annotated[TrendFeature, Tag("trend")]
        | Annotated[DistinctLeadsFeature, Tag("distinct_leads")]
        | Annotated[LeadSumFeature, Tag("lead_sum")]
        | Annotated[LeadMaxFeature, Tag("lead_max")],
        Discriminator(
            _event_tag,
            custom_error_type="feature_kind",
            custom_error_message=(
                "an account feature needs exactly one of count, sum, min, max, avg, distinct, share, recency, "
                "since_first, interval, sessions, decayed, trend, distinct_leads"
            ),
        ),
    ]


def _feature_tag(value: Any) -> str | None:
    found = [key for key in ("attribute", "expr", "age", "until", "after", "account") if _has(value, key)]
    tag = _event_tag(value)
    if tag in ("lead_sum", "lead_max"):
        tag = tag.removeprefix("lead_")
    if tag == "distinct_leads":
        return None
    found += [tag] if tag else []
    return found[0] if len(found) == 1 else None


Feature = Annotated[
    Annotated[AttributeFeature, Tag("attribute")]
    | Annotated[ExprFeature, Tag("expr")]
    | Annotated[AgeFeature, Tag("age")]
    | Annotated[UntilFeature, Tag("until")]
    | Annotated[AfterFeature, Tag("after")]
    | Annotated[AccountFeature, Tag("account")]
    | Annotated[CountFeature, Tag("count")]
    | Annotated[SumFeature, Tag("sum")]
    | Annotated[MinFeature, Tag("min")]
    | Annotated[MaxFeature, Tag("max")]
    | Annotated[AvgFeature, Tag("avg")]
    | Annotated[DistinctFeature, Tag("distinct")]
    | Annotated[ShareFeature, Tag("share")]
    | Annotated[RecencyFeature, Tag("recency")]
    | Annotated[SinceFirstFeature, Tag("since_first")]
    | Annotated[IntervalFeature, Tag("interval")]
    | Annotated[SessionsFeature, Tag("sessions")]
    | Annotated[DecayedFeature, Tag("decayed")]
    | Annotated[TrendFeature, Tag("trend")],
    Discriminator(
        _feature_tag,
        custom_error_type="feature_kind",
        custom_error_message=(
            "a feature needs exactly one of attribute, expr, age, until, after, count, sum, min, max, avg, distinct, "
            "share, recency, since_first, interval, sessions, decayed, trend, account"
        ),
    ),
]


# ----------------------------------------------------------------------------------------------------- workspace


class LearnSpec(Spec):
    """How `learn` looks at the past; everything may be left out."""

    moments: list[Duration] | None = Field(
        None, description="how long after its creation a lead is looked at, beside its creation, as long as it is open"
    )
    every: Duration | None = Field(
        None, description="look at all leads that are open on a common calendar grid with this step"
    )
    order: Name | None = Field(None, description="an attribute that rises with time, where leads have no dates")
    candidates: bool = Field(default=True, description="make features from attributes and events beside those named")
    keep: list[Name] = Field(default_factory=list, description="features to learn from although they look like leaks")
    leave_out: list[Name] = Field(default_factory=list, description="features never to learn from")
    protected: list[Name] = Field(
        default_factory=list, description="attributes never learned from; outcomes are compared between their groups"
    )
    line: str | Finite | None = Field(
        None, description="the grade (or score) from which on leads are chosen: where protected groups are compared"
    )
    monotone: dict[Name, Literal["rising", "falling"]] = Field(
        default_factory=dict, description="features whose points may only rise, or fall, with the value"
    )
    beside: dict[Label, str] = Field(
        default_factory=dict,
        description="numbers people rank by today, the higher the sooner: they stand beside scorecards that are judged",
    )
    capacity: float | None = Field(
        None, gt=0, le=1, description="the share of leads one can take care of; what is found among them is told"
    )

    @property
    def ages(self) -> list[timedelta]:
        """How long after its creation a lead is looked at: 0 and the moments; never where only a grid is named."""
        if self.moments is None and self.every is not None:
            return []
        return [timedelta(0), *(self.moments or [])]

    @property
    def grid(self) -> timedelta | None:
        """The step of the calendar grid: that named, or a month where neither it nor moments are."""
        return timedelta(days=30) if self.moments is None and self.every is None else self.every


Deadline = Annotated[
    Annotated[Name, Tag("name")] | Annotated[AfterFeature, Tag("after")],
    Discriminator(lambda value: "name" if isinstance(value, str) else "after"),
]
"""When a lead is due: an attribute or feature that is a time, or a duration after another."""


class AllocateSpec(Spec):
    """What `allocate` gives away, and who needs how much of it; each key can be told on the command line, too."""

    capacity: dict[Name, Annotated[float, Field(ge=0, allow_inf_nan=False)] | str] = Field(
        default_factory=dict, description="how much there is of each resource; with pools, a column of theirs"
    )
    need: dict[Name, Name | Annotated[float, Field(ge=0, allow_inf_nan=False)]] = Field(
        default_factory=dict,
        description="how much of it a lead takes: an attribute or feature, or a number; 1 unless told",
    )
    pools: str | list[dict[str, Any]] | None = Field(
        None, description="who or what has it: a CSV or YAML file, or a list of maps; one row an agent, a node, a team"
    )
    pool: str | None = Field(None, description="the column that names a pool; the first unless told")
    per: Name | None = Field(None, description="the attribute or feature that says which pool a lead must go to")
    where: str | None = Field(None, description="a condition; only leads for which it is true ask; all unless told")
    fits: str | None = Field(
        None, description="a condition on leads and pools (pool_ before a pool's column): which may serve which"
    )
    spread: bool = Field(False, description="share the work out evenly, where one pool would be filled after another")


class AccountsSpec(Spec):
    """How leads get an account where no source and no call gives them one."""

    by: Literal["email_domain"] = Field(
        description="by the domain of their e-mail address, unless that is a provider's"
    )
    attribute: Name = Field("email", description="the attribute that holds the address")


class WorkspaceSpec(Spec):
    """The file `leadlight.yaml`."""

    entity: str = Field(
        "lead", pattern=r"^[A-Za-z][A-Za-z _-]{0,38}[A-Za-z]$", description="what a lead is called here"
    )
    action: str = Field(
        "called", min_length=1, max_length=40, description="what is done with those ranked first: patched, taken up"
    )
    store: str = Field("duckdb:leadlight.duckdb", description="where the store lies: duckdb:FILE")
    connections: dict[Name, ConnectionSpec] = Field(
        default_factory=dict, description="systems that leads live in: `sync` reads them, `push` writes scores back"
    )
    sources: dict[Name, SourceSpec] = Field(default_factory=dict)
    outcome: OutcomeSpec | None = None
    outcomes: dict[Name, OutcomeSpec] = Field(
        default_factory=dict, description="further outcomes by name (renewal, churn …), each with scorecards of its own"
    )
    features: dict[Name, Feature] = Field(default_factory=dict)
    exclude: str | None = Field(None, description="a condition; leads for which it is true are never scored")
    deadline: Deadline | None = Field(
        None, description="an attribute or feature that is a time, or {after: …, plus: …}; gives the feature days_left"
    )
    allocate: AllocateSpec = Field(default_factory=lambda: AllocateSpec(), description="defaults of `allocate`")
    learn: LearnSpec = LearnSpec()
    enrich: EnrichSpec | None = Field(None, description="how leads are looked up outside; nobody is asked without it")
    mail: MailSpec | None = Field(None, description="how webhooks of mail providers are known to be theirs")
    bots: BotsSpec | None = Field(BotsSpec(), description="which events nobody did, so that they do not score")
    consent: ConsentSpec | None = Field(None, description="which events count only with the person's consent")
    accounts: AccountsSpec | None = Field(None, description="how leads without an account get one")
    kafka: KafkaSpec | None = Field(None, description="topics that `leadlight serve` reads events from")
    notify: NotifySpec | None = Field(None, description="who hears of changes of grade; nobody does without it")
    clock: ClockSpec = Field(default_factory=ClockSpec, description="when time alone has moved scores")
    retain: RetainSpec = Field(default_factory=RetainSpec, description="what `leadlight retain` takes out of the store")
    service: ServiceSpec = Field(default_factory=ServiceSpec, description="how `serve` is reached, who may log in")


# ----------------------------------------------------------------------------------------------------- scorecards


class _Criterion(Spec):
    name: Label
    letter: Label | None = Field(None, description="its wording as a reason in a letter; the name unless told")


class CategoryCriterion(_Criterion):
    """Points by the value of a feature: a map from value to points, `other` for the rest, `missing` for none."""

    feature: Name
    points: dict[str | bool | int | float, Finite]
    missing: Finite = 0.0
    other: Finite = 0.0


Band = Annotated[tuple[Finite | None, Finite | None, Finite], Strict(False)]
"""`[low, high, points]`: low <= value < high; null is no bound."""


class BandCriterion(_Criterion):
    """Points by the half-open band a numeric feature falls in."""

    feature: Name
    bands: list[Band] = Field(min_length=1)
    missing: Finite = 0.0
    other: Finite | None = Field(None, description="points for gaps between bands; without it gaps are a fault")


class PairCriterion(_Criterion):
    """Points by two features at once: a table whose rows are the first feature's and columns the second's values.

    A feature with `bands: {name: [c1, c2]}` has the cells below c1, c1 up to c2, from c2; another is categorical. A
    categorical first feature makes the table a map from value to row; a categorical second one makes each row a map.
    `other` as a key stands for the other values; `missing` points are given when either value is missing.
    """

    features: Annotated[tuple[Name, Name], Strict(False)]
    bands: dict[Name, list[Finite]] = Field(default_factory=dict)
    table: dict[str | bool | int | float, Any] | list[Any]
    missing: Finite = 0.0
    other: Finite = 0.0


class EventCriterion(_Criterion):
    """Points for every matching event: points x sum of decay, of the `first` events only, at most `max`."""

    event: str = Field(description="the event's type; * for any")
    points: Finite
    where: str | None = None
    within: Duration | None = None
    half_life: Duration | None = None
    first: int | None = Field(None, ge=1, le=1_000_000, description="only the n earliest events (in the window) count")
    max: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="the largest size of the points, either sign"
    )


class WhenCriterion(_Criterion):
    """Points when a condition over attributes and features is true; unknown is not true."""

    when: str
    points: Finite


def _criterion_tag(value: Any) -> str | None:
    found = [key for key in ("feature", "features", "event", "when") if _has(value, key)]
    if len(found) != 1:
        return None
    if found[0] == "feature":
        return "bands" if _has(value, "bands") else "category"
    return found[0]


Criterion = Annotated[
    Annotated[CategoryCriterion, Tag("category")]
    | Annotated[BandCriterion, Tag("bands")]
    | Annotated[PairCriterion, Tag("features")]
    | Annotated[EventCriterion, Tag("event")]
    | Annotated[WhenCriterion, Tag("when")],
    Discriminator(
        _criterion_tag,
        custom_error_type="criterion_kind",
        custom_error_message="a criterion needs exactly one of feature, features, event, when",
    ),
]


class GroupSpec(Spec):
    """Criteria that belong together, and the limits of their sum."""

    cap: Annotated[tuple[Finite | None, Finite | None], Strict(False)] = (None, None)
    criteria: list[Criterion] = Field(default_factory=list)

    @field_validator("cap")
    @classmethod
    def _ordered(cls, cap: tuple[float | None, float | None]) -> tuple[float | None, float | None]:
        low, high = cap
        if low is not None and high is not None and low > high:
            raise ValueError(f"cap is [lowest, highest]; found {low:g} above {high:g}")
        return cap


class GateSpec(Spec):
    """A hard rule: when it is true the grade is this, whatever the points."""

    name: Label
    when: str
    grade: str
    letter: Label | None = Field(None, description="its wording as a reason in a letter; the name unless told")


class Hysteresis(Spec):
    """How far below its threshold a grade is left, and how long one is held at least before it falls."""

    margin: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    dwell: Duration | None = None


class GradesSpec(BaseModel):
    """One or two axes, each a group's name (or `score`) with levels and their lower bounds; null is no bound."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)
    __pydantic_extra__: dict[str, dict[str | int, Finite | None]]

    hysteresis: Hysteresis = Hysteresis()

    @property
    def axes(self) -> dict[str, list[tuple[str, float | None]]]:
        """Axis name → levels from the lowest to the highest, as (label, lower bound)."""
        return {
            axis: sorted(
                ((str(label), bound) for label, bound in levels.items()),
                key=lambda item: float("-inf") if item[1] is None else item[1],
            )
            for axis, levels in (self.__pydantic_extra__ or {}).items()
        }

    @property
    def labels(self) -> list[str]:
        """All grades, the best first: the levels of one axis, or every pair of the two, as in A1."""
        axes = [[label for label, _ in reversed(levels)] for levels in self.axes.values()]
        return axes[0] if len(axes) == 1 else [first + second for first in axes[0] for second in axes[1]]

    @model_validator(mode="after")
    def _check(self) -> GradesSpec:
        extra = self.__pydantic_extra__ or {}
        if not 1 <= len(extra) <= 2:
            raise ValueError(f"grades need one or two axes (groups, or score); found {len(extra)}")
        for axis, levels in extra.items():
            if sum(bound is None for bound in levels.values()) != 1:
                raise ValueError(f"axis {axis!r} needs exactly one level without a lower bound (null)")
            bounds = [bound for bound in levels.values() if bound is not None]
            if len(set(bounds)) != len(bounds):
                raise ValueError(f"axis {axis!r} has two levels with the same lower bound")
        return self


class ScaleSpec(Spec):
    """How points relate to odds."""

    double_odds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 20.0


Probability = Annotated[float, Field(ge=0, le=1)]


class CalibrationSpec(Spec):
    """Score → probability: straight lines between the points given, flat beyond the ends.

    `low` and `high` are the ends of the interval that holds the win rate of leads with such a score.
    """

    score: list[Finite] = Field(min_length=1)
    probability: list[Probability] = Field(min_length=1)
    low: list[Probability] | None = None
    high: list[Probability] | None = None

    @model_validator(mode="after")
    def _check(self) -> CalibrationSpec:
        if len(self.score) != len(self.probability):
            raise ValueError(f"{len(self.score)} scores but {len(self.probability)} probabilities")
        if (self.low is None) != (self.high is None):
            raise ValueError("low and high come together")
        for name, ends in (("low", self.low), ("high", self.high)):
            if ends is not None and len(ends) != len(self.score):
                raise ValueError(f"{len(self.score)} scores but {len(ends)} values of {name}")
        if any(a >= b for a, b in zip(self.score, self.score[1:], strict=False)):
            raise ValueError("the scores of a calibration must rise")
        return self


class EffectSpec(Spec):
    """Score → uplift: by how much the treatment raises the win rate of leads with such a score (0.021 is 2.1 points).

    Straight lines between the points given, flat beyond the ends; `low` and `high` are the ends of the interval.
    """

    score: list[Finite] = Field(min_length=1)
    uplift: list[Annotated[float, Field(ge=-1, le=1)]] = Field(min_length=1)
    low: list[Annotated[float, Field(ge=-1, le=1)]] | None = None
    high: list[Annotated[float, Field(ge=-1, le=1)]] | None = None

    @model_validator(mode="after")
    def _check(self) -> EffectSpec:
        if (self.low is None) != (self.high is None):
            raise ValueError("low and high come together")
        for name, values in (("uplift", self.uplift), ("low", self.low), ("high", self.high)):
            if values is not None and len(values) != len(self.score):
                raise ValueError(f"{len(self.score)} scores but {len(values)} values of {name}")
        if any(a >= b for a, b in zip(self.score, self.score[1:], strict=False)):
            raise ValueError("the scores of an effect must rise")
        return self


class WorthCategory(_Criterion):
    """A factor of the worth by the value of a feature."""

    feature: Name
    factors: dict[str | bool | int | float, Factor]
    missing: Factor = 1.0
    other: Factor = 1.0


class WorthBands(_Criterion):
    """A factor of the worth by the half-open band a numeric feature falls in."""

    feature: Name
    bands: list[Annotated[tuple[Finite | None, Finite | None, Factor], Strict(False)]] = Field(min_length=1)
    missing: Factor = 1.0
    other: Factor = 1.0


class WorthSpec(Spec):
    """What a win brings: the base times every factor."""

    base: Factor
    criteria: list[
        Annotated[
            Annotated[WorthCategory, Tag("factors")] | Annotated[WorthBands, Tag("bands")],
            Discriminator(
                lambda value: "bands" if _has(value, "bands") else "factors" if _has(value, "factors") else None,
                custom_error_type="worth_kind",
                custom_error_message="a criterion of the worth needs exactly one of factors, bands",
            ),
        ]
    ] = Field(default_factory=list)


class ScorecardSpec(Spec):
    """A file `scorecards/NAME.yaml`, hand-written or learned."""

    title: str | None = Field(None, description="a name for people")
    of: Literal["lead", "account"] = Field("lead", description="what receives the score")
    outcome: Name | None = Field(None, description="which of `outcomes` it is about: judged, learned, calibrated by")
    features: dict[Name, Feature] = Field(
        default_factory=dict, description="features of this scorecard alone, beside those of the workspace"
    )
    base: Finite = 0.0
    groups: dict[Name, GroupSpec] = Field(min_length=1)
    gates: list[GateSpec] = Field(default_factory=list)
    grades: GradesSpec | None = None
    scale: ScaleSpec | None = None
    calibration: CalibrationSpec | None = None
    effect: EffectSpec | None = Field(None, description="what the treatment changes, by score; of an uplift scorecard")
    worth: WorthSpec | None = Field(None, description="what a win brings, by feature; ranks by expected value")
    learned: dict[str, Any] | None = Field(None, description="where learned numbers come from")
