"""Real sets with outcomes, as examples to learn from; what leaks by each set's README is left out.

    from datasets import SETS
    rows = SETS["olist_marketing_funnel"].load()

Read from ../shared/data (or the folder that LEADLIGHT_DATA names) once, then kept as Arrow files in the temporary
folder. Each statement gives `won`, and where there is time `moment` (when the features were known) and `lead`; every
other column is a feature. Counts and rates of what comes out are printed by: python benchmarks/learning/datasets.py
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.feather as feather

from leadlight.learn.examples import Examples

DATA = Path(os.environ.get("LEADLIGHT_DATA", Path(__file__).parents[3] / "shared" / "data"))
KEPT = Path(tempfile.gettempdir()) / "leadlight-learning"
DAY = 86_400_000_000
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
CALENDAR = ("month", "day_of_week", "emp.var.rate", "cons.price.idx", "cons.conf.idx", "euribor3m", "nr.employed")
"""Features of the bank's calls that are the same for all calls of a day: they say when, not who."""


@dataclass(frozen=True, slots=True)
class DataSet:
    """A set by name: how to make its examples, and what it counts for."""

    name: str
    make: Callable[[], Examples]
    won: str
    """What counts as a win, in words."""
    horizon: float = 0.0
    target: bool = False
    """Whether the target over rolling origins is set on it."""
    in_mean: bool = True
    """Whether it counts in the mean over sets: real, not a variant of another, and with something to learn."""
    variant_of: str = ""

    @property
    def present(self) -> bool:
        """Whether its folder is there."""
        return (DATA / (self.variant_of or self.name)).is_dir()

    @property
    def file(self) -> Path:
        """Its kept file, made where this module has changed since."""
        code = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
        path = KEPT / f"{self.name}-{code}.arrow"
        if not path.exists():
            KEPT.mkdir(parents=True, exist_ok=True)
            begun = path.with_suffix(f".{os.getpid()}")
            feather.write_feather(_as_table(self.make()), begun, compression="lz4")
            begun.rename(path)
        return path

    @property
    def fingerprint(self) -> str:
        """What changes when its rows do."""
        return hashlib.sha256(self.file.read_bytes()).hexdigest()[:12]

    def load(self) -> Examples:
        """Return its examples, from the kept file."""
        return _as_examples(feather.read_table(self.file), self.horizon)


def xeducation_leads() -> Examples:
    """Education leads. Without what sales filled in, the state at export, the old vendor's score, and both ids."""
    source = _csv("xeducation_leads/Leads.csv.gz", nulls=("", "Select"))
    leaking = (
        "Prospect ID", "Lead Number", "Tags", "Lead Quality", "Lead Profile", "Last Activity", "Last Notable Activity",
        "Asymmetrique Activity Index", "Asymmetrique Profile Index", "Asymmetrique Activity Score",
        "Asymmetrique Profile Score", "Converted",
    )  # fmt: skip
    numbers = ("TotalVisits", "Total Time Spent on Website", "Page Views Per Visit")
    return _examples(f"select {_columns(source, leaking, numbers=numbers)}, Converted = '1' as won from {source}")


def uci_bank_marketing() -> Examples:
    """Calls for term deposits, without `duration`. Dates rebuilt: the file is in order of date, months wrap into years
    and a weekday that differs from the call before is the next such day; every month's calls then fit into the month.
    """
    source = _csv("uci_bank_marketing/bank-additional-full.csv.gz", nulls=("", "unknown"), delimiter=";")
    numbers = (
        "age", "campaign", "previous", "emp.var.rate", "cons.price.idx", "cons.conf.idx", "euribor3m", "nr.employed",
    )  # fmt: skip
    features = _columns(source, ("y", "duration", "pdays"), numbers=numbers)
    rows = _ran(f"select {features}, nullif(pdays::double, 999) as pdays, y = 'yes' as won from {source}")
    month = _index(rows, "month", MONTHS) + 1
    return _as_examples(rows.append_column("_time", pa.array(_dates(month, _index(rows, "day_of_week", WEEKDAYS)))))


def uci_bank_marketing_who() -> Examples:
    """Return the same calls without the calendar features."""
    rows = uci_bank_marketing()
    return rows.select([name for name in rows.names if name not in CALENDAR])


def olist_marketing_funnel() -> Examples:
    """Sellers who asked for contact: won within 60 days of it. All were watched longer (deals go on to November)."""
    leads = _csv("olist_marketing_funnel/olist_marketing_qualified_leads_dataset.csv")
    deals = _csv("olist_marketing_funnel/olist_closed_deals_dataset.csv")
    return _examples(f"""
        select landing_page_id, origin, first_contact_date::timestamp as moment,
            coalesce(won_date::timestamp <= moment + interval 60 day, false) as won
        from {leads} as leads left join {deals} as deals using (mql_id) order by moment, mql_id""")


def itsm_incident_event_log() -> Examples:
    """Incidents as of their first entry: is the service level missed within 30 days? Without those already missed or
    resolved then, and those opened less than 30 days before the log ends. Only what that entry says.
    """
    source = _csv("itsm_incident_event_log/incident_event_log.csv.gz", nulls=("", "?"))
    texts = (
        "incident_state", "contact_type", "location", "category", "subcategory", "u_symptom", "cmdb_ci", "impact",
        "urgency", "priority", "assignment_group", "assigned_to", "notify", "caller_id", "opened_by", "sys_created_by",
    )  # fmt: skip
    flags = ("knowledge", "u_priority_confirmation")
    return _examples(f"""
        with entries as (
            select *, strptime(sys_updated_at, '%d/%m/%Y %H:%M') as entered, row_number() over () as line from {source}
        ), firsts as (select * from entries qualify row_number() over (partition by number order by line) = 1),
        misses as (select number, min(entered) as missed from entries where made_sla = 'false' group by number)
        select {", ".join(texts)}, {", ".join(f"{flag} = 'true' as {flag}" for flag in flags)},
            hour(strptime(opened_at, '%d/%m/%Y %H:%M'))::double as hour_opened, entered as moment,
            coalesce(missed <= entered + interval 30 day, false) as won
        from firsts left join misses using (number)
        where made_sla = 'true' and incident_state not in ('Resolved', 'Closed')
            and entered <= (select max(entered) from entries) - interval 30 day
        order by entered, number""")


def ecom_online_retail_uci() -> Examples:
    """Customers of a wholesaler as of ten moments 30 days apart: is there another order within 30 days?"""
    path = DATA / "ecom_online_retail_uci" / "online_retail.parquet"
    return _examples(f"""
        with lines as (
            select CustomerID::bigint as customer, InvoiceNo as invoice, starts_with(InvoiceNo, 'C') as cancelled,
                StockCode as product, Quantity * UnitPrice as worth, InvoiceDate::timestamp as bought,
                Country as country
            from read_parquet('{path}') where CustomerID is not null
        ), orders as (
            select customer, invoice, cancelled, min(bought) as bought, sum(worth) as worth, count(*)::double as lines,
                any_value(country order by bought) as country
            from lines group by all
        ), moments as (
            select unnest(generate_series(timestamp '2011-02-12', timestamp '2011-11-09', interval 30 day)) as moment
        ), products as (
            select customer, moment, count(distinct product)::double as products
            from lines join moments on bought <= moment where not cancelled group by all
        ), pasts as (
            select customer as lead, moment, {_past("bought", "not cancelled")},
                count(*) filter (cancelled)::double as cancellations,
                coalesce(sum(-worth) filter (cancelled), 0) as worth_cancelled,
                avg(lines) filter (not cancelled) as lines_per_order, any_value(country order by bought) as country
            from orders join moments on bought <= moment group by all having count(*) filter (not cancelled) > 0
        )
        select pasts.*, products, exists(
            from orders where customer = lead and not cancelled and bought > pasts.moment
                and bought <= pasts.moment + interval 30 day) as won
        from pasts join products on customer = lead and products.moment = pasts.moment order by pasts.moment, lead""")


def ecom_cdnow() -> Examples:
    """Every fourth customer of a music shop as of seven moments 60 days apart: another order within 30 days?"""
    return _examples(f"""
        with orders as (
            select word[1]::bigint as customer, strptime(word[2], '%Y%m%d') as bought, word[3]::double as discs,
                word[4]::double as worth
            from (select regexp_split_to_array(trim(line), ' +') as word from {_lines("ecom_cdnow/CDNOW_master.txt")}
                where line not like '%customer_id%')
            where word[1]::bigint % 4 = 0
        ), moments as (
            select unnest(generate_series(timestamp '1997-04-01', timestamp '1998-05-31', interval 60 day)) as moment
        ), pasts as (
            select customer as lead, moment, {_past("bought", "true")}, sum(discs) as discs,
                avg(discs) as discs_per_order
            from orders join moments on bought <= moment group by all
        )
        select *, exists(from orders where customer = lead and bought > moment
            and bought <= moment + interval 30 day) as won
        from pasts order by moment, lead""")


def ecom_online_shoppers_intention() -> Examples:
    """Browsing sessions that end in a purchase or not, without `PageValues`, which is made of the purchases."""
    source = _csv("ecom_online_shoppers_intention/online_shoppers_intention.csv")
    codes = ("OperatingSystems", "Browser", "Region", "TrafficType", "VisitorType", "Month")
    features = _columns(source, ("PageValues", "Weekend", "Revenue"), texts=codes)
    return _examples(f"select {features}, Weekend = 'TRUE' as Weekend, Revenue = 'TRUE' as won from {source}")


def email_hillstrom() -> Examples:
    """Mailed customers who visit within two weeks; conversion and spend come after the visit and are left out."""
    source = _csv("email_hillstrom/hillstrom.csv.gz")
    numbers = ("recency", "history", "mens", "womens", "newbie")
    features = _columns(source, ("visit", "conversion", "spend"), numbers=numbers)
    return _examples(f"select {features}, visit = '1' as won from {source}")


def fin_german_credit() -> Examples:
    """Loans that go bad, without sex and origin, which are protected."""
    source = _csv("fin_german_credit/germancredit.csv")
    numbers = (
        "duration_in_month", "credit_amount", "installment_rate_in_percentage_of_disposable_income",
        "present_residence_since", "age_in_years", "number_of_existing_credits_at_this_bank",
        "number_of_people_being_liable_to_provide_maintenance_for",
    )  # fmt: skip
    left_out = ("creditability", "personal_status_and_sex", "foreign_worker")
    return _examples(
        f"select {_columns(source, left_out, numbers=numbers)}, creditability = 'bad' as won from {source}"
    )


def fin_givemesomecredit() -> Examples:
    """Borrowers in serious arrears within two years; 96 and 98 times late stand for unknown."""
    source = _csv("fin_givemesomecredit/cs-training.csv.gz", nulls=("", "NA"))
    kinds = ("30-59DaysPastDueNotWorse", "60-89DaysPastDueNotWorse", "s90DaysLate")
    late = [f"NumberOfTime{kind}" for kind in kinds]
    columns = ", ".join(f"""case when "{name}"::double < 90 then "{name}"::double end as "{name}\"""" for name in late)
    left_out = ("SeriousDlqin2yrs", "column00", *late)
    features = _columns(source, left_out)
    return _examples(f"select {features}, {columns}, SeriousDlqin2yrs = '1' as won from {source}")


def realestate_hmda_boston() -> Examples:
    """Mortgages denied, without the two protected attributes."""
    source = _csv("realestate_hmda_boston/HMDA.csv")
    numbers = ("pirat", "hirat", "lvrat", "unemp")
    features = _columns(source, ("deny", "afam", "single"), numbers=numbers)
    return _examples(f"select {features}, deny = 'yes' as won from {source}")


def realestate_renthop() -> Examples:
    """Listings that drew medium or high interest."""
    source = _csv("realestate_renthop/rent.csv.gz")
    return _examples(f"select {_columns(source, ('interest_level',))}, interest_level::int >= 2 as won from {source}")


def cyber_vuln_priority() -> Examples:
    """Vulnerabilities as of publication: does the agency say within 30 days that an exploit exists (poc or active)?

    Published since February 2024 and assessed within 30 days. A CVSS vector counts only where the publisher gave it
    (the agency adds its own with the assessment); reference tags name exploits and are left out, as is all `out_*`.
    """
    source = _csv("cyber_vuln_priority/vulnrichment_flat.csv.gz")
    metrics = ("AV", "AC", "PR", "UI", "S", "C", "I", "A")
    parts = ", ".join(
        f"case when cvss3_source = 'cna' then regexp_extract(cvss3_vector, '/{key}:([A-Z])', 1) end as cvss_{key}"
        for key in metrics
    )
    return _examples(f"""
        select assigner, vendor, split_part(cwe, '|', 1) as cwe, n_affected::double as n_affected,
            n_references::double as n_references, {parts}, cvss4_score is not null as cvss4_given,
            case when cvss3_source = 'cna' then cvss3_score::double end as cvss_score,
            date_diff('hour', date_reserved::timestamp, moment) / 24.0 as days_reserved,
            length(description)::double as description_length, moment,
            lower(ssvc_exploitation) in ('poc', 'active') as won
        from (select *, date_published::timestamp as moment from {source})
        where state = 'PUBLISHED' and moment >= timestamp '2024-02-01' and ssvc_timestamp is not null
            and ssvc_timestamp::timestamp <= moment + interval 30 day
            and moment <= timestamp '2024-10-24' - interval 30 day
        order by moment, cve""")


def saas_ravenstack_synth() -> Examples:
    """Subscriptions that end: made up, and with nothing in them to learn."""
    accounts = _csv("saas_ravenstack_synth/ravenstack_accounts.csv")
    source = _csv("saas_ravenstack_synth/ravenstack_subscriptions.csv")
    flags = ("is_trial", "upgrade_flag", "downgrade_flag", "auto_renew_flag")
    return _examples(f"""
        select s.plan_tier, s.billing_frequency, s.seats::double as seats, s.mrr_amount::double as mrr_amount,
            {", ".join(f"s.{flag} = 'True' as {flag}" for flag in flags)}, industry, country, referral_source,
            s.churn_flag = 'True' as won
        from {source} s join {accounts} a using (account_id) order by start_date, subscription_id""")


def net_nsl_kdd() -> Examples:
    """Connections of simulated traffic that are attacks, without the difficulty that classifiers gave them."""
    names = [line.split(",")[0] for line in (DATA / "net_nsl_kdd" / "Field Names.csv").read_text().splitlines() if line]
    source = _csv("net_nsl_kdd/KDDTrain+_20Percent.txt.gz", names=(*names, "attack", "difficulty"))
    features = _columns(source, ("attack", "difficulty"), texts=("protocol_type", "service", "flag"))
    return _examples(f"select {features}, attack <> 'normal' as won from {source}")


def _past(at: str, counts: str) -> str:
    """Return the usual features of a customer's orders up to a moment: how recently, how often, worth how much."""
    ages = f"date_diff('hour', {at}, moment) / 24.0"
    return f"""
        min({ages}) filter ({counts}) as days_since_last, max({ages}) filter ({counts}) as days_since_first,
        count(*) filter ({counts})::double as orders, sum(worth) filter ({counts}) as worth,
        avg(worth) filter ({counts}) as worth_per_order,
        count(*) filter ({counts} and {ages} < 30)::double as orders_30,
        count(*) filter ({counts} and {ages} < 90)::double as orders_90,
        coalesce(sum(worth) filter ({counts} and {ages} < 90), 0) as worth_90,
        (max({ages}) filter ({counts}) - min({ages}) filter ({counts}))
            / nullif(count(*) filter ({counts}) - 1, 0) as days_between"""


def _csv(file: str, *, nulls: Sequence[str] = ("",), delimiter: str = ",", names: Sequence[str] = ()) -> str:
    """Return a FROM that reads all columns as text, in the file's order."""
    known = f", header = false, names = {list(names)}" if names else ", header = true"
    return f"read_csv('{DATA / file}', all_varchar = true, nullstr = {list(nulls)}, delim = '{delimiter}'{known})"


def _lines(file: str) -> str:
    return f"read_csv('{DATA / file}', header = false, delim = '\t', columns = {{'line': 'VARCHAR'}})"


def _columns(
    source: str, without: Sequence[str], *, numbers: Sequence[str] | None = None, texts: Sequence[str] = ()
) -> str:
    """Return the select list of a source: these as numbers (or all but the texts), some left out."""
    names = [name for name in _ran(f"select * from {source} limit 0").column_names if name not in without]
    unknown = {*without, *(numbers or ()), *texts}.difference(_ran(f"select * from {source} limit 0").column_names)
    if unknown:
        raise ValueError(f"not in {source}: {sorted(unknown)}")
    as_number = set(names) - set(texts) if numbers is None else set(numbers)
    return ", ".join(f'"{name}"::double as "{name}"' if name in as_number else f'"{name}"' for name in names)


def _ran(statement: str) -> pa.Table:
    """Run a statement and return its rows in order."""
    with duckdb.connect(config={"threads": 2}) as connection:
        return connection.sql(statement).to_arrow_table()


def _examples(statement: str) -> Examples:
    """Run a statement: `won`, `moment` and `lead` are taken out, the rest is features."""
    rows = _ran(statement)
    if "moment" in rows.column_names:
        moments = rows.column("moment").cast(pa.timestamp("us")).cast(pa.int64()).to_numpy()
        rows = rows.drop_columns("moment").append_column("_time", pa.array(moments / DAY))
    if "lead" in rows.column_names:
        rows = rows.rename_columns(["_lead" if name == "lead" else name for name in rows.column_names])
    return _as_examples(rows)


def _as_table(rows: Examples) -> pa.Table:
    """Return examples as one table, the columns that are no features with a bar before their name."""
    table = rows.features.append_column("won", pa.array(rows.won)).append_column("_lead", pa.array(rows.lead))
    return table if rows.time is None else table.append_column("_time", pa.array(rows.time))


def _as_examples(table: pa.Table, horizon: float = 0.0) -> Examples:
    """Return a table made by `_as_table`, or by a statement, as examples."""
    names = [name for name in table.column_names if name not in ("won", "_time", "_lead")]
    there = set(table.column_names)
    return Examples(
        features=table.select(names).combine_chunks(),
        won=table.column("won").to_numpy().astype(bool),
        time=table.column("_time").to_numpy() if "_time" in there else None,
        lead=table.column("_lead").to_numpy().astype(np.int64) if "_lead" in there else np.empty(0, np.int64),
        horizon=horizon,
    )


def _index(rows: pa.Table, name: str, values: Sequence[str]) -> np.ndarray:
    """Return the place of each value of a column among those given."""
    return pc.index_in(rows.column(name), pa.array(values)).to_numpy().astype(np.int64)


def _dates(month: np.ndarray, weekday: np.ndarray, first_year: int = 2008) -> np.ndarray:
    """Return days since 1970 of rows in order of date, from month (1 to 12) and weekday (0 is Monday).

    A month that is lower than the one before begins a year; a weekday that differs is the next such day.
    """
    begins = np.r_[True, month[1:] != month[:-1]]
    year = first_year + np.cumsum(np.r_[False, month[1:] < month[:-1]])
    firsts = np.array([f"{y}-{m:02}" for y, m in zip(year[begins], month[begins], strict=True)], "datetime64[M]")
    first = firsts.astype("datetime64[D]").astype(np.int64)
    run = np.cumsum(begins) - 1
    step = np.where(begins, (weekday - (first[run] + 3) % 7) % 7, np.r_[0, weekday[1:] - weekday[:-1]] % 7)
    gone = np.cumsum(step)
    before = (gone - step)[begins]
    return (first[run] + gone - before[run]).astype(np.float64)


SETS = {
    data.name: data
    for data in (
        DataSet("xeducation_leads", xeducation_leads, "converted"),
        DataSet("uci_bank_marketing", uci_bank_marketing, "takes the deposit on this call", target=True),
        DataSet(
            "uci_bank_marketing_who", uci_bank_marketing_who, "the same, without calendar features", target=True,
            in_mean=False, variant_of="uci_bank_marketing",
        ),
        DataSet("olist_marketing_funnel", olist_marketing_funnel, "won within 60 days", horizon=60, target=True),
        DataSet("itsm_incident_event_log", itsm_incident_event_log, "late within 30 days", horizon=30, target=True),
        DataSet("ecom_online_retail_uci", ecom_online_retail_uci, "orders within 30 days", horizon=30, target=True),
        DataSet("ecom_cdnow", ecom_cdnow, "orders within 30 days", horizon=30),
        DataSet("cyber_vuln_priority", cyber_vuln_priority, "exploit known within 30 days", horizon=30),
        DataSet("ecom_online_shoppers_intention", ecom_online_shoppers_intention, "buys in this session"),
        DataSet("email_hillstrom", email_hillstrom, "visits within two weeks"),
        DataSet("fin_german_credit", fin_german_credit, "goes bad"),
        DataSet("fin_givemesomecredit", fin_givemesomecredit, "serious arrears within two years"),
        DataSet("realestate_hmda_boston", realestate_hmda_boston, "denied"),
        DataSet("realestate_renthop", realestate_renthop, "medium or high interest"),
        DataSet("saas_ravenstack_synth", saas_ravenstack_synth, "ends (made up, noise)", in_mean=False),
        DataSet("net_nsl_kdd", net_nsl_kdd, "attack (simulated)", in_mean=False),
    )
}  # fmt: skip
"""Every set by name, those with time and a target first."""


def main() -> None:
    """Print what each set holds."""
    print(
        "| set | a win | rows | features | wins | rate | from | to | horizon |\n|---|---|--:|--:|--:|--:|---|---|--:|"
    )
    for data in SETS.values():
        if not data.present:
            print(f"| {data.name} | absent |")
            continue
        rows = data.load()
        span = ("", "") if rows.time is None else (_day(rows.time.min()), _day(rows.time.max()))
        print(
            f"| {data.name} | {data.won} | {len(rows):,} | {len(rows.names)} | {rows.wins:,} "
            f"| {rows.wins / len(rows):.1%} | {span[0]} | {span[1]} | {data.horizon:.0f} |"
        )


def _day(time: float) -> str:
    return datetime.fromtimestamp(time * 86_400, UTC).date().isoformat()


if __name__ == "__main__":
    main()
