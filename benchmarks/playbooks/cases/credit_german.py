"""Financial services on the German credit data: consumer loans of 1973 to 1975, good or bad."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import duckdb
from case import Case, set_sources

# The UCI code book mixes codes and words up. History is read by its code with the words of Grömping (2019), "South
# German Credit Data: Correcting a Widely Used Data Set": what UCI words as A30 … A34 means codes 0 … 4 there.
APPLICANTS = """
COPY (SELECT 'G' || lpad((row_number() OVER ())::VARCHAR, 4, '0') AS applicant, credit_amount AS amount,
      duration_in_month AS term, purpose,
      CASE WHEN credit_history LIKE 'no credits taken%' THEN 'delay_in_the_past'
           WHEN credit_history LIKE 'all credits at this bank%' THEN 'critical'
           WHEN credit_history LIKE 'existing credits%' THEN 'no_credits'
           WHEN credit_history LIKE 'delay%' THEN 'paid_duly_so_far'
           WHEN credit_history LIKE 'critical%' THEN 'paid_duly' END AS credit_history,
      CASE WHEN c = '... < 0 DM' THEN 'overdrawn' WHEN c LIKE '0 <=%' THEN 'low'
           WHEN c LIKE '... >=%' THEN 'comfortable' ELSE 'none' END AS current_account,
      CASE WHEN savings_account_and_bonds LIKE 'unknown%' THEN 'not_known'
           WHEN savings_account_and_bonds LIKE '... < 100%' THEN 'little'
           WHEN savings_account_and_bonds LIKE '100 <=%' THEN 'some' ELSE 'ample' END AS savings,
      CASE WHEN e LIKE 'unemployed%' THEN 0 WHEN e LIKE '... < 1%' THEN 0.5 WHEN e LIKE '1 <=%' THEN 2.5
           WHEN e LIKE '4 <=%' THEN 5.5 ELSE 8 END AS job_years,
      CASE housing WHEN 'own' THEN 'own' WHEN 'rent' THEN 'rent' ELSE 'free' END AS housing,
      CASE WHEN property LIKE 'real estate%' THEN 'real_estate' WHEN property LIKE 'building%' THEN 'savings_contract'
           WHEN property LIKE 'car%' THEN 'car' ELSE 'none' END AS property,
      other_debtors_or_guarantors = 'guarantor' AS guarantor, other_installment_plans AS other_plans, job,
      age_in_years AS age, split_part(personal_status_and_sex, ' ', 1) AS sex,
      trim(split_part(personal_status_and_sex, ':', 2)) AS marital_status, foreign_worker = 'yes' AS foreign_worker,
      number_of_people_being_liable_to_provide_maintenance_for AS dependents, creditability AS outcome
      FROM (SELECT *, trim(status_of_existing_checking_account) AS c, trim(present_employment_since) AS e
            FROM read_csv('{raw}', header = true))) TO '{to}' (HEADER)
"""


def prepare(raw: Path, folder: Path) -> None:
    """Write the applicants with our names and words; the outcome stands in the same file, without a date."""
    to = folder / "data" / "applicants.csv"
    duckdb.sql(APPLICANTS.format(raw=raw / "germancredit.csv", to=to))
    set_sources(folder, {"applicants": {"csv": "data/applicants.csv", "id": "applicant", "outcome": "outcome"}})


CASE = Case(
    name="financial services: consumer loans (German credit)",
    playbook="financial-services",
    data="fin_german_credit",
    scorecard="creditworthiness",
    outcome="repayment",
    prepare=prepare,
    now=datetime(1976, 1, 1),
    capacity=0.5,
    rows="a granted consumer loan",
    notes="No dates: judged on a part drawn at random, so nothing says that it lasts. Bad loans are oversampled "
    "(30 %). Only granted loans are in the file: who was turned down is not known.",
)
