from __future__ import annotations

import numpy as np
import pytest

from leadlight.simulate import behaviour as b


@pytest.mark.parametrize("name", ["PATH_SHARE", "CAMPAIGN_SHARE", "FORM_SHARE", "AGENT_SHARE"])
def test_shares_are_shares(name: str) -> None:
    assert np.atleast_2d(getattr(b, name)).sum(axis=1) == pytest.approx(1)


def test_tables_have_a_row_for_each_intent_and_a_column_for_each_thing() -> None:
    assert np.shape(b.PATH_SHARE) == (4, len(b.PATHS))
    assert np.shape(b.FORM_SHARE) == (4, len(b.FORMS))
    assert np.shape(b.ACT_RATES) == (4, len(b.ACTS))
    assert {len(row) for row in (b.VISIT_RATE, b.MAIL_RATE, b.OPEN_SHARE, b.CLICK_SHARE, b.MORE_PAGES)} == {4}
    assert set(b.ACTS) < set(b.EVENTS)
