"""A share of a day's requests is used, never more, whatever is killed in between; the rest is left for others."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connect.stand_in import START, StandClock
from leadlight.connect.http import Used
from leadlight.connect.quota import BLOCK, Quota
from leadlight.errors import RemoteError, StoreError

DAY = 86_400


def quota(folder: Path, clock: StandClock, per_day: int | None = 100, share: float = 0.8) -> Quota:
    return Quota("Acme", per_day, folder / "sync" / "crm" / "quota.json", share=share, clock=clock.clock())


def use_up(one: Quota) -> int:
    """Take until there is no more; return how often that went well."""
    for count in range(10_000):
        try:
            one.take()
        except RemoteError as error:
            assert error.trouble == "quota"  # noqa: PT017
            return count
    raise AssertionError("there is no end")


def test_only_a_share_is_used_and_it_says_when_it_goes_on(tmp_path: Path) -> None:
    one = quota(tmp_path, StandClock())
    assert use_up(one) == 80
    with pytest.raises(RemoteError, match=r"80% of its 100 requests a day .* after 2026-03-03 00:00 UTC"):
        one.take()


def test_it_is_kept_between_runs(tmp_path: Path) -> None:
    clock = StandClock()
    one = quota(tmp_path, clock)
    for _ in range(30):
        one.take()
    one.close()
    again = quota(tmp_path, clock)
    assert again.used == 30
    assert use_up(again) == 50


def test_a_killed_run_has_counted_too_much_and_never_too_little(tmp_path: Path) -> None:
    clock = StandClock()
    for _ in range(3):
        quota(tmp_path, clock).take()  # and then it is killed
    left = use_up(quota(tmp_path, clock))
    assert 80 - 3 * BLOCK <= left <= 77


def test_a_count_that_cannot_be_kept_is_told(tmp_path: Path) -> None:
    (tmp_path / "sync").write_text("a file where a folder should be")
    with pytest.raises(StoreError, match="cannot be written to"):
        quota(tmp_path, StandClock()).take()


def test_two_at_a_time_share_it(tmp_path: Path) -> None:
    clock = StandClock()
    sync, push = quota(tmp_path, clock), quota(tmp_path, clock)
    for _ in range(25):
        sync.take()
        push.take()
    push.close()
    assert use_up(sync) == 80 - 50
    sync.close()
    assert quota(tmp_path, clock).used == 80


def test_the_next_day_begins_anew(tmp_path: Path) -> None:
    clock = StandClock()
    one = quota(tmp_path, clock)
    use_up(one)
    clock.advance(DAY)
    assert use_up(one) == 80
    one.close()
    clock.advance(DAY)
    assert use_up(quota(tmp_path, clock)) == 80


def test_the_systems_own_count_holds_what_others_use(tmp_path: Path) -> None:
    one = quota(tmp_path, StandClock(), per_day=None)
    for _ in range(500):
        one.take()
    assert one.most is None
    one.told(Used(700, 1000, START + timedelta(hours=3)))
    assert one.most == 800
    assert use_up(one) == 100
    one.close()
    with pytest.raises(RemoteError, match="after 2026-03-02 12:00 UTC"):
        one.take()


def test_the_systems_own_count_is_kept_too(tmp_path: Path) -> None:
    clock = StandClock()
    one = quota(tmp_path, clock)
    one.told(Used(79, 100))
    one.close()
    assert use_up(quota(tmp_path, clock)) == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"used": 5}', '{"used": "x", "told": 1, "of": 1, "until": "soon"}'])
def test_a_broken_file_counts_as_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "sync" / "crm" / "quota.json"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    assert use_up(quota(tmp_path, StandClock())) == 80


def test_nothing_is_written_where_there_is_no_quota(tmp_path: Path) -> None:
    one = quota(tmp_path, StandClock(), per_day=None)
    one.take()
    one.close()
    assert not list(tmp_path.rglob("*.json"))


@given(steps=st.lists(st.sampled_from(["take", "close", "kill", "told"]), max_size=120), per_day=st.integers(1, 60))
def test_however_it_runs_it_never_uses_more(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], per_day: int
) -> None:
    folder, clock, really = tmp_path_factory.mktemp("quota"), StandClock(), 0
    one = quota(folder, clock, per_day)
    for step in steps:
        if step == "take":
            try:
                one.take()
            except RemoteError:
                continue
            really += 1
        elif step == "told":
            one.told(Used(really, per_day))
        else:
            if step == "close":
                one.close()
            one = quota(folder, clock, per_day)
    assert really <= per_day * 0.8
    one.close()
    file = folder / "sync" / "crm" / "quota.json"
    assert not file.exists() or json.loads(file.read_text())["used"] >= really or really == 0
