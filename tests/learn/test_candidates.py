from __future__ import annotations

from pathlib import Path

import pytest

from leadlight.learn.candidates import Candidate, candidates
from leadlight.learn.training import resolve_candidates
from leadlight.spec import models
from leadlight.workspace import Workspace

SPEC = """
sources:
  leads: {csv: leads.csv, id: id, created_at: created, account: company}
  events: {csv: events.csv, lead: lead, type: type, at: at}
features:
  own: {expr: "lower(country)"}
  big: {expr: "own = 'spain' and size > 3"}
  largest: {account: {max: size}}
LEARN
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("candidates")
    titles = ["Head of Sales", "VP O'Sales; it's", "Sales ☃ Manager директор", "Chef отдела"]
    leads = [
        f"{n},2026-01-{n % 28 + 1:02},Acme {n % 9},Ada{n} Lovelace,u{n}@{'a' if n % 2 else 'b'}.example,"
        f'{["Spain", "France"][n % 2]},{n},"{titles[n % 4]} {n}",2025-12-31'
        for n in range(200)
    ]
    header = "id,created,company,full_name,email,country,size,title,founded"
    (folder / "leads.csv").write_text("\n".join([header, *leads]) + "\n")
    kinds = ["page_view", 'It\'s; a "demo"']
    events = [
        f'{n % 200},"{kinds[n % 2].replace(chr(34), chr(34) * 2)}",2026-02-01,/p{n % 3},{n},p{n % 4}'
        for n in range(900)
    ]
    (folder / "events.csv").write_text("\n".join(["lead,type,at,path,seconds,from_page", *events]) + "\n")
    (folder / "leadlight.yaml").write_text(SPEC.replace("LEARN", ""))
    Workspace(folder).ingest()
    return folder


def found(folder: Path, learn: str = "") -> dict[str, Candidate]:
    (folder / "leadlight.yaml").write_text(SPEC.replace("LEARN", learn))
    workspace = Workspace(folder)
    with workspace.store() as engine:
        resolved = workspace._ready(engine)
        made = candidates(engine, resolved)
        specs = {candidate.name for candidate in made if candidate.spec is not None}
        assert set(resolve_candidates(resolved, made)) == specs, "each can be resolved, whatever the data hold"
    return {candidate.name: candidate for candidate in made}


def test_there_is_something_of_every_kind(folder: Path) -> None:
    made = found(folder)
    assert {"own", "big", "country", "size", "days_known", "days_since_founded"} <= set(made)
    assert made["title_says_sales"].title == "Title says “sales”"
    assert made["title_says_sales"].spec == models.ExprFeature(expr="contains_any(title, 'sales')")
    assert {candidate.name for candidate in made.values() if candidate.word} >= {"title_says_sales"}
    assert not any(made[name].word for name in ("own", "country", "email_at_a_example", "page_view_p1"))
    assert {"email_at_a_example", "email_at_b_example"} <= set(made)
    assert {"page_view_7d", "page_view_30d", "days_since_page_view", "page_view_faded", "page_view_p1"} <= set(made)
    assert {"page_view_seconds_sum", "page_view_seconds_mean", "colleagues_page_view"} <= set(made)
    assert made["it_s_a_demo_30d"].title == 'It\'s; a "demo" in 30d'


def test_what_is_not_the_same_does_not_share_a_name(folder: Path) -> None:
    """Words of any script, and the same value of two properties."""
    made = found(folder).values()
    titles = {candidate.title for candidate in made}
    assert {"Title says “директор”", "Title says “отдела”"} <= titles
    assert {"Page view with path “/p1”", "Page view with from page “p2”"} <= titles
    assert {f"Page view with {name}" for name in ("path “/p2”", "from page “p2”")} <= titles


def test_nothing_is_made_of_names_of_people(folder: Path) -> None:
    assert not [name for name in found(folder) if name.startswith("full_name")]


def test_what_is_barred_bars_what_rests_on_it(folder: Path) -> None:
    made = found(folder, "learn: {protected: [country], leave_out: [title]}")
    assert not {"country", "own", "big"} & set(made)
    assert not [name for name in made if name.startswith("title")]
    assert {"size", "largest"} <= set(made)
    assert not {"size", "largest", "big"} & set(found(folder, "learn: {protected: [size]}"))


def test_only_named_features_where_candidates_are_off(folder: Path) -> None:
    assert list(found(folder, "learn: {candidates: false}")) == ["own", "largest", "big"]
