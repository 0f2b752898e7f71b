"""Exports as CRM systems write them, made from a seed: headers, stages and dates in their ways."""

from __future__ import annotations

import csv
import io
import random
from datetime import datetime, timedelta

START = datetime(2025, 1, 6, 9)
FIRMS = ("Nordwind AG", "Blue Lake Ltd", "Vega SARL", "Kiel & Sons", "Pan Group", "Tern GmbH", "Ostra BV")


def _csv(headers: list[str], rows: list[list[object]], *, delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerows([headers, *rows])
    return out.getvalue()


def _deals(count: int, seed: int) -> list[tuple[int, datetime, datetime, str, float]]:
    """Return number, creation, end, ending and worth."""
    draw = random.Random(seed)
    return [
        (
            number,
            START + timedelta(hours=7 * number, minutes=draw.randrange(60)),
            START + timedelta(hours=7 * number, days=draw.randrange(3, 70)),
            draw.choices(["won", "lost", "open"], [3, 5, 4])[0],
            draw.randrange(10, 900) * 100.0,
        )
        for number in range(count)
    ]


def hubspot(count: int = 240) -> str:
    """Deals: stages as text, a flag beside them, an expected close date for those still open."""
    stages = {"won": "Closed Won", "lost": "Closed Lost"}
    draw = random.Random(2)
    waiting = ["Appointment Scheduled", "Qualified To Buy", "Contract Sent"]
    rows: list[list[object]] = [
        [
            9_000_000_000 + 37 * number,
            f"Deal {number}",
            stages.get(ending) or draw.choice(waiting),
            "true" if ending == "won" else "false",
            "" if ending == "open" and number % 3 else f"{worth:.2f}",
            f"{created:%Y-%m-%d %H:%M}",
            f"{closed:%Y-%m-%d %H:%M}",
            draw.choice(FIRMS),
            draw.choice(["Organic Search", "Paid Search", "Referrals", "Offline Sources"]),
        ]
        for number, created, closed, ending, worth in _deals(count, 1)
    ]
    return _csv(
        ["Record ID", "Deal Name", "Deal Stage", "Is Closed Won", "Amount", "Create Date", "Close Date",
         "Associated Company", "Original Source"],
        rows,
    )  # fmt: skip


def salesforce(count: int = 240) -> str:
    """Leads: a status that says converted or not, a converted date for the won only, addresses."""
    status = {"won": "Closed - Converted", "lost": "Closed - Not Converted"}
    draw = random.Random(3)
    rows: list[list[object]] = [
        [
            f"00Q5f00000{number:05d}AAA",
            f"{draw.choice('ABCDEFG')}. Person",
            f"person{number}@firm{number % 60}.example",
            draw.choice(FIRMS),
            status.get(ending) or draw.choice(["Open - Not Contacted", "Working - Contacted"]),
            f"{created:%m/%d/%Y}",
            f"{closed:%m/%d/%Y}" if ending == "won" else "",
            draw.choice(["Web", "Partner Referral", "Trade Show"]),
        ]
        for number, created, closed, ending, _ in _deals(count, 4)
    ]
    return _csv(
        ["Lead ID", "Name", "Email", "Company / Account", "Lead Status", "Created Date", "Converted Date",
         "Lead Source"],
        rows,
    )  # fmt: skip


def pipedrive(count: int = 240) -> str:
    """Deals: status beside stage, a won time and a lost time, one address for many deals."""
    draw = random.Random(5)
    rows: list[list[object]] = [
        [
            number + 1,
            f"Deal of {draw.choice(FIRMS)}",
            f"buyer{number % 40}@firm.example",
            draw.choice(FIRMS),
            f"{worth:.0f}",
            "EUR",
            draw.choice(["Lead In", "Contact Made", "Demo Scheduled", "Proposal Made"]),
            ending.capitalize(),
            f"{created:%Y-%m-%d %H:%M:%S}",
            f"{closed:%Y-%m-%d %H:%M:%S}" if ending == "won" else "",
            f"{closed:%Y-%m-%d %H:%M:%S}" if ending == "lost" else "",
        ]
        for number, created, closed, ending, worth in _deals(count, 6)
    ]
    return _csv(
        ["Deal - ID", "Deal - Title", "Person - Email", "Deal - Organization", "Deal - Value", "Deal - Currency",
         "Deal - Stage", "Deal - Status", "Deal - Deal created", "Deal - Won time", "Deal - Lost time"],
        rows,
    )  # fmt: skip


def german(count: int = 240) -> str:
    """Semicolons, dates with dots, decimal commas, Ja and Nein."""
    draw = random.Random(7)
    rows: list[list[object]] = [
        [
            f"K-{number:04d}",
            draw.choice(FIRMS),
            f"kontakt{number}@firma{number}.example",
            f"{created:%d.%m.%Y}",
            f"{closed:%d.%m.%Y}" if ending == "won" else "",
            "Ja" if ending == "won" else "Nein",
            f"{worth:,.2f}".replace(",", " ").replace(".", ",").replace(" ", ".") if ending == "won" else "",
            draw.choice(["Messe", "Empfehlung", "Webseite", "k.A."]),
        ]
        for number, created, closed, ending, worth in _deals(count, 8)
    ]
    return _csv(
        ["Kundennummer", "Firma", "E-Mail", "Erstellt am", "Abschlussdatum", "Gewonnen", "Auftragswert", "Herkunft"],
        rows,
        delimiter=";",
    )


def wide(count: int = 120, columns: int = 100) -> str:
    """A hundred columns, of which three have a role."""
    draw = random.Random(9)
    headers = ["lead_id", *(f"answer {n}" for n in range(columns - 2)), "converted"]
    rows: list[list[object]] = [
        [f"L{n}", *(draw.choice(["a", "b", "c"]) for _ in range(columns - 2)), int(n % 4 == 0)] for n in range(count)
    ]
    return _csv(headers, rows)
