"""What look-ups are worth: out-of-time AUC with and without them, in a world whose traits only look-ups reveal.

    python benchmarks/enrich/quality.py                              # three ways over the same leads: some minutes
    python benchmarks/enrich/quality.py --lists 10 --per-list 60     # small

The world stands in hidden_traits.py. The leads arrive list by list and are looked up on the evening they come (the
clock is set). A scorecard is learned after two thirds of the lists from what was known then, and is judged on the leads
that came later, as of a day after their arrival. `none` looks nothing up, `local` reads the e-mail address and the
phone number by what ships in the package, `all` asks the DNS, the company's site and the register of domains besides.
Above all three stands the AUC of the true probability, which nothing beats but by luck.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "tests")]

from hidden_traits import Judged, Traits, add, make_traits, play  # noqa: E402

from internet import apart  # noqa: E402

WAYS = {"none": [], "local": ["email", "phone"], "all": ["email", "phone", "dns", "website", "rdap"]}


def main() -> None:
    """Live through the world once for each way; print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lists", type=int, default=36, help="one every second week")
    parser.add_argument("--per-list", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    traits = make_traits(lists=options.lists, per_list=options.per_list, seed=options.seed)
    found = judged(traits, options)
    for line in table(traits, found):
        print(line)
    if options.json:
        facts = {way: {"metrics": one.metrics.as_dict(), "looks_at": one.features} for way, one in found.items()}
        options.json.write_text(json.dumps(facts, indent=2) + "\n")


def judged(traits: Traits, options: argparse.Namespace) -> dict[str, Judged]:
    """Return what each way was worth."""
    found = {}
    with (
        apart(add, options.lists, options.per_list, options.seed) as far,
        tempfile.TemporaryDirectory() as name,
    ):
        for way, ask in WAYS.items():
            found[way] = play(
                Path(name) / way, traits, ask, far.settings(), learn_after=options.lists * 2 // 3,
                told=lambda day, way=way: print(f"{way}: {day}", file=sys.stderr, flush=True),
            )  # fmt: skip
    return found


def table(traits: Traits, found: dict[str, Judged]) -> list[str]:
    """Return the lines of a table."""
    one = next(iter(found.values()))
    lines = [
        f"{len(traits):,} leads from {traits.created(0):%Y-%m-%d}; learned {one.learned_at:%Y-%m-%d}; judged on "
        f"{one.metrics.n:,} leads that came later, {one.metrics.wins:,} won, until {one.until:%Y-%m-%d}.\n",
        "| looked up | AUC of the later leads | won among the first 10 % | what the scorecard looks at |",
        "|---|--:|--:|---|",
    ]
    for way, judgement in found.items():
        lines.append(
            f"| {way} | {judgement.metrics.auc} | {judgement.metrics.gain_10} | {_first(judgement.features)} |"
        )
    return [*lines, f"| (truth) | {one.best.auc} | {one.best.gain_10} | |"]


def _first(names: tuple[str, ...], most: int = 8) -> str:
    return ", ".join(names[:most]) + (f" … {len(names)} in all" if len(names) > most else "")


if __name__ == "__main__":
    main()
