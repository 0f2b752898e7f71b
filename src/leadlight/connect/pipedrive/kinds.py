"""The objects of Pipedrive that are read: where they are, and the fields that every account has."""

from __future__ import annotations

from dataclasses import dataclass

from leadlight.connect.protocol import Field
from leadlight.expr.types import Type


@dataclass(frozen=True, slots=True)
class Kind:
    """An object, and how Pipedrive gives it."""

    name: str
    title: str
    paths: tuple[str, ...]
    """Where its records are listed: the living first, then those put away (which count all the same)."""
    fields: tuple[Field, ...]
    described: str | None = None
    """Where its fields are described, custom ones too."""
    optional: frozenset[str] = frozenset()
    """Fields that have to be asked for (`include_fields`)."""
    recent: str | None = None
    """What `recents` calls it: the only place that tells of deletions."""
    newest: bool = True
    """Whether its list is of API v2: cursors, `updated_since`, and order by `update_time`."""
    task: str | None = None
    """What a task or a note calls a record of this object."""


def _field(name: str, kind: Type = Type.TEXT, label: str = "", *, writable: bool = False) -> Field:
    return Field(name, kind, label or name.replace("_", " ").capitalize(), writable=writable)


TIMES = (_field("add_time", Type.TIME, "Added"), _field("update_time", Type.TIME, "Last changed"))
COUNTS = ("email_messages_count", "done_activities_count", "undone_activities_count", "notes_count")

PERSONS = Kind(
    "persons",
    "People",
    ("/api/v2/persons",),
    (
        *(_field(name) for name in ("name", "first_name", "last_name", "email", "phone", "job_title")),
        _field("org_id", label="Organization"),
        _field("owner_id", label="Owner"),
        _field("labels"),
        *TIMES,
        *(_field(name, Type.NUMBER) for name in COUNTS),
        _field("last_incoming_mail_time", Type.TIME, "Last e-mail received"),
        _field("last_outgoing_mail_time", Type.TIME, "Last e-mail sent"),
        _field("marketing_status", label="Marketing status (with Campaigns)"),
    ),
    described="/api/v2/personFields",
    optional=frozenset({*COUNTS, "last_incoming_mail_time", "last_outgoing_mail_time", "marketing_status"}),
    recent="person",
    task="person_id",
)
ORGANIZATIONS = Kind(
    "organizations",
    "Organizations",
    ("/api/v2/organizations",),
    (
        *(_field(name) for name in ("name", "website", "linkedin", "industry")),
        _field("annual_revenue", Type.NUMBER),
        _field("employee_count", Type.NUMBER, "Employees"),
        *(_field(name) for name in ("address", "city", "region", "country", "postal_code")),
        _field("owner_id", label="Owner"),
        _field("labels"),
        *TIMES,
        _field("people_count", Type.NUMBER, "People"),
    ),
    described="/api/v2/organizationFields",
    optional=frozenset({"people_count"}),
    recent="organization",
    task="org_id",
)
DEALS = Kind(
    "deals",
    "Deals",
    ("/api/v2/deals", "/api/v2/deals/archived"),
    (
        _field("title"),
        _field("status", label="Status (open, won, lost)"),
        _field("value", Type.NUMBER),
        _field("currency"),
        _field("person_id", label="Person"),
        _field("org_id", label="Organization"),
        _field("stage"),
        _field("pipeline"),
        *(_field(name) for name in ("stage_id", "pipeline_id", "lost_reason", "origin", "channel", "labels")),
        _field("owner_id", label="Owner"),
        _field("probability", Type.NUMBER),
        *TIMES,
        *(_field(name, Type.TIME) for name in ("stage_change_time", "close_time", "won_time", "lost_time")),
        _field("expected_close_date", Type.TIME),
        _field("is_archived", Type.BOOL, "Archived"),
        _field("source_lead_id", label="Lead it was made from"),
    ),
    described="/api/v2/dealFields",
    optional=frozenset({"source_lead_id"}),
    recent="deal",
    task="deal_id",
)
ACTIVITIES = Kind(
    "activities",
    "Activities",
    ("/api/v2/activities",),
    (
        *(_field(name) for name in ("subject", "type", "note", "duration")),
        _field("done", Type.BOOL),
        _field("marked_as_done_time", Type.TIME, "Done at"),
        _field("due_date", Type.TIME),
        _field("person_id", label="Person"),
        _field("org_id", label="Organization"),
        _field("deal_id", label="Deal"),
        _field("lead_id", label="Lead"),
        _field("owner_id", label="Owner"),
        *TIMES,
    ),
    described="/api/v2/activityFields",
    recent="activity",
)
LEADS = Kind(
    "leads",
    "Leads (inbox)",
    ("/api/v1/leads", "/api/v1/leads/archived"),
    (
        *(_field(name) for name in ("title", "source_name", "origin", "channel")),
        _field("person_id", label="Person"),
        _field("organization_id", label="Organization"),
        _field("owner_id", label="Owner"),
        _field("value", Type.NUMBER),
        _field("currency"),
        _field("expected_close_date", Type.TIME),
        _field("is_archived", Type.BOOL, "Archived"),
        _field("was_seen", Type.BOOL, "Seen"),
        *TIMES,
    ),
    described="/api/v2/dealFields",  # leads inherit the custom fields of deals
    newest=False,
    task="lead_id",
)
NOTES = Kind(
    "notes",
    "Notes",
    ("/api/v1/notes",),
    (
        _field("content"),
        _field("person_id", label="Person"),
        _field("org_id", label="Organization"),
        _field("deal_id", label="Deal"),
        _field("lead_id", label="Lead"),
        _field("user_id", label="Author"),
        *TIMES,
    ),
    recent="note",
    newest=False,
)

KINDS = {kind.name: kind for kind in (PERSONS, ORGANIZATIONS, DEALS, ACTIVITIES, LEADS, NOTES)}
