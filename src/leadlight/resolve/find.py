"""Find leads that are probably the same, by a model that is trained on nothing but the leads themselves (Splink).

Fellegi and Sunter 1969: of each thing compared, how much more often it agrees among records of one person than among
those of two, gives its weight (log2); weights add up to the odds. Those frequencies are estimated by expectation
maximisation, without anybody saying which pairs are the same.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from leadlight.errors import MissingExtraError, UsageError
from leadlight.resolve.fields import WORDS

if TYPE_CHECKING:
    from splink import Linker

MIN_LEADS = 100
"""Fewer than this tell too little of how often two strangers agree."""
MAX_PAIRS = 20_000_000
"""Pairs that a blocking rule may make at most; one that makes more is left out, and said to be."""
SAMPLE = 1_000_000
"""Pairs by which it is estimated how often two strangers agree."""
MEMORY = "2GB"
RECALL = 0.6
"""The share of duplicates that agree on what nearly tells who somebody is, as a guess."""

BLOCKS: Sequence[tuple[str, ...]] = (
    ("email",), ("local",), ("phone",), ("birth",), ("first_name", "surname"), ("first_start", "surname_start"),
    ("surname_start", "company"), ("surname_start", "postcode"), ("surname_start", "city"), ("first_start", "postcode"),
    ("first_start", "city"), ("first_start", "company"), ("postcode", "city"), ("street",),
)  # fmt: skip
"""Only pairs that agree on all of one of these are looked at."""

SURE: Sequence[tuple[str, ...]] = (
    ("email",), ("phone", "surname"), ("first_name", "surname", "birth"), ("first_name", "surname", "postcode"),
    ("first_name", "surname", "company"),
)  # fmt: skip
"""Who agrees on these is nearly always the same: how many there are tells how many duplicates there may be."""

TRAINING: Sequence[tuple[str, ...]] = (
    ("first_name", "surname"), ("birth",), ("local",), ("phone",), ("surname", "company"), ("postcode",),
    ("company", "city"),
)  # fmt: skip
"""Among those who agree on one of these, the frequencies of all else are estimated."""

DERIVED: Mapping[str, tuple[str, str]] = {
    "local": ("email", "split_part(email, '@', 1)"),
    "first_start": ("first_name", "substr(first_name, 1, 3)"),
    "surname_start": ("surname", "substr(surname, 1, 3)"),
}
"""What is made of a column, to look for those that agree on it."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two records that may be of one person: their keys, the probability, and what speaks for and against it.

    `weights` are (what is compared, same, alike or different, log2 of how much more likely that makes it).
    """

    left: int
    right: int
    probability: float
    weights: tuple[tuple[str, str, float], ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """The weights as words, the heaviest first."""
        told = sorted(self.weights, key=lambda weight: -abs(weight[2]))
        return tuple(f"{how} {WORDS[name]} ({weight:+.1f})" for name, how, weight in told)


@dataclass(frozen=True, slots=True)
class Found:
    """The pairs at or above a probability, most likely first; which rules were too wide, and what was compared."""

    pairs: tuple[Likeness, ...]
    compared: tuple[str, ...]
    left_out: tuple[str, ...]


def find_alike(records: pa.Table, *, threshold: float, threads: int = 2, seed: int = 1) -> Found:
    """Compare records: a column `key` of unique integers, and columns named as `fields.KNOWN` does, cleaned.

    Raises UsageError where there are too few records or columns to learn from, MissingExtraError without Splink.
    """
    _check(records)
    with _quiet(), duckdb.connect(config={"threads": threads, "memory_limit": MEMORY}) as connection:
        names = _prepare(connection, records)
        blocks, left_out = _blocks(connection, names)
        if not blocks:
            raise UsageError(
                "no two leads can be told to be worth comparing: what they have is the same for too many of them",
                fix="Give them more of: " + ", ".join(WORDS.values()) + ".",
            )
        linker = _trained(connection, names, blocks, seed)
        table = linker.inference.predict(threshold_match_probability=threshold).physical_name
        return Found(_read(connection, table, names), tuple(WORDS[name] for name in names), left_out)


def _check(records: pa.Table) -> None:
    try:
        import splink  # noqa: F401
    except ImportError:
        raise MissingExtraError(
            "finding duplicates needs Splink, which is not installed",
            fix='Install it with `pip install "leadlight[resolve]"`.',
        ) from None
    compared = [name for name in records.column_names if name != "key" and records[name].null_count < len(records)]
    if len(compared) < 2:
        raise UsageError(
            f"leads have {WORDS.get(compared[0], compared[0]) if compared else 'nothing'} to be compared by: "
            "at least two things are needed",
            fix="Attributes are known by their names: first_name and last_name (or name), email, phone, company, "
            "date_of_birth, postcode, city, street.",
        )
    if len(records) < MIN_LEADS:
        raise UsageError(
            f"{len(records)} leads are too few to learn from how often strangers agree: {MIN_LEADS} are needed",
            fix="Join by hand those you know: `leadlight merges --join ID ID`.",
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's advice to its own users from ours."""
    logger = logging.getLogger("splink")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _prepare(connection: duckdb.DuckDBPyConnection, records: pa.Table) -> list[str]:
    """Make the table `leads`, and return what is compared: of a name its first word and its last."""
    names = [name for name in records.column_names if name != "key" and records[name].null_count < len(records)]
    connection.register("given", records.select(["key", *names]))
    columns = ["key", *(name for name in names if name != "full_name")]
    if "full_name" in names:
        columns += ["split_part(full_name, ' ', 1) AS first_name",
                    "nullif(regexp_extract(full_name, ' ([^ ]+)$', 1), '') AS surname"]  # fmt: skip
        names = ["first_name", "surname", *(name for name in names if name != "full_name")]
    columns += [f"{made} AS {name}" for name, (column, made) in DERIVED.items() if column in names]
    connection.execute(f"CREATE TABLE leads AS SELECT {', '.join(columns)} FROM given")  # noqa: S608 - names of ours
    return names


def _blocks(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str]
) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    """Return the blocking rules that can be used, and those that would make too many pairs."""
    used, wide = list[tuple[str, ...]](), list[str]()
    for block in _usable(BLOCKS, names):
        pairs = _pairs(connection, block)
        if pairs > MAX_PAIRS:
            wide.append(" and ".join(WORDS[name] for name in block))
        elif pairs:
            used.append(block)
    return used, tuple(wide)


def _pairs(connection: duckdb.DuckDBPyConnection, block: Sequence[str]) -> int:
    """Return how many pairs agree on these."""
    where = " AND ".join(f"{name} IS NOT NULL" for name in block)
    found = connection.execute(
        f"SELECT coalesce(sum(n * (n - 1) / 2), 0) FROM (SELECT count(*) AS n FROM leads WHERE {where} "  # noqa: S608
        f"GROUP BY {', '.join(block)})"
    ).fetchall()
    return int(found[0][0])


def _usable(blocks: Sequence[tuple[str, ...]], names: Sequence[str]) -> list[tuple[str, ...]]:
    present = {*names, *(name for name, (column, _) in DERIVED.items() if column in names)}
    return [block for block in blocks if present.issuperset(block)]


def _trained(
    connection: duckdb.DuckDBPyConnection, names: Sequence[str], blocks: Sequence[tuple[str, ...]], seed: int
) -> Linker:
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    api = DuckDBAPI(connection)
    settings = SettingsCreator(
        link_type="dedupe_only",
        probability_two_random_records_match=1 / len(connection.table("leads")),
        unique_id_column_name="key",
        comparisons=[_comparison(name) for name in names],
        blocking_rules_to_generate_predictions=[block_on(*block) for block in blocks],
        retain_matching_columns=True,  # without, it leaves out how alike they are
        retain_intermediate_calculation_columns=True,
    )
    linker = Linker(api.register(connection.table("leads").to_arrow_table()), settings, log_level=None)
    sure = [rule for rule in _usable(SURE, names) if _pairs(connection, rule)]
    if sure:
        linker.training.estimate_probability_two_random_records_match([block_on(*rule) for rule in sure], recall=RECALL)
    linker.training.estimate_u_using_random_sampling(max_pairs=SAMPLE, seed=seed)
    for rule in _usable(TRAINING, names):
        if rule in blocks:
            with suppress(ValueError, ZeroDivisionError):  # all of those pairs are alike, or none: they teach nothing
                linker.training.estimate_parameters_using_expectation_maximisation(block_on(*rule))
    return linker


def _comparison(name: str) -> Any:
    """Return how one thing is compared: from the same over the alike to the different."""
    import splink.comparison_level_library as levels
    import splink.comparison_library as comparisons

    match name:
        case "email":
            return comparisons.CustomComparison(
                output_column_name="email",
                comparison_levels=[
                    levels.NullLevel("email"), levels.ExactMatchLevel("email"), levels.ExactMatchLevel("local"),
                    levels.JaroWinklerLevel("local", 0.9), levels.ElseLevel(),
                ],
            )  # fmt: skip
        case "first_name" | "surname" | "company":
            return comparisons.JaroWinklerAtThresholds(name, [0.92, 0.8]).configure(term_frequency_adjustments=True)
        case "phone":
            return comparisons.LevenshteinAtThresholds(name, [1])
        case "birth":
            return comparisons.LevenshteinAtThresholds(name, [1, 2])
        case "street":
            return comparisons.JaroWinklerAtThresholds(name, [0.9])
        case "postcode":
            return comparisons.LevenshteinAtThresholds(name, [1]).configure(term_frequency_adjustments=True)
        case _:
            return comparisons.ExactMatch(name).configure(term_frequency_adjustments=True)


_LEVELS: Mapping[str, int] = {"email": 3, "first_name": 3, "surname": 3, "company": 3, "phone": 2,
                              "birth": 3, "street": 2, "postcode": 2}  # fmt: skip
"""The highest level of a comparison, which means the same; 0 means different."""


def _read(connection: duckdb.DuckDBPyConnection, table: str, names: Sequence[str]) -> tuple[Likeness, ...]:
    present = {row[0] for row in connection.execute(f'DESCRIBE "{table}"').fetchall()}

    def weight(name: str) -> str:
        parts = [f'coalesce("{column}", 0)' for column in (f"mw_{name}", f"mw_tf_adj_{name}") if column in present]
        return " + ".join(parts) or "0"

    told = ", ".join(f'"gamma_{name}", {weight(name)}' for name in names)
    rows = connection.execute(
        f'SELECT key_l, key_r, match_probability, {told} FROM "{table}" '  # noqa: S608 - names of ours only
        "ORDER BY match_probability DESC, key_l, key_r"
    ).fetchall()
    return tuple(Likeness(left, right, probability, _weights(names, rest)) for left, right, probability, *rest in rows)


def _weights(names: Sequence[str], rest: Sequence[Any]) -> tuple[tuple[str, str, float], ...]:
    found = list[tuple[str, str, float]]()
    for name, gamma, weight in zip(names, rest[::2], rest[1::2], strict=True):
        if gamma < 0:
            continue
        how = "same" if gamma == _LEVELS.get(name, 1) else "different" if gamma == 0 else "similar"
        found.append((name, how, float(weight)))
    return tuple(found)
