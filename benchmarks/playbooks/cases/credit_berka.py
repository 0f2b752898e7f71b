"""Financial services on the Berka data (PKDD'99): loans of a Czech bank, 1993 to 1998."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
from case import Case, set_sources

# A birth number is YYMMDD, with 50 added to the month of women.
LOANS = """
COPY (SELECT l.loan_id AS applicant, strptime(l.date::VARCHAR, '%y%m%d') AS applied_at, l.amount, l.duration AS term,
      l.payments AS payment, d."A11" AS region_income, try_cast(d."A13" AS DOUBLE) AS region_unemployment,
      strptime(a.date::VARCHAR, '%y%m%d') AS account_since,
      CASE a.frequency WHEN 'POPLATEK MESICNE' THEN 'monthly' WHEN 'POPLATEK TYDNE' THEN 'weekly' ELSE 'each' END
      AS statements,
      CASE WHEN substr(c.birth_number, 3, 2)::INT > 50 THEN 'female' ELSE 'male' END AS sex,
      (l.date // 10000) - substr(c.birth_number, 1, 2)::INT AS age,
      CASE WHEN l.status IN ('A', 'C') THEN 'good' ELSE 'bad' END AS outcome
      FROM read_csv('{raw}/loan.asc', delim = ';') l
      JOIN read_csv('{raw}/account.asc', delim = ';') a USING (account_id)
      JOIN read_csv('{raw}/disp.asc', delim = ';') p ON p.account_id = l.account_id AND p.type = 'OWNER'
      JOIN read_csv('{raw}/client.asc', delim = ';', types = {{'birth_number': 'VARCHAR'}}) c USING (client_id)
      JOIN read_csv('{raw}/district.asc', delim = ';', header = true) d ON d."A1" = a.district_id ORDER BY applied_at)
TO '{to}' (HEADER)
"""
MOVEMENTS = """
COPY (SELECT l.loan_id AS applicant, strptime(t.date::VARCHAR, '%y%m%d') AS at, t.amount,
      CASE t.type WHEN 'PRIJEM' THEN 'in' ELSE 'out' END AS direction, t.balance
      FROM read_csv('{raw}/trans_19930101_19940331_partial.asc.gz', delim = ';') t
      JOIN read_csv('{raw}/loan.asc', delim = ';') l USING (account_id)) TO '{to}' (HEADER)
"""


def prepare(raw: Path, folder: Path) -> None:
    """Join loans with accounts, owners and districts, as a bank's warehouse would; movements as far as there are."""
    duckdb.sql(LOANS.format(raw=raw, to=folder / "data" / "applicants.csv"))
    duckdb.sql(MOVEMENTS.format(raw=raw, to=folder / "data" / "movements.csv"))
    set_sources(
        folder,
        {
            "applicants": {
                "csv": "data/applicants.csv", "id": "applicant", "created_at": "applied_at", "outcome": "outcome",
            },
            "movements": {"csv": "data/movements.csv", "lead": "applicant", "event": "movement", "at": "at"},
        },
    )  # fmt: skip


CASE = Case(
    name="financial services: bank loans (Berka)",
    playbook="financial-services",
    data="fin_berka_pkdd99",
    scorecard="creditworthiness",
    outcome="repayment",
    prepare=prepare,
    now=datetime(1999, 1, 1),
    capacity=0.5,
    rows="a loan of a bank's client, as of its date",
    notes="682 loans, 76 bad: intervals are wide. Loans still running (C, D) count by how they stood at the end of "
    "1998. Movements are there until March 1994 only, for 38 loans: the balances that tell most are missing elsewhere. "
    "That newest first ranks well is no skill: a young loan had little time to go bad.",
)
