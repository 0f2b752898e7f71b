"""Events: what leads did and what was done to them, by their hidden intent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pyarrow as pa

from leadlight.simulate import behaviour as b
from leadlight.simulate.columns import lead_ids, moments
from leadlight.simulate.draws import Bools, Codes, Floats, Ints
from leadlight.simulate.intent import NEVER, Paths
from leadlight.simulate.leads import Leads
from leadlight.simulate.world import DAY, INBOUND, STEP, World, is_august, is_weekend, office_hours

NONE = -1
MINUTE = 60
MOTHERS = 1 << 24
"""More than the most events one lead can start, so that (lead, event) makes one number."""


@dataclass(frozen=True, slots=True)
class Events:
    """Events by row of the chunk; codes are places in the tables of `behaviour`, -1 for none."""

    row: Ints
    at: Ints
    type: Codes
    path: Codes
    campaign: Codes
    form: Codes
    agent: Codes
    seconds: Ints

    def __len__(self) -> int:
        return len(self.row)

    def take(self, chosen: Bools | Ints) -> Events:
        """Some of the events."""
        return Events(*(getattr(self, field.name)[chosen] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Starts:
    """What events grow from: visits, mails and acts, with the intent behind them; `key` is theirs alone."""

    row: Ints
    at: Ints
    state: Ints
    key: Ints

    def take(self, chosen: Bools | Ints) -> Starts:
        """Some of the starts."""
        return Starts(self.row[chosen], self.at[chosen], self.state[chosen], self.key[chosen])


def make_events(world: World, leads: Leads, paths: Paths, *, scale: float) -> Events:
    """Draw all events of the leads' persons up to their outcome or `until`, sorted by row and time.

    `scale` multiplies visits and mails. Events of people with a duplicate come under either row.
    """
    own = (~leads.is_duplicate).astype(np.float64)
    parts = [
        _page_views(world, _visits(world, leads, paths, own * leads.activity * scale)),
        _page_views(world, _prior_visits(world, leads, own)),
        *_mails(world, leads, _mail_starts(world, leads, paths, own * scale)),
        _acts(world, _act_starts(world, leads, paths, own * leads.activity)),
        _first_forms(world, leads, own),
        _bot_views(world, leads, own),
    ]
    events = _before_end(world, paths, _concat(parts))
    events = _concat([_without_mail_after_unsubscribing(leads, events), _onboarding(world, leads, paths, own)])
    return _sorted(world, _under_either_row(world, leads, events))


def events_table(leads: Leads, events: Events) -> pa.Table:
    """The file of events."""
    return pa.table(
        {
            "lead_id": pa.DictionaryArray.from_arrays(pa.array(events.row.astype(np.int32)), lead_ids(leads.number)),
            "event": _words(b.EVENTS, events.type),
            "ts": moments(events.at, "us"),
            "path": _words(b.PATHS, events.path),
            "seconds": pa.array(events.seconds.astype(np.int32), mask=events.seconds == NONE),
            "campaign": _words(b.CAMPAIGNS, events.campaign),
            "form": _words(b.FORMS, events.form),
            "agent": _words(b.AGENTS, events.agent),
        }
    )


def aliases(leads: Leads) -> Ints:
    """For each row the row of its duplicate (the last where there are several), or its own."""
    alias = np.arange(len(leads))
    again = np.flatnonzero(leads.is_duplicate)
    alias[leads.person[again]] = again
    return alias


def _words(words: Sequence[str], code: Codes) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(code, mask=code == NONE), pa.array(words))


# ------------------------------------------------------------------------------------------------------------ starts


def _visits(world: World, leads: Leads, paths: Paths, factor: Floats) -> Starts:
    return _office(world, leads, "visit", _poisson_starts(world, "visit", leads, paths, np.array(b.VISIT_RATE), factor))


def _mail_starts(world: World, leads: Leads, paths: Paths, factor: Floats) -> Starts:
    return _office(world, leads, "mail", _poisson_starts(world, "mail", leads, paths, np.array(b.MAIL_RATE), factor))


def _act_starts(world: World, leads: Leads, paths: Paths, factor: Floats) -> Starts:
    rates = np.array(b.ACT_RATES).sum(axis=1)
    return _office(world, leads, "act", _poisson_starts(world, "act", leads, paths, rates, factor))


def _poisson_starts(world: World, stream: str, leads: Leads, paths: Paths, rate: Floats, factor: Floats) -> Starts:
    """A Poisson process whose rate per day follows each lead's intent.

    First the number of starts in the lead's whole life, then the step of each by its share in the sum of rates.
    """
    steps = paths.state.shape[1]
    per_step = np.append(rate, 0.0)[paths.state] * (STEP / DAY)  # state -1, after the end, finds the 0 at the back
    per_step *= factor[:, None]
    limits = np.cumsum(per_step.ravel())
    sums = per_step.sum(axis=1)
    count = world.draws.poisson(f"{stream}/count", leads.number, sums)
    row, key = _spread(leads, count)
    before = np.concatenate([[0.0], limits[steps - 1 :: steps]])
    target = before[row] + world.draws.uniform(f"{stream}/step", key) * (before[row + 1] - before[row])
    place = np.clip(np.searchsorted(limits, target), row * steps, row * steps + steps - 1)
    since = leads.created[row] + (place - row * steps) * STEP
    at = since + np.floor(world.draws.uniform(f"{stream}/at", key) * STEP).astype(np.int64)
    state = paths.state.ravel()[place].astype(np.int64)
    return Starts(row, at, state, key).take(state >= 0)


def _prior_visits(world: World, leads: Leads, own: Floats) -> Starts:
    """Visits in the days before leads left their address, where they came by themselves."""
    rate = 4 * np.array(b.VISIT_RATE)[leads.first_state] * b.PRIOR_VISIT_DAYS * leads.activity
    count = world.draws.poisson("prior/count", leads.number, rate * own * np.array(INBOUND)[leads.source])
    row, key = _spread(leads, count)
    back = (world.draws.uniform("prior/at", key) * b.PRIOR_VISIT_DAYS * DAY).astype(np.int64)
    starts = Starts(row, leads.created[row] - 10 * MINUTE - back, leads.first_state[row].astype(np.int64), key)
    return starts.take(starts.at >= world.begin)


def _spread(leads: Leads, count: Ints) -> tuple[Ints, Ints]:
    """For counts by row: the row of each start, and a number of its own."""
    row = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    return row, leads.number[row] * MOTHERS + place


def _office(world: World, leads: Leads, stream: str, starts: Starts) -> Starts:
    """Keep fewer starts on weekends and in August, and move the rest into office hours, on their day after arrival."""
    at = starts.at // DAY * DAY + office_hours(world.draws.uniform(f"{stream}/hour", starts.key))
    share = np.where(is_weekend(at), b.WEEKEND_SHARE, 1.0) * np.where(is_august(at), b.AUGUST_SHARE, 1.0)
    kept = world.draws.uniform(f"{stream}/kept", starts.key) < share
    return Starts(starts.row, at, starts.state, starts.key).take(kept & (at >= leads.created[starts.row]))


# ------------------------------------------------------------------------------------------------------------ events


def _page_views(world: World, visits: Starts) -> Events:
    """Pages one after the other; the keener the lead, the more of them, and other ones."""
    draws = world.draws
    more = np.log(draws.uniform("visit/pages", visits.key)) / np.log(np.array(b.MORE_PAGES)[visits.state])
    count = 1 + np.minimum(np.floor(more).astype(np.int64), 30)
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    pages = visits.take(np.repeat(np.arange(len(count)), count))
    key = pages.key * 32 + place
    on_page = np.array(b.SECONDS_ON_PAGE)[pages.state] * -np.log(draws.uniform("page/seconds", key))
    agent = draws.choice("visit/agent", visits.key // MOTHERS, np.array(b.AGENT_SHARE))
    return _events(
        pages,
        "page_view",
        at=pages.at + place * 50 + np.floor(draws.uniform("page/at", key) * 45).astype(np.int64),
        path=draws.choice("page/path", key, np.array(b.PATH_SHARE), pages.state),
        agent=np.repeat(agent, count),
        seconds=np.clip(np.rint(on_page), 1, 900).astype(np.int64),
    )


def _mails(world: World, leads: Leads, mails: Starts) -> list[Events]:
    """Mails, what people do with them, and what gateways do with them."""
    draws, key = world.draws, mails.key
    campaign = draws.choice("mail/campaign", key, np.array(b.CAMPAIGN_SHARE))
    opened = draws.uniform("mail/opened", key) < np.array(b.OPEN_SHARE)[mails.state]
    opened &= ~leads.is_bot[mails.row]
    clicked = opened & (draws.uniform("mail/clicked", key) < np.array(b.CLICK_SHARE)[mails.state])
    read_at = mails.at + 20 + np.exp(9.2 + 1.2 * draws.normal("mail/read", key)).astype(np.int64)
    click_at = read_at + 5 + (-40 * np.log(draws.uniform("mail/click", key))).astype(np.int64)
    found = [_events(mails, "email_sent", campaign=campaign)]
    for type_, chosen, at in (("email_open", opened, read_at), ("email_click", clicked, click_at)):
        found.append(_events(mails.take(chosen), type_, at=at[chosen], campaign=campaign[chosen]))
    scanned = leads.accounts.gateway[leads.account[mails.row]] & (leads.mailbox[mails.row] == 2)
    return [*found, *_gateway_events(world, mails.take(scanned), campaign[scanned])]


def _gateway_events(world: World, mails: Starts, campaign: Codes) -> list[Events]:
    """A gateway opens a mail and clicks all its links within seconds of delivery."""
    found = [_events(mails, "email_open", at=mails.at + 1, campaign=campaign)]
    for link in range(b.GATEWAY_LINKS):
        wait = 2 + np.floor(7 * world.draws.uniform("gateway/click", mails.key, link + 1)).astype(np.int64)
        found.append(_events(mails, "email_click", at=mails.at + wait, campaign=campaign))
    return found


def _acts(world: World, acts: Starts) -> Events:
    """Forms, demo requests, webinars, meetings, calls, unsubscribing: which of them depends on the intent."""
    which = world.draws.choice("act/which", acts.key, np.array(b.ACT_RATES), acts.state)
    form = world.draws.choice("act/form", acts.key, np.array(b.FORM_SHARE), acts.state)
    events = _events(acts, "form_submit", type=np.array([b.CODE[name] for name in b.ACTS], dtype=np.int8)[which])
    events.form[:] = np.where(events.type == b.CODE["form_submit"], form, NONE)
    return events


def _first_forms(world: World, leads: Leads, own: Floats) -> Events:
    """Leads that came by themselves filled in a form: the moment they were created."""
    filled = world.draws.uniform("first/form", leads.number) < 0.75
    row = np.flatnonzero((own > 0) & filled & np.array(INBOUND)[leads.source])
    state = leads.first_state[row].astype(np.int64)
    form = world.draws.choice("first/which", leads.number[row], np.array(b.FORM_SHARE), state)
    return _events(Starts(row, leads.created[row], state, leads.number[row]), "form_submit", form=form)


def _bot_views(world: World, leads: Leads, own: Floats) -> Events:
    """Bursts of page views, a second or two apart, from the moment of arrival on; half of the bots do not hide."""
    draws = world.draws
    bursts = draws.poisson("bot/bursts", leads.number, b.BOT_VISITS * own * leads.is_bot)
    row, key = _spread(leads, bursts)
    days = -10 * np.log(draws.uniform("bot/wait", key))
    at = leads.created[row] + 30 + np.floor(days * DAY).astype(np.int64)
    pages = 1 + draws.poisson("bot/pages", key, np.full(len(key), b.BOT_PAGES))
    place = np.arange(pages.sum()) - np.repeat(np.cumsum(pages) - pages, pages)
    starts = Starts(row, at, np.zeros_like(row), key).take(np.repeat(np.arange(len(row)), pages))
    uniform = draws.uniform("bot/path", starts.key * 1024 + place)
    shown = draws.uniform("bot/shown", leads.number[starts.row]) < 0.5
    return _events(
        starts,
        "page_view",
        at=starts.at + place + place // 2,
        path=np.floor(uniform * len(b.PATHS)).astype(np.int8),
        agent=np.where(shown, b.AGENTS.index("headless"), 0).astype(np.int8),
        seconds=np.ones_like(place),
    )


def _onboarding(world: World, leads: Leads, paths: Paths, own: Floats) -> Events:
    """What happens to winners only, in the month after."""
    won = np.flatnonzero((own > 0) & paths.won & (paths.closed < NEVER))
    row, key = np.repeat(won, 2), np.repeat(leads.number[won], 2) * 2 + np.tile([0, 1], len(won))
    wait = np.floor(world.draws.uniform("onboarding/wait", key) * 30 * DAY).astype(np.int64)
    events = _events(Starts(row, paths.closed[row] + DAY + wait, np.zeros_like(row), key), "onboarding")
    return events.take(events.at < world.end)


def _events(starts: Starts, name: str, **given: Codes | Ints) -> Events:
    """Events of one type at their starts, with the values given."""
    count = len(starts.row)
    codes: dict[str, Codes | Ints] = {
        "row": starts.row, "at": starts.at, "type": np.full(count, b.CODE[name], dtype=np.int8),
        "path": _no_code(count), "campaign": _no_code(count), "form": _no_code(count), "agent": _no_code(count),
        "seconds": np.full(count, NONE, dtype=np.int64),
    }  # fmt: skip
    return Events(**{**codes, **given})  # type: ignore[arg-type]


def _no_code(count: int) -> Codes:
    return np.full(count, NONE, dtype=np.int8)


# ------------------------------------------------------------------------------------------------------------- order


def _concat(parts: Sequence[Events]) -> Events:
    return Events(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Events)))


def _before_end(world: World, paths: Paths, events: Events) -> Events:
    return events.take((events.at < np.minimum(paths.closed, world.end)[events.row]) & (events.at >= world.begin))


def _without_mail_after_unsubscribing(leads: Leads, events: Events) -> Events:
    left = np.full(len(leads), NEVER, dtype=np.int64)
    leaving = events.type == b.CODE["unsubscribe"]
    np.minimum.at(left, events.row[leaving], events.at[leaving])
    is_mail = (events.type >= b.CODE["email_sent"]) & (events.type <= b.CODE["email_click"])
    return events.take(~is_mail | (events.at < left[events.row]))


def _under_either_row(world: World, leads: Leads, events: Events) -> Events:
    """Give some events of people with a duplicate to the duplicate, from its creation on."""
    other = aliases(leads)[events.row]
    mine = np.flatnonzero((other != events.row) & (events.at >= leads.created[other]))
    heads = world.draws.uniform("events/alias", leads.number[events.row[mine]], events.at[mine]) < 0.5
    row = events.row.copy()
    row[mine[heads]] = other[mine[heads]]
    return Events(row, *(getattr(events, field.name) for field in fields(events)[1:]))


def _sorted(world: World, events: Events) -> Events:
    key = events.row * np.int64(4 * (world.end - world.begin)) + (events.at - world.begin)
    return events.take(np.argsort(key, kind="stable"))
