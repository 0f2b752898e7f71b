from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from leadlight.learn.examples import Examples, Floats
from leadlight.learn.worth import MOST_FACTORS, Worth, fit_worth, learn_worth
from leadlight.spec import models

INDUSTRIES = {"software": 1.2, "retail": 0.8, "finance": 1.6, "education": 0.6}


def market(wins: int, seed: int, *, noise: int = 30, spread: float = 0.4) -> tuple[Examples, Floats]:
    """Return won and lost rows, and the true expected worth of each: by company size and industry, and by nothing else.

    As in the simulated world: base x employees^0.55 x industry x a lognormal.
    """
    random = np.random.default_rng(seed)
    n = 2 * wins
    employees = np.ceil(np.exp(random.normal(4.5, 1.4, n)))
    unknown = random.random(n) < 0.1
    industry = random.choice(list(INDUSTRIES), n)
    columns = {f"noise{k}": random.normal(size=n) for k in range(noise)}
    columns |= {"letter": random.choice(list("abcdefgh"), n).tolist(), "constant": np.ones(n)}
    features = pa.table(
        {
            "employees": pa.array(employees, mask=unknown),
            "industry": industry.tolist(),
            "vip": (random.random(n) < 0.2).tolist(),
            **columns,
        }
    )
    truth = 300 * employees**0.55 * np.array([INDUSTRIES[name] for name in industry]) * np.exp(spread**2 / 2)
    won = np.arange(n) < wins
    brought = truth * np.exp(random.normal(0, spread, n) - spread**2 / 2)
    return Examples(features, won, worth=np.where(won, brought, np.nan)), truth


def learned(examples: Examples) -> Worth:
    found = fit_worth(examples)
    assert found is not None
    return found


def off(said: Floats, truth: Floats) -> float:
    """Return the mean absolute error of the logarithm."""
    return float(np.abs(np.log(said / truth)).mean())


def axes(found: Worth) -> list[str]:
    return [factor.axis.feature for factor in found.factors]


@pytest.mark.parametrize(("wins", "most"), [(60, 0.7), (300, 0.45), (2_000, 0.35)])
def test_closer_to_the_truth_than_one_worth_for_all(wins: int, most: float) -> None:
    for seed in range(5):
        examples, truth = market(wins, seed)
        rest = ~examples.won
        found = learned(examples)
        said = found.expected(examples.features)[rest]
        alone = np.full(int(rest.sum()), examples.worth[examples.won].mean())
        assert off(said, truth[rest]) < most * off(alone, truth[rest]) + 0.02
        assert "employees" in axes(found)
        assert len(found.factors) <= MOST_FACTORS


def test_expects_the_mean_and_not_the_median() -> None:
    ratio = []
    for seed in range(8):
        examples, truth = market(800, seed, spread=0.8)
        said = learned(examples).expected(examples.features)
        ratio.append(said[~examples.won].mean() / truth[~examples.won].mean())
    assert np.mean(ratio) == pytest.approx(1.0, abs=0.06)


def test_what_is_chance_is_not_used() -> None:
    """Forty features that mean nothing, in forty worlds: hardly ever is one taken."""
    taken = 0
    for seed in range(40):
        random = np.random.default_rng(seed)
        features = pa.table({f"noise{k}": random.normal(size=150) for k in range(40)})
        worth = np.exp(random.normal(8, 1.2, 150))
        taken += len(learned(Examples(features, np.ones(150, bool), worth=worth)).factors)
    assert taken <= 6


def test_industries_have_their_order() -> None:
    examples, _ = market(3_000, 4)
    found = learned(examples)
    assert axes(found)[:2] == ["employees", "industry"]
    spec = learn_worth(examples)
    assert spec is not None
    by_industry = spec.criteria[1]
    assert isinstance(by_industry, models.WorthCategory)
    factors = by_industry.factors
    assert factors["finance"] > factors["software"] > factors["retail"] > factors["education"]
    assert factors["finance"] / factors["education"] == pytest.approx(1.6 / 0.6, rel=0.15)


def test_the_file_says_what_the_object_says() -> None:
    examples, _ = market(500, 5, noise=0)
    found = learned(examples)
    spec = found.spec()
    assert models.WorthSpec.model_validate(spec.model_dump()) == spec
    assert axes(found) == ["employees", "industry"]
    by_size, by_industry = spec.criteria
    assert isinstance(by_size, models.WorthBands)
    assert isinstance(by_industry, models.WorthCategory)
    rows = pa.table({"employees": [None, 3.0, 5e5], "industry": ["finance", None, "unheard of"]})

    def by_hand(size: float | None, name: str | None) -> float:
        of_size = by_size.missing
        for low, high, factor in by_size.bands:
            if size is not None and (low is None or low <= size) and (high is None or size < high):
                of_size = factor
        of_name = by_industry.missing if name is None else by_industry.factors.get(name, by_industry.other)
        return spec.base * of_size * of_name

    expected = [by_hand(None, "finance"), by_hand(3.0, None), by_hand(5e5, "unheard of")]
    assert found.expected(rows) == pytest.approx(expected, rel=1e-12)


def test_few_wins_are_worth_the_same() -> None:
    examples, _ = market(8, 6)
    found = learned(examples)
    assert not found.factors
    assert found.base == pytest.approx(examples.worth[examples.won].mean(), rel=0.25)
    assert found.wins == 8


def test_nothing_known_of_the_worth() -> None:
    examples, _ = market(50, 7)
    unknown = Examples(examples.features, examples.won)
    assert fit_worth(unknown) is None
    assert learn_worth(unknown) is None
    nothing = Examples(examples.features, examples.won, worth=np.where(examples.won, 0.0, np.nan))
    assert fit_worth(nothing) is None


def test_worth_of_what_was_not_won_counts_for_nothing() -> None:
    examples, _ = market(200, 8)
    told = Examples(examples.features, examples.won, worth=np.where(examples.won, examples.worth, 1e12))
    assert learn_worth(told) == learn_worth(examples)


@pytest.mark.parametrize("wins", [1, 2, 30])
def test_always_the_same_worth(wins: int) -> None:
    features = pa.table({"x": np.arange(wins, dtype=float), "none": pa.nulls(wins), "text": ["a"] * wins})
    found = learned(Examples(features, np.ones(wins, bool), worth=np.full(wins, 990.0)))
    assert (found.base, found.factors, found.spread) == (990.0, (), pytest.approx(0.0, abs=1e-12))


def test_an_outlier_counts_as_less_and_is_reported() -> None:
    examples, truth = market(300, 9)
    worth = examples.worth.copy()
    worth[0] = 1e12
    found = learned(Examples(examples.features, examples.won, worth=worth))
    assert found.capped >= 1
    rest = ~examples.won
    assert found.expected(examples.features)[rest].mean() == pytest.approx(truth[rest].mean(), rel=0.2)


def test_wins_that_brought_nothing_lower_the_base() -> None:
    examples, _ = market(400, 10)
    worth = examples.worth.copy()
    worth[:100] = 0.0
    found, before = learned(Examples(examples.features, examples.won, worth=worth)), learned(examples)
    assert found.worthless == 100
    mean = {k: v.expected(examples.features).mean() for k, v in {"found": found, "before": before}.items()}
    assert mean["found"] / mean["before"] == pytest.approx(0.75, abs=0.06)


def test_a_lead_of_many_rows_counts_once() -> None:
    examples, _ = market(100, 11)
    many = examples.take(np.concatenate([np.arange(200), np.zeros(300, np.int64)]))
    assert many.wins == 400
    once, found = learned(examples), learned(many)
    assert found.wins == 100
    assert found.expected(examples.features).mean() == pytest.approx(once.expected(examples.features).mean(), rel=0.05)


def test_a_truth_value_has_a_factor() -> None:
    random = np.random.default_rng(12)
    vip = random.random(400) < 0.5
    worth = np.exp(random.normal(7, 0.5, 400)) * np.where(vip, 3.0, 1.0)
    found = learned(Examples(pa.table({"vip": vip.tolist()}), np.ones(400, bool), worth=worth))
    spec = found.spec().criteria[0]
    assert isinstance(spec, models.WorthCategory)
    assert spec.factors[True] / spec.factors[False] == pytest.approx(3.0, rel=0.15)


def test_the_same_rows_give_the_same_worth() -> None:
    examples, _ = market(150, 13)
    assert learn_worth(examples) == learn_worth(examples)
