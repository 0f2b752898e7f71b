"""Rows and where to go on are kept together; what a killed run leaves broken does not stop the next."""

from __future__ import annotations

import logging
import os
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadlight.connect.landing import Landing
from leadlight.errors import StoreError

NOON = datetime(2026, 3, 1, 12)
ROWS = pa.table({"_id": ["1"], "x y/z": ["a"], "at": pa.array([NOON], pa.timestamp("us")),
                 "never": pa.array([None], pa.timestamp("us"))})  # fmt: skip


def test_rows_land_as_they_are_with_their_state(tmp_path: Path) -> None:
    landing = Landing(tmp_path, "crm")
    assert landing.states() == {}
    (file,) = landing.land("crm.lead", ROWS, {"cursor": {"n": 1}})
    assert pq.read_table(file).equals(ROWS)
    assert landing.land("Lead", ROWS.slice(0, 0), {"cursor": {"n": 2}}) == []
    assert Landing(tmp_path, "crm").states() == {"crm=2elead": {"cursor": {"n": 1}}, "Lead": {"cursor": {"n": 2}}}
    landing.land("crm.lead", ROWS, {"cursor": {"n": 3}})
    assert len(landing.landed("crm.lead")) == 2
    assert landing.states()["crm=2elead"] == {"cursor": {"n": 3}}
    landing.tidy()
    assert landing.states()["crm=2elead"] == {"cursor": {"n": 3}}
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) < 15


def test_what_was_being_removed_is_removed(tmp_path: Path) -> None:
    landing = Landing(tmp_path, "crm")
    landing.land("Lead", ROWS, {"cursor": 1})
    broken = tmp_path / "work" / "crm" / "normalize" / "extracted" / "1795922082.98"
    broken.mkdir(parents=True)
    assert landing.states() == {"Lead": {"cursor": 1}}
    assert not broken.exists()


def test_notes_that_cannot_be_read_are_begun_anew(tmp_path: Path) -> None:
    landing = Landing(tmp_path, "crm")
    landing.land("Lead", ROWS, {"cursor": 1})
    (tmp_path / "work" / "crm" / "state.json").write_text('{"half')
    assert landing.states() == {}
    landing.land("Lead", ROWS, {"cursor": 2})
    assert landing.states() == {"Lead": {"cursor": 2}}


def test_nothing_of_the_process_is_changed(tmp_path: Path) -> None:
    before = dict(os.environ), list(logging.getLogger().handlers)
    Landing(tmp_path, "crm").land("Lead", ROWS, {"cursor": 1})
    assert (dict(os.environ), list(logging.getLogger().handlers)) == before
    assert not [one for name, one in logging.root.manager.loggerDict.items()
                if name.startswith("dlt") and getattr(one, "handlers", None)]  # fmt: skip


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path) -> None:
    (tmp_path / "landing").write_text("in the way")
    with pytest.raises(StoreError, match="what was read of crm cannot be kept"):
        Landing(tmp_path, "crm").land("Lead", ROWS, {"cursor": 1})
