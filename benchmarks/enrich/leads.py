"""Leads to be looked up: the file, the workspace, and the internet they live in."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from internet import companies as made
from leadlight.simulate.draws import Draws

FREE = ("gmail.com", "outlook.com", "yahoo.com", "gmx.de")
FIRST = ("anna", "ben", "clara", "david", "elena", "felix", "greta", "hugo", "ines", "jonas", "marta", "nils")
LAST = ("abel", "bauer", "castro", "dubois", "ernst", "fischer", "huber", "jansen", "keller", "lopez", "meyer", "novak")
ASK = ("email", "phone", "dns", "website")


def add(internet: Any, companies: int, kilobytes: int) -> None:
    """Add the companies to an internet."""
    made.add(internet, made.make_companies(companies), kilobytes=kilobytes)


def write_leads(path: Path, leads: int, companies: int, free: float) -> None:
    """Write leads of so many companies, a share of them with a free e-mail address; all have a phone number."""
    draws, number = Draws(7), np.arange(leads)
    own = made.make_companies(companies)
    is_free = draws.uniform("free", number) < free
    company = number % companies
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("lead_id", "created", "email", "phone", "company"))
        for lead in range(leads):
            person = f"{FIRST[lead % len(FIRST)]}.{LAST[lead // len(FIRST) % len(LAST)]}{lead}"
            theirs = int(company[lead])
            domain = FREE[lead % len(FREE)] if is_free[lead] else own.domain[theirs]
            phone = f"+1 {201 + lead % 700} 555 01{lead % 100:02d}"
            writer.writerow((f"L{lead:06d}", "2026-11-01", f"{person}@{domain}", phone, own.name[theirs]))


def write_workspace(folder: Path, network: Mapping[str, Any]) -> None:
    """Write leadlight.yaml (JSON is YAML): all four providers are asked of every lead."""
    spec = {
        "entity": "lead",
        "store": "duckdb:leadlight.duckdb",
        "sources": {"leads": {"csv": "leads.csv", "id": "lead_id", "created_at": "created"}},
        "enrich": {"ask": list(ASK), "always": True, "network": dict(network)},
    }
    (folder / "leadlight.yaml").write_text(json.dumps(spec, indent=2) + "\n")
