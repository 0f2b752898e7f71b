"""What is found is decided about by people, and can be undone."""

from __future__ import annotations

import csv
import random
from datetime import datetime
from pathlib import Path

import pytest

from leadlight.errors import UsageError
from leadlight.resolve.fields import fields_of
from leadlight.resolve.resolve import Pair, read_verdicts, write_pairs
from leadlight.workspace import Workspace

NOW = datetime(2026, 6, 1)
SYLLABLES = ("an", "be", "co", "dir", "el", "fu", "gar", "hon", "is", "jur", "ka", "lo", "mur", "ne", "or", "pa")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """200 people, every fifth of them twice, with a slip of the pen."""
    draw, folder = random.Random(3), tmp_path_factory.mktemp("people")
    lines = ["id,created,first_name,last_name,e_mail,phone,company"]
    for number in range(200):
        first, last = ("".join(draw.choices(SYLLABLES, k=count)) for count in (2, 3))
        company, phone = f"firm {draw.randrange(40)}", f"+49 30 {draw.randrange(10**6):06d}"
        lines.append(f"p{number},2026-01-01,{first},{last},{first}.{last}{number}@firm.example,{phone},{company}")
        if number % 5 == 0:
            other = last[:-1] + draw.choice("aeiou")
            lines.append(f"d{number},2026-02-01,{first},{other},{first}.{last}{number}@web.example,{phone},{company}")
    (folder / "people.csv").write_text("\n".join(lines) + "\n")
    (folder / "scorecards").mkdir()
    (folder / "leadlight.yaml").write_text(
        "store: duckdb:s.duckdb\nsources: {crm: {csv: people.csv, id: id, created_at: created}}\n"
    )
    Workspace(folder, now=lambda: NOW).ingest()
    return folder


@pytest.mark.slow
def test_found_listed_decided_and_undone(made: Path, tmp_path: Path) -> None:
    workspace = Workspace(made, now=lambda: NOW)
    found = workspace.resolve(threshold=0.9, target=tmp_path / "pairs.csv")
    twice = {frozenset((f"p{n}", f"d{n}")) for n in range(0, 200, 5)}
    pairs = [frozenset((pair.left, pair.right)) for pair in found.pairs]
    assert len(twice & set(pairs)) > 35
    assert len(set(pairs) - twice) < 3
    assert workspace.merges().total == 0  # nothing is joined without asking
    assert "same phone (" in str(found)

    first, second, third = found.pairs[:3]
    rows = list(csv.DictReader((tmp_path / "pairs.csv").read_text().splitlines()))
    assert len(rows) == len(pairs)
    for row, verdict in zip(rows, ["same", "Different", ""], strict=False):
        row["verdict"] = verdict
    with (tmp_path / "pairs.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    done = workspace.resolve(verdicts=tmp_path / "pairs.csv", who="ann")
    assert (done.joined, done.parted) == (1, 1)
    merge = workspace.merges(first.left).merges[0]
    assert (merge.rule, merge.who) == ("resolve", "ann")

    later = workspace.resolve(threshold=0.9)
    left = [frozenset((pair.left, pair.right)) for pair in later.pairs]
    assert frozenset((second.left, second.right)) not in left  # rejected: for good
    assert frozenset((third.left, third.right)) in left
    assert workspace.resolve(above=0.99).joined >= 30
    assert workspace.merges().total >= 31
    workspace.undo_merge(merge.merge)
    again = [frozenset((pair.left, pair.right)) for pair in workspace.resolve(threshold=0.9).pairs]
    assert frozenset((first.left, first.right)) not in again
    with pytest.raises(UsageError, match="between 0 and 1"):
        workspace.resolve(threshold=7)


def test_a_file_of_verdicts_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "v.csv"
    with pytest.raises(UsageError, match="cannot be read"):
        read_verdicts(path)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match="has no columns left, right and verdict"):
        read_verdicts(path)
    path.write_text("left,right,verdict\na,b,same\nc,d,perhaps\n")
    with pytest.raises(UsageError, match="line 3: 'perhaps'"):
        read_verdicts(path)


def test_names_split_and_whole() -> None:
    assert [field.name for field in fields_of(["name", "zip", "Mobile"])] == ["full_name", "phone", "postcode"]


def test_ids_are_no_formulas_in_a_spreadsheet_and_come_back(tmp_path: Path) -> None:
    ids = ['=HYPERLINK("http://evil.example","see")', "+1", "'=1", "'quoted", "plain", "@x"]
    file = tmp_path / "pairs.csv"
    write_pairs([Pair(left, "L1", 0.9, ("=name",)) for left in ids], file)
    with file.open(newline="") as written:
        rows = list(csv.reader(written))[1:]
    assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)
    with file.open("w", newline="") as decided:
        csv.writer(decided).writerows(
            [["left", "right", "verdict"], *([left, right, "same"] for left, right, *_ in rows)]
        )
    assert read_verdicts(file)[0] == [(left, "L1") for left in ids]
