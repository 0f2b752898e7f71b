"""Looking many leads up, in small: politely, once each, and no finished request again after a kill."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path
from statistics import mean

import pytest

from internet import apart

FOLDER = Path(__file__).parents[2] / "benchmarks" / "enrich"
COMPANIES, LEADS = 24, 60


@pytest.fixture(scope="module")
def throughput():
    """The benchmark, which imports its neighbours by their bare names."""
    names = ("throughput", "leads", "measure")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(FOLDER), *sys.path])
        for name in names:
            patch.delitem(sys.modules, name, raising=False)
        yield __import__("throughput")
        for name in names:
            sys.modules.pop(name, None)


def test_every_lead_is_looked_up_politely_and_every_page_asked_for_once(throughput, tmp_path):
    import leadlight

    with apart(throughput.add, COMPANIES, 8, latency=0.01, keep=True) as far:
        throughput.prepare(tmp_path, far, LEADS, COMPANIES, 0.2, per_second=10.0)
        leadlight.open(tmp_path).enrich()
        ended = far.ended()
        assert max(ended.values()) == 1
        assert len({host.removeprefix("www.") for host, _ in ended}) >= COMPANIES * 0.9
        assert far.ask("most_at_once") == 1
        pages = [visit for visit in far.ask("visits") if visit.path != "/robots.txt"]
        assert _mean_pause(pages) > 0.09
        requests = sum(ended.values())
        leadlight.open(tmp_path).enrich()
        assert far.ask("count") == requests


def _mean_pause(visits):
    """Seconds from a host's page to its next, as the host sees them: early or late by what each took, so their mean."""
    begun: dict[str, list[float]] = {}
    for visit in visits:
        begun.setdefault(visit.host, []).append(visit.begun)
    return mean(later - earlier for times in map(sorted, begun.values()) for earlier, later in pairwise(times))


@pytest.mark.slow
def test_a_kill_in_the_middle_repeats_no_finished_request(throughput, tmp_path):
    with apart(throughput.add, COMPANIES, 8, latency=0.05, keep=True) as far:
        throughput.prepare(tmp_path, far, LEADS, COMPANIES, 0.2, per_second=5.0)
        found = throughput.killed(tmp_path, far, LEADS, after=2 * COMPANIES)
    assert found.kept >= COMPANIES // 2
    assert found.kept_again == 0
    assert found.others_again <= found.answered - found.kept
    assert found.in_all > found.answered + found.others_again
