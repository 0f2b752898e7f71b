"""Learn which words point to which industry, and measure on companies that nothing was learned from.

    python benchmarks/enrich/industry.py [--write]

Learned from: words written by hand (industry_seeds.yaml); descriptions of NAICS 2017 codes (United States Census,
public domain); one half of the companies in ../shared/data/enrich_companies (two lists: one with descriptions, one with
names only). The other half is only measured. Labels of the lists are coarser than ours or cut otherwise: a label
stands for a set of our industries, and a company counts as right when its industry is in the set. While learning,
which one of the set is meant is what a model of the other sources says.

Written: weights of words that at least four texts have, and no text.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import textwrap
import zlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ruamel.yaml import YAML

import leadlight.enrich.texts.industry as reader
from leadlight.enrich.industries import INDUSTRIES, industry_of

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "enrich_companies"
TEXTS = Path(reader.__file__).parent
NAMES = list(INDUSTRIES)
LISTED = {
    "Healthcare": {"healthcare", "life_sciences"},
    "Fintech": {"financial_services", "insurance"},
    "Education": {"education"},
    "Real Estate and Construction": {"real_estate", "construction"},
    "Government": {"government", "aerospace_and_defence"},
    "Industrials": {
        "manufacturing", "energy", "aerospace_and_defence", "automotive", "chemicals", "agriculture", "mining",
        "hardware", "transportation",
    },
}  # fmt: skip
"""Labels of the list with descriptions that name an industry; its "B2B" and "Consumer" say who buys."""
OPEN = {
    "B2B": {"software", "it_services", "marketing", "staffing", "legal", "transportation", "retail", "hardware"},
    "Consumer": {"software", "media", "consumer_goods", "food_and_beverage", "hospitality", "retail", "transportation"},
}
SECTORS = {
    "Financials": {"financial_services", "insurance", "real_estate"},
    "Technology": {"software", "hardware", "it_services"},
    "Energy": {"energy", "mining"},
    "Retailing": {"retail", "automotive"},
    "Health Care": {"healthcare", "life_sciences", "insurance"},
    "Business Services": {"professional_services", "marketing", "staffing", "it_services", "financial_services"},
    "Industrials": {"manufacturing", "hardware"},
    "Materials": {"manufacturing", "chemicals", "mining"},
    "Transportation": {"transportation"},
    "Food, Beverages & Tobacco": {"food_and_beverage", "agriculture"},
    "Engineering & Construction": {"construction", "professional_services"},
    "Wholesalers": {"wholesale"},
    "Chemicals": {"chemicals"},
    "Media": {"media", "marketing"},
    "Hotels, Restaurants & Leisure": {"hospitality"},
    "Household Products": {"consumer_goods"},
    "Motor Vehicles & Parts": {"automotive"},
    "Aerospace & Defense": {"aerospace_and_defence"},
    "Apparel": {"consumer_goods"},
    "Telecommunications": {"telecommunications"},
    "Food & Drug Stores": {"retail"},
}
LEAST_TEXTS = 4
"""Words of fewer texts are not written, hand-written ones apart."""


def is_learned_from(name: str) -> bool:
    """Say on which side of the split a company is; the same in every run."""
    return zlib.crc32(name.encode()) % 2 == 0


def described() -> list[tuple[str, str, str]]:
    """Return (name, text, label) of the list with descriptions."""
    with gzip.open(DATA / "yc_companies.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return [(row["Company Name"], row["Description"], row["Industry"]) for row in rows if row["Description"]]


def named() -> list[tuple[str, str, str]]:
    """Return (name, text, label) of the list of names."""
    with (DATA / "fortune1000_2022.csv").open(encoding="utf-8") as file:
        return [(row["company"], row["company"], row["sector"]) for row in csv.DictReader(file)]


def codes() -> list[tuple[str, str, str]]:
    """Return (code, text, industry) of NAICS."""
    found = json.loads((DATA / "naics_2017_descriptions.json").read_text(encoding="utf-8"))
    rows = []
    for code, entry in found.items():
        industry = industry_of(code, scheme="naics")
        text = f"{entry['Title'].strip().removesuffix('T')}. {entry['Description'].split('Cross-References')[0][:500]}"
        if industry and len(code) >= 3:
            rows.append((code, text.replace("establishments primarily engaged in", " "), industry))
    return rows


def seeds() -> list[tuple[str, str]]:
    """Return (word, industry) of the list written by hand."""
    written = YAML(typ="safe").load((TEXTS / "industry_seeds.yaml").read_text(encoding="utf-8"))
    return [(word.strip(), name) for name, words in written.items() for word in words.split(",") if word.strip()]


class Terms:
    """Words and pairs of words, numbered."""

    def __init__(self, texts: list[str], kept: set[str]) -> None:
        counts = Counter(term for text in texts for term in reader.terms_of(text))
        known = [term for term, count in counts.items() if count >= LEAST_TEXTS or term in kept]
        self.numbers = {term: n for n, term in enumerate(sorted(known))}

    def matrix(self, texts: list[str]) -> csr_matrix:
        """Return a row per text, of length one."""
        from scipy.sparse import csr_matrix
        from sklearn.preprocessing import normalize

        rows = [[self.numbers[term] for term in reader.terms_of(text) if term in self.numbers] for text in texts]
        places = np.concatenate([[0], np.cumsum([len(row) for row in rows])])
        columns = np.array([column for row in rows for column in row], dtype=int)
        return normalize(csr_matrix((np.ones(len(columns)), columns, places), shape=(len(rows), len(self.numbers))))


def companies() -> list[tuple[str, set[str], float]]:
    """Return (text, industries it may be in, weight) of the half of the companies that is learned from.

    Labels that name an industry weigh 3, those that only say who buys .15: so chosen on a third of this half.
    """
    rows = [row for row in described() if is_learned_from(row[0])]
    return [
        *((text, LISTED[label], 3.0) for _, text, label in rows if label in LISTED),
        *((text, OPEN[label], 0.15) for _, text, label in rows if label in OPEN),
        *((text, SECTORS[label], 3.0) for name, text, label in named() if is_learned_from(name)),
    ]


def learn(strength: float = 8.0) -> tuple[Terms, LogisticRegression]:
    """Learn in two rounds: without the lists, then with them, each company labelled by the first round in its set."""
    from scipy.sparse import vstack
    from sklearn.linear_model import LogisticRegression

    by_hand = seeds()
    kept = {term for word, _ in by_hand for term in reader.terms_of(word)}
    naics = [row for row in codes() if is_learned_from(row[0])]
    some = companies()
    texts = [word for word, _ in by_hand] + [text for _, text, _ in naics] + [text for text, _, _ in some]
    terms = Terms(texts, kept)
    sure = terms.matrix([word for word, _ in by_hand] + [text for _, text, _ in naics])
    labels = [name for _, name in by_hand] + [name for _, _, name in naics]
    weights = np.concatenate([np.full(len(by_hand), 2.0), np.ones(len(naics))])
    first = LogisticRegression(C=strength, max_iter=300, class_weight="balanced").fit(
        sure, labels, sample_weight=weights
    )
    unsure = terms.matrix([text for text, _, _ in some])
    chances = first.predict_proba(unsure)
    classes = list(first.classes_)
    allowed = np.array([[name in names for name in classes] for _, names, _ in some])
    guessed = [classes[n] for n in np.where(allowed, chances, -1).argmax(axis=1)]
    second = LogisticRegression(C=strength, max_iter=300)
    second.fit(
        vstack([sure, unsure]), labels + guessed, sample_weight=np.concatenate([weights, [w for _, _, w in some]])
    )
    return terms, second


def written(terms: Terms, model: LogisticRegression, *, least: float = 0.35) -> str:
    """Return the weights as YAML: per industry its words, the strongest first, those that speak against it last."""
    names = np.array(sorted(terms.numbers, key=terms.numbers.__getitem__))
    bias = zip(model.classes_, model.intercept_, strict=True)
    lines = [
        "# Which words point to which industry, and how much; learned by benchmarks/enrich/industry.py.",
        "bias: {" + ", ".join(f"{name}: {value:.2f}" for name, value in bias) + "}",
        "weights:",
    ]
    for name, row in zip(model.classes_, model.coef_, strict=True):
        order = [n for n in np.argsort(-row) if row[n] >= least or row[n] <= -2 * least]
        words = ", ".join(f"{names[n]} {row[n]:.1f}" for n in order)
        lines += [f"  {name}: >-", *textwrap.wrap(words, 112, initial_indent="    ", subsequent_indent="    ")]
    return "\n".join(lines) + "\n"


def measure(rows: list[tuple[str, str, str]], sets: dict[str, set[str]]) -> dict[str, object]:
    """Return coverage and accuracy on the companies that nothing was learned from."""
    held = [(text, label) for name, text, label in rows if label in sets and not is_learned_from(name)]
    found = [reader.industry_of_text(text) for text, _ in held]
    right = [one is not None and one.name in sets[label] for one, (_, label) in zip(found, held, strict=True)]
    answered = sum(one is not None for one in found)
    labels = Counter(label for _, label in held)
    hits = Counter(label for hit, (_, label) in zip(right, held, strict=True) if hit)
    return {
        "companies": len(held),
        "answered": round(answered / len(held), 3),
        "right of answered": round(sum(right) / answered, 3),
        "right of all": round(sum(right) / len(held), 3),
        "commonest label": round(labels.most_common(1)[0][1] / len(held), 3),
        "right of all by label": {label: round(hits[label] / n, 3) for label, n in labels.items()},
    }


def report() -> dict[str, dict[str, object]]:
    """Return what the shipped weights do on the three held-out halves."""
    ours = {name: {name} for name in NAMES}
    return {
        "descriptions (a line each; six labels)": measure(described(), LISTED),
        "descriptions (labels that say who buys)": measure(described(), OPEN),
        "names only (21 sectors)": measure(named(), SECTORS),
        "NAICS codes": measure(codes(), ours),
    }


def main() -> None:
    """Learn and write where told; measure what ships."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="learn, and write industry_words.yaml")
    if parser.parse_args().write:
        (TEXTS / "industry_words.yaml").write_text(written(*learn()), encoding="utf-8")
    out = io.StringIO()
    YAML().dump(report(), out)
    print(out.getvalue())


if __name__ == "__main__":
    main()
