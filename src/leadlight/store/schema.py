"""Our tables, in one readable place.

The first four are the documented shape: the statement that `leadlight sql` prints runs on them anywhere, with lead as
text or integer alike. `attributes` has one row per lead and period: the values known from `known_at` until (excluding)
`known_until`; a dbt snapshot has the same shape. In events every property is a column. Times are UTC.

    leads               lead, id, created_at
    attributes          lead, known_at, known_until, account, + one column per attribute
    events              lead, type, at, + one column per property
                        (ours, not to be scored on: _source, _key, _said_of)
    outcomes            lead, at, outcome, value        (at is null where the source does not say when)
    account_attributes  account, known_at, known_until, + one column per attribute of accounts

The rest serve ourselves:

    ids                 id → lead: every identifier a lead has or had. `key` is the number the id was given first,
                        `lead` that of the lead it belongs to now: merged duplicates have several ids, one lead.
                        Events and outcomes keep in `_said_of` the key of the id that they were said of, observations
                        in `_key`: their lead is that key's, so a merge can be undone. (In stores from before, rows that
                        a merge had moved by then have the key of the lead they were moved to)
    merges              every key that was moved to another lead: when, by which rule or by whom, until undone
    apart               pairs of keys that no rule may join: what was undone or refused
    set_aside           events that do not count, with the reason: moved here from `events` as they were, and back
    judgements          events that people judged: whether they are set aside; no rule overturns it
    origins             where an event came from, as far as it tells bots: the crawler's name, a hash of the address
    consents            to which purposes a person said yes or no, and when
    observations        what one source said about an id (`_key`) at a moment; `attributes` is made from it.
                        known_at is null for what a flat file says first: known since the lead exists
    account_observations  the same for accounts; known_at is null for what is known since ever
    names               every attribute, account attribute, property and outcome: its type and the sources that give it
    files               files that were read: content hash, and hash of the source's description (`spec`), so that
                        reading again changes nothing
    layout              how many rows at the head of a table lie in their order (that of events: `events.ORDER`);
                        of `ids`, the last number that was given when somebody was erased: it is given to nobody else
    erased              salted hashes of the ids of erased people, so that reading a file again does not bring them back
    rolled_up           events that `retain` took out, counted: by the id they were said of, source, type and month
    taken_out           the keys of those events, so that reading them again does not bring them back
    scorecards          every version that was ever used, with its content
    scores              one row per score given
    grade_history       one row per change of grade; `silent` ones alert nobody
    lookups             every question that was put to a provider about an id (`_key`), and how it ended
    facts               what providers answered, value by value, all side by side; `known_at` ties it to its look-up
    choices             the rule by which each looked-up attribute was last chosen
    pushed              what was last written into a record of a system, as JSON (`said`), with what is being written
                        now (`writing`), so that our own values are known as ours though we were killed meanwhile
    push_tasks          tasks for people in that system, one for each change of grade: waiting, sent or refused
    push_marks          up to when changes of grade were looked at for them
    runs                what was done, when, with which counts
    migrations          which steps have been taken
"""

from __future__ import annotations

from collections.abc import Sequence

FOREVER = "9999-12-31 00:00:00"
"""The `known_until` of what is still known: a moment, not null, so that comparisons need no special case."""

BEGINNING = "1900-01-01 00:00:00"
"""The `known_at` of what is known since ever (accounts without dates); as early as all engines can hold."""

Migration = tuple[int, str, Sequence[str]]

MIGRATIONS: Sequence[Migration] = (
    (
        1,
        "the first tables",
        (
            "CREATE TABLE ids (id VARCHAR NOT NULL, key INTEGER NOT NULL, lead INTEGER NOT NULL)",
            "CREATE TABLE leads (lead INTEGER NOT NULL, id VARCHAR NOT NULL, created_at TIMESTAMP NOT NULL)",
            "CREATE TABLE attributes (lead INTEGER NOT NULL, known_at TIMESTAMP NOT NULL, "
            "known_until TIMESTAMP NOT NULL, account VARCHAR)",
            "CREATE TABLE observations (lead INTEGER NOT NULL, _source VARCHAR NOT NULL, _key INTEGER NOT NULL, "
            "known_at TIMESTAMP, _created_at TIMESTAMP, _read_at TIMESTAMP NOT NULL, account VARCHAR)",
            "CREATE TABLE account_attributes (account VARCHAR NOT NULL, known_at TIMESTAMP NOT NULL, "
            "known_until TIMESTAMP NOT NULL)",
            "CREATE TABLE account_observations (account VARCHAR NOT NULL, _source VARCHAR NOT NULL, "
            "known_at TIMESTAMP, _read_at TIMESTAMP NOT NULL)",
            'CREATE TABLE events (lead INTEGER NOT NULL, type VARCHAR NOT NULL, "at" TIMESTAMP NOT NULL, '
            "_source VARCHAR NOT NULL, _key UHUGEINT NOT NULL)",
            'CREATE TABLE outcomes (lead INTEGER NOT NULL, "at" TIMESTAMP, outcome VARCHAR NOT NULL, value DOUBLE, '
            "_source VARCHAR NOT NULL, _key UHUGEINT NOT NULL, _file VARCHAR NOT NULL)",
            "CREATE TABLE names (kind VARCHAR NOT NULL, name VARCHAR NOT NULL, type VARCHAR NOT NULL, "
            "source VARCHAR NOT NULL)",
            "CREATE TABLE files (source VARCHAR NOT NULL, path VARCHAR NOT NULL, fingerprint VARCHAR NOT NULL, "
            "spec VARCHAR NOT NULL, read_at TIMESTAMP NOT NULL, rows BIGINT NOT NULL, rejected BIGINT NOT NULL)",
            "CREATE TABLE layout (name VARCHAR NOT NULL, in_order BIGINT NOT NULL)",
            "CREATE TABLE erased (salt VARCHAR NOT NULL, hash VARCHAR NOT NULL, erased_at TIMESTAMP NOT NULL)",
            "CREATE TABLE scorecards (name VARCHAR NOT NULL, version VARCHAR NOT NULL, content VARCHAR NOT NULL, "
            "published_at TIMESTAMP NOT NULL)",
            "CREATE TABLE runs (run BIGINT NOT NULL, verb VARCHAR NOT NULL, started_at TIMESTAMP NOT NULL, "
            "finished_at TIMESTAMP, as_of TIMESTAMP, scorecard VARCHAR, version VARCHAR, counts JSON)",
            "CREATE TABLE scores (run BIGINT NOT NULL, scorecard VARCHAR NOT NULL, version VARCHAR NOT NULL, "
            "as_of TIMESTAMP NOT NULL, lead INTEGER, account VARCHAR, score DOUBLE NOT NULL, groups DOUBLE[], "
            "grade VARCHAR, gate VARCHAR, probability DOUBLE)",
            "CREATE TABLE grade_history (run BIGINT NOT NULL, scorecard VARCHAR NOT NULL, version VARCHAR NOT NULL, "
            '"at" TIMESTAMP NOT NULL, lead INTEGER, account VARCHAR, grade VARCHAR NOT NULL, level_1 VARCHAR, '
            "since_1 TIMESTAMP, level_2 VARCHAR, since_2 TIMESTAMP, gate VARCHAR, silent BOOLEAN NOT NULL)",
        ),
    ),
    (
        2,
        "the interval of a probability, and what a win is worth",
        tuple(
            f"ALTER TABLE scores ADD COLUMN {name} DOUBLE"
            for name in ("probability_low", "probability_high", "worth", "expected")
        ),
    ),
    (
        3,
        "what a treatment changes, by an uplift scorecard",
        tuple(f"ALTER TABLE scores ADD COLUMN {name} DOUBLE" for name in ("uplift", "uplift_low", "uplift_high")),
    ),
    (
        4,
        "what providers were asked of leads, and what they said",
        (
            "CREATE TABLE lookups (_key INTEGER NOT NULL, provider VARCHAR NOT NULL, subject VARCHAR, "
            "outcome VARCHAR NOT NULL, why VARCHAR, message VARCHAR, cost DOUBLE, basis VARCHAR, fetched_at TIMESTAMP, "
            "known_at TIMESTAMP NOT NULL, until TIMESTAMP, recorded_at TIMESTAMP NOT NULL)",
            "CREATE TABLE facts (_key INTEGER NOT NULL, provider VARCHAR NOT NULL, attribute VARCHAR NOT NULL, "
            "value VARCHAR, type VARCHAR NOT NULL, confidence DOUBLE NOT NULL, origin VARCHAR, evidence VARCHAR, "
            "licence VARCHAR, fetched_at TIMESTAMP, known_at TIMESTAMP NOT NULL, until TIMESTAMP)",
            "CREATE TABLE choices (attribute VARCHAR NOT NULL, rule VARCHAR NOT NULL)",
        ),
    ),
    (
        5,
        "whom a row was said of, so that merges can be undone; events that do not count",
        (
            *(f"ALTER TABLE {table} ADD COLUMN _said_of INTEGER" for table in ("events", "outcomes")),
            "UPDATE events SET _said_of = lead",
            "UPDATE outcomes SET _said_of = lead",
            'CREATE TABLE merges (merge INTEGER NOT NULL, "at" TIMESTAMP NOT NULL, rule VARCHAR NOT NULL, who VARCHAR, '
            "key INTEGER NOT NULL, was INTEGER NOT NULL, survivor INTEGER NOT NULL, undone_at TIMESTAMP)",
            'CREATE TABLE apart (a INTEGER NOT NULL, b INTEGER NOT NULL, "at" TIMESTAMP NOT NULL, who VARCHAR)',
            'CREATE TABLE set_aside (lead INTEGER NOT NULL, type VARCHAR NOT NULL, "at" TIMESTAMP NOT NULL, '
            "_source VARCHAR NOT NULL, _key UHUGEINT NOT NULL, _said_of INTEGER, _reason VARCHAR NOT NULL, "
            "_aside_at TIMESTAMP NOT NULL, _aside_by VARCHAR NOT NULL)",
            "CREATE TABLE judgements (_source VARCHAR NOT NULL, _key UHUGEINT NOT NULL, aside BOOLEAN NOT NULL, "
            "_said_of INTEGER, judged_at TIMESTAMP NOT NULL, who VARCHAR)",
            'CREATE TABLE origins (_source VARCHAR NOT NULL, _key UHUGEINT NOT NULL, _said_of INTEGER NOT NULL, "at" '
            "TIMESTAMP NOT NULL, crawler VARCHAR, address VARCHAR, kept_at TIMESTAMP NOT NULL)",
            'CREATE TABLE consents (_said_of INTEGER NOT NULL, purpose VARCHAR NOT NULL, "at" TIMESTAMP NOT NULL, '
            "given BOOLEAN NOT NULL, message VARCHAR NOT NULL)",
            "INSERT INTO merges SELECT row_number() OVER (ORDER BY i.key), now()::TIMESTAMP, 'before', NULL, i.key, "
            "i.key, i.lead, NULL FROM ids i WHERE i.key <> i.lead",
        ),
    ),
    (
        6,
        "what was written back into systems that leads live in",
        (
            "CREATE TABLE pushed (connection VARCHAR NOT NULL, object VARCHAR NOT NULL, record VARCHAR NOT NULL, "
            '_key INTEGER NOT NULL, said VARCHAR, because VARCHAR, writing VARCHAR, hash VARCHAR, "at" TIMESTAMP, '
            "tried VARCHAR, error VARCHAR, tries INTEGER NOT NULL, again_at TIMESTAMP)",
            "CREATE TABLE push_tasks (task VARCHAR NOT NULL, connection VARCHAR NOT NULL, object VARCHAR NOT NULL, "
            "record VARCHAR NOT NULL, _key INTEGER NOT NULL, subject VARCHAR NOT NULL, text VARCHAR NOT NULL, "
            '"at" TIMESTAMP NOT NULL, state VARCHAR NOT NULL, tries INTEGER NOT NULL, again_at TIMESTAMP, '
            "error VARCHAR, done_at TIMESTAMP)",
            "CREATE TABLE push_marks (connection VARCHAR NOT NULL, object VARCHAR NOT NULL, "
            'scorecard VARCHAR NOT NULL, "at" TIMESTAMP NOT NULL)',
        ),
    ),
    (
        7,
        "what was taken out of the events, rolled up",
        (
            "CREATE TABLE rolled_up (lead INTEGER NOT NULL, type VARCHAR NOT NULL, month TIMESTAMP NOT NULL, "
            "events BIGINT NOT NULL, first_at TIMESTAMP NOT NULL, last_at TIMESTAMP NOT NULL, "
            "_source VARCHAR NOT NULL, _said_of INTEGER NOT NULL)",
            "CREATE TABLE taken_out (_source VARCHAR NOT NULL, _key UHUGEINT NOT NULL, _said_of INTEGER NOT NULL)",
        ),
    ),
)
"""(number, what it does, statements); numbers rise by one, and what has shipped never changes."""

VERSION = MIGRATIONS[-1][0]
