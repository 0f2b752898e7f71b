"""Reading activities, and opportunities by who plays a part in them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from leadlight.connect.http import Http
from leadlight.connect.marketo.api import PAGE, MarketoSettings, call, paged, results, since_token
from leadlight.connect.marketo.bulk import exported
from leadlight.connect.marketo.changes import activities, parts, stamp
from leadlight.connect.marketo.read import OVERLAP, first_month
from leadlight.connect.protocol import Field, Page, Row, Value, Want
from leadlight.connect.typed import boolean, moment, number, text

ATTRIBUTES = {
    "url": ("Webpage URL",),
    "link": ("Link",),
    "referrer": ("Referrer URL",),
    "status": ("New Status",),
    "reason": ("Reason", "Details"),
    "description": ("Description",),
}
"""Fields of activities, and which of Marketo's attributes they are."""
OPPORTUNITY = "34,35,36"
"""Types of activity: added to an opportunity, removed from one, one was updated."""
ROLE_FIELDS = "marketoGUID,externalOpportunityId,leadId,role"
DEAL_FIELDS = "externalOpportunityId,name,stage,amount,closeDate,isClosed,isWon,createdAt,updatedAt"


def read_activities(http: Http, want: Want, settings: MarketoSettings, now: datetime) -> Iterator[Page]:
    """Yield activities of the wanted types, in the order they were logged."""
    state = dict(want.cursor or {})
    names = _names(http)
    token = text(state.get("token"))
    if token is None:
        since = moment(state.get("since")) or now - timedelta(days=settings.activity_days)
        token = since_token(http, since)
    until = text(state.get("until")) or stamp(now - OVERLAP)
    types = ",".join(map(str, settings.activity_types))
    for page, after, more in activities(http, "/rest/v1/activities.json", token, activityTypeIds=types):
        rows = [row for told in page if (row := _activity(told, names, want.object.fields)) is not None]
        yield Page(rows, {"token": after, "until": until} if more else {"since": until})


def _names(http: Http) -> dict[str, str]:
    """Return the types of activity by their id: `Fill Out Form` is fill_out_form."""
    found = results(call(http, "GET", "/rest/v1/activities/types.json"))
    pairs = ((text(one.get("id")), text(one.get("name"))) for one in found)
    return {id_: re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") for id_, name in pairs if id_ and name}


def _activity(told: Mapping[str, Any], names: Mapping[str, str], fields: Sequence[Field]) -> Row | None:
    id_ = text(told.get("marketoGUID")) or text(told.get("id"))
    lead, at, kind = text(told.get("leadId")), moment(told.get("activityDate")), text(told.get("activityTypeId"))
    if id_ is None or lead is None or at is None or kind is None:
        return None
    attributes = told.get("attributes")
    own = {
        str(one.get("name")): text(one.get("value"))
        for one in (attributes if isinstance(attributes, list) else ())
        if isinstance(one, dict)
    }
    values: dict[str, Value] = {
        "lead": lead,
        "type": names.get(kind, f"type_{kind}"),
        "at": at,
        "asset": text(told.get("primaryAttributeValue")),
        **{field: next((own[name] for name in found if own.get(name)), None) for field, found in ATTRIBUTES.items()},
    }
    return Row(id_, {field.name: values.get(field.name) for field in fields})


def read_opportunities(http: Http, want: Want, settings: MarketoSettings, now: datetime) -> Iterator[Page]:
    """Yield who plays a part in which opportunity: of everybody at first, later of those with news of one."""
    state = dict(want.cursor or {})
    since = moment(state.get("since"))
    if since is not None:
        leads: set[str] = set()
        for page, _, _ in activities(
            http, "/rest/v1/activities.json", since_token(http, since), activityTypeIds=OPPORTUNITY
        ):
            leads |= {lead for told in page if (lead := text(told.get("leadId")))}
        for ids in parts(sorted(leads)):
            yield Page(list(_parts(http, ids, want)), state)
        yield Page((), {"since": stamp(now - OVERLAP)})
        return
    if not state:
        state = {"until": stamp(now), "bulk": first_month(settings, now)}
    until = moment(state["until"]) or now
    for records, place in exported(http, ["id"], state["bulk"], until=until, poll=settings.poll_seconds):
        ids = [id_ for record in records if (id_ := text(record.get("id")))]
        yield Page(
            list(_parts(http, ids, want)), {**state, "bulk": place} if place else {"since": stamp(until - OVERLAP)}
        )
    yield Page((), {"since": stamp(until - OVERLAP)})


def _parts(http: Http, leads: Sequence[str], want: Want) -> Iterator[Row]:
    """Yield the parts that some people play in opportunities, with what these hold now."""
    if not leads:
        return
    asked = {"filterType": "leadId", "filterValues": ",".join(leads), "fields": ROLE_FIELDS}
    roles = [
        role for page in paged(http, "/rest/v1/opportunities/roles.json", batchSize=PAGE, **asked) for role in page
    ]
    keys = sorted({key for role in roles if (key := text(role.get("externalOpportunityId")))})
    deals: dict[str, dict[str, Any]] = {}
    for some in parts(keys):
        asked = {"filterType": "externalOpportunityId", "filterValues": ",".join(some), "fields": DEAL_FIELDS}
        for page in paged(http, "/rest/v1/opportunities.json", batchSize=PAGE, **asked):
            deals |= {str(one.get("externalOpportunityId")): one for one in page}
    for role in roles:
        id_, key = text(role.get("marketoGUID")), text(role.get("externalOpportunityId"))
        if id_ is not None and key is not None and key in deals:
            values = _part(role, deals[key])
            yield Row(id_, {field.name: values.get(field.name) for field in want.object.fields})


def _part(role: Mapping[str, Any], deal: Mapping[str, Any]) -> dict[str, Value]:
    closed, won = boolean(deal.get("isClosed")), boolean(deal.get("isWon"))
    return {
        "lead": text(role.get("leadId")),
        "opportunity": text(role.get("externalOpportunityId")),
        "name": text(deal.get("name")),
        "role": text(role.get("role")),
        "stage": text(deal.get("stage")),
        "result": "won" if won else "lost" if closed else "open",
        "is_closed": bool(closed or won),
        "close_date": moment(deal.get("closeDate")),
        "amount": number(deal.get("amount")),
        "created_at": moment(deal.get("createdAt")),
        "updated_at": moment(deal.get("updatedAt")),
    }
