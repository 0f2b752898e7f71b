"""Real pages of small businesses, annotated by others: how much is found on the half that nobody tuned on.

How a value counts is said in benchmarks/enrich/annotated.py; the figures are those of benchmarks/enrich/extraction.py.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parents[3] / "benchmarks" / "enrich"
pytestmark = pytest.mark.data
MODULES = ("annotated", "extraction")
MOST_CPU = 60.0
"""Milliseconds a page: generous, as others may use the machine; 10 to 13 were measured on a busy one."""


@pytest.fixture(scope="module")
def benchmark() -> Iterator[dict[str, ModuleType]]:
    """The benchmark's modules, which import each other by their bare names."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        import annotated
        import extraction

        if not annotated.DATA.is_file():
            pytest.skip("../shared/data/html_business_pages is absent")
        yield {"annotated": annotated, "extraction": extraction}
        for name in MODULES:
            sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def held_out(benchmark):
    """Our figures on the half that nobody tuned on, by field."""
    extraction = benchmark["extraction"]
    measures = extraction.measure("leadlight", extraction.leadlight, extraction.chosen_pages("held-out"))
    return {one.field: one for one in measures}


@pytest.mark.parametrize(
    ("field", "least", "pages"),
    [("email", 0.9, 40), ("phone", 0.9, 50), ("organisation", 0.75, 70), ("address", 0.7, 45)],
)
def test_targets_on_pages_that_hold_the_field(held_out, field, least, pages):
    measure = held_out[field]
    assert measure.pages >= pages
    assert measure.f1 >= least, measure
    assert measure.page_f1 >= least, measure


def test_little_is_found_where_there_is_nothing(held_out):
    assert sum(measure.elsewhere for measure in held_out.values()) <= 10


def test_patterns_alone_find_less(benchmark, held_out):
    extraction = benchmark["extraction"]
    for one in extraction.measure("regex", extraction.regex, extraction.chosen_pages("held-out")):
        assert one.f1 < held_out[one.field].f1


def test_halves_share_no_site(benchmark):
    pages = benchmark["annotated"].annotated()
    tuned, held = ({page.site for page in pages if page.held_out is half} for half in (False, True))
    assert not tuned & held
    assert min(len(tuned), len(held)) >= 20


def test_a_page_takes_little_time(benchmark):
    extraction, annotated = benchmark["extraction"], benchmark["annotated"]
    mean, _ = extraction.cpu_per_page(extraction.leadlight, annotated.pages())
    assert mean < MOST_CPU


def test_how_values_are_compared(benchmark):
    annotated = benchmark["annotated"]
    words, matched = annotated.words, annotated.matched_addresses
    one, other = words("12 Main St, Albany, NY 12207"), words("12 Main St, Suite 4, Albany NY 12207")
    assert matched([one], [other]) == 1
    assert matched([one, one], [other]) == 1
    assert matched([words("Albany, NY 12207")], [one]) == 0
    assert annotated.phone_key("(0) 20 3167 4997 ext. 5") == annotated.phone_key("+44 (0)20 3167 4997")
    assert annotated.same_name("Acme, Inc.", ["acme"])
    assert not annotated.same_name("Acme Design", ["acme"])
