from __future__ import annotations

import numpy as np
import pytest
from tests.learn.campaign import Kind, World, world

from leadlight.errors import TooFewOutcomes
from leadlight.evaluate.uplift import Campaign, uplift_draws
from leadlight.learn.effects import Effects, expected_outcomes, fit_effects
from leadlight.learn.fit import FitSettings


def learned(found: World) -> Effects:
    expected, _ = expected_outcomes(found.trial, FitSettings())
    return fit_effects(found.trial, expected)


def qini(score: np.ndarray, found: World) -> float:
    trial = found.trial
    return float(uplift_draws(score, Campaign(trial.examples.won, trial.treated), repeats=2).value[1])


@pytest.mark.parametrize("kind", ["moved", "opposite"])
@pytest.mark.parametrize("share", [0.5, 0.2])
def test_order_and_size_of_the_true_effect_are_recovered(kind: Kind, share: float) -> None:
    effects, fresh = learned(world(kind, share=share)), world(kind, seed=99, share=share)
    said = effects.values(fresh.trial.examples.features)
    assert np.corrcoef(said, fresh.effect)[0, 1] > 0.9
    assert np.polyfit(said, fresh.effect, 1)[0] == pytest.approx(1.0, abs=0.3)
    assert said.mean() == pytest.approx(fresh.effect.mean(), abs=0.015)


def test_who_is_moved_is_not_who_comes_anyway() -> None:
    taught, fresh = world("opposite"), world("opposite", seed=7)
    features = fresh.trial.examples.features
    _, response = expected_outcomes(taught.trial, FitSettings())
    chance = np.mean([tables.log_odds(features) for tables in response], axis=0)
    assert qini(learned(taught).values(features), fresh) > 0.01
    assert qini(chance, fresh) < -0.01


@pytest.mark.parametrize("seed", range(4))
def test_where_nobody_is_moved_hardly_anything_is_kept(seed: int) -> None:
    found = world("nobody", seed=seed)
    effects = learned(found)
    assert effects.values(found.trial.examples.features).std() < 0.01
    assert abs(effects.mean) < 0.02


def test_an_arm_without_wins_is_too_few() -> None:
    found = world("moved", n=400)
    nobody = found.trial.examples.won & found.trial.treated
    trial = found.trial.take(~(found.trial.examples.won & ~nobody))
    with pytest.raises(TooFewOutcomes):
        fit_effects(trial, np.zeros(len(trial.examples)))


def test_the_same_rows_teach_the_same() -> None:
    found = world("moved", n=6000)
    first, second = (learned(found).values(found.trial.examples.features) for _ in range(2))
    assert np.array_equal(first, second)
