"""What look-ups are worth, in small: leads whose hidden traits drive the outcome, judged out of time."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from internet import Internet

FOLDER = Path(__file__).parents[2] / "benchmarks" / "enrich"
LISTS, PER_LIST, LEARN_AFTER = 6, 100, 4


@pytest.fixture(scope="module")
def hidden_traits():
    """The benchmark's world."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        patch.delitem(sys.modules, "hidden_traits", raising=False)
        yield __import__("hidden_traits")
        sys.modules.pop("hidden_traits", None)


@pytest.mark.slow
def test_look_ups_raise_the_out_of_time_auc(hidden_traits, tmp_path):
    traits = hidden_traits.make_traits(lists=LISTS, per_list=PER_LIST, seed=1, weeks=4)
    with Internet(keep=False) as internet:
        hidden_traits.add(internet, LISTS, PER_LIST, 1)
        ways = {"none": [], "all": ["email", "phone", "dns", "website", "rdap"]}
        found = {
            way: hidden_traits.play(tmp_path / way, traits, ask, internet.settings(), learn_after=LEARN_AFTER)
            for way, ask in ways.items()
        }
        assert internet.most_at_once() <= 8
    without, enriched = (found[way].metrics for way in ways)
    assert without.n == enriched.n
    assert enriched.auc.value > without.auc.value + 0.08
    assert enriched.auc.value <= found["all"].best.auc.high + 0.02


def test_nothing_in_the_file_itself_tells_the_traits(hidden_traits):
    traits = hidden_traits.make_traits(lists=4, per_list=50, seed=1)
    told = [hidden_traits._told(traits, lead) for lead in range(len(traits))]
    assert {len(row) for row in told} == {5}
    assert len({row[2] for row in told}) == len(told)
    assert 0.15 < traits.won.mean() < 0.45
