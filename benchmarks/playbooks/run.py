"""Every playbook on its real data: first come, hand-written, practice, learned and black box on the same rows.

    python benchmarks/playbooks/run.py               # all cases whose data are there
    python benchmarks/playbooks/run.py support_incidents threats_kev

Rows to judge by are those that `learn` holds back: the newest where there is time. Figures go to results.json beside
this file, and from there into the pages of docs/playbooks, between `<!-- figures … -->` and `<!-- end -->`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from case import CASES, Case, load, make
from pages import write_pages

from leadlight.evaluate.verdict import BASE_RATE, BLACK_BOX, FIRST_COME, LEARNED, TODAY, Verdict
from leadlight.learn.run import LearnRun

RESULTS = Path(__file__).parent / "results.json"
SYSTEMS = {FIRST_COME: "first come", TODAY: "hand-written", LEARNED: "learned", BLACK_BOX: "black box"}
FIGURES = {"auc": "auc", "average_precision": "ap", "gain_at": "gain"}

FEW_WINS = 50
"""On fewer wins than this, intervals are so wide that next to nothing can be said."""

Result = dict[str, Any]


def measure(case: Case, folder: Path) -> Result:
    """Put a case's playbook on its data, learn, and return what was found."""
    began = time.monotonic()
    workspace = make(case, folder)
    scored = workspace.score(case.scorecard)[0]
    run = workspace.learn(outcome=case.outcome, against=case.scorecard, force=True)
    assert isinstance(run, LearnRun)
    verdict = run.learned.verdict
    return {
        **_about(case),
        **_rows(verdict, workspace.loaded.workspace.spec.entity),
        "systems": _systems(verdict),
        "learned_against": {
            SYSTEMS.get(item.other, item.other): item.stands_out
            for item in verdict.comparisons
            if item.figure == "auc" and item.other != BASE_RATE
        },
        "criteria": len(run.learned.criteria),
        "publishable": verdict.publishable,
        "against": list(verdict.against),
        "scored": scored.scored,
        "scored_per_second": round(scored.scored / max(scored.seconds, 1e-9)),
        "seconds": round(time.monotonic() - began, 1),
    }


def _about(case: Case) -> Result:
    return {
        "name": case.name, "playbook": case.playbook, "data": case.data, "scorecard": case.scorecard,
        "outcome": case.outcome, "capacity": case.capacity, "practice": list(case.practice), **_words(case),
    }  # fmt: skip


def _words(case: Case) -> Result:
    """Return what is said of a case beside its figures: it may be put better without measuring again."""
    return {"row": case.rows, "literature": case.literature, "notes": case.notes}


def _rows(verdict: Verdict, entity: str) -> Result:
    return {
        "entity": entity, "n": verdict.n, "wins": verdict.wins, "called": verdict.metrics.words.won,
        "timed": verdict.timed, "since": verdict.since, "until": verdict.until, "first_come": verdict.first_come,
    }  # fmt: skip


def _systems(verdict: Verdict) -> dict[str, dict[str, list[float]]]:
    """Return each system's figures, as value, low and high."""
    found: dict[str, dict[str, list[float]]] = {}
    for name, metrics in verdict.systems:
        if name != BASE_RATE:
            values = {short: getattr(metrics, figure) for figure, short in FIGURES.items()}
            found[SYSTEMS.get(name, name)] = {
                short: [round(number, 4) for number in (value.value, value.low, value.high)]
                for short, value in values.items()
                if value is not None
            }
    return found


def shortfalls(result: Result) -> list[str]:
    """Say what does not hold of a result: the hand-written against first come, the learned against the black box."""
    systems, found = result["systems"], []
    hand, first = systems.get("hand-written", {}).get("auc"), systems.get("first come", {}).get("auc")
    bar, what = (first[0], result["first_come"]) if first else (0.5, "a coin (there are no dates)")
    if hand and hand[0] <= bar:
        found.append(f"the hand-written card (AUC {hand[0]:.3f}) does not beat {what} ({bar:.3f})")
    elif hand and first and hand[1] <= first[2]:
        found.append(f"the hand-written card beats {what} within noise only")
    for other in (name for name, stands in result["learned_against"].items() if stands == "worse"):
        learned, theirs = systems["learned"]["auc"][0], systems[other]["auc"][0]
        found.append(f"the learned card (AUC {learned:.3f}) is worse than {_the(other)} ({theirs:.3f})")
    if "black box" not in systems:
        found.append("too few rows for a black box")
    if result["wins"] < FEW_WINS:
        found.append(f"{result['wins']} {result['called']} are too few to tell one system from another")
    return found


def _the(system: str) -> str:
    return {"black box": "the black box", "hand-written": "the hand-written one"}.get(system, system)


def run(names: Sequence[str]) -> int:
    """Measure cases, one after the other; a case that fails does not stop the others. Return how many failed."""
    failed = 0
    for name in names:
        try:
            case = load(CASES / f"{name}.py")
            if not case.present:
                print(f"{name}: the data set {case.data} is not there", flush=True)
                continue
            with tempfile.TemporaryDirectory(prefix="playbook-") as folder:
                result = measure(case, Path(folder) / name)
        except Exception:
            failed += 1
            print(f"{name}: FAILED\n{traceback.format_exc()}", file=sys.stderr, flush=True)
            continue
        result["does_not_hold"] = shortfalls(result)
        keep(name, result)
        print(f"{name}: {summary(result)}", flush=True)
    write_pages(kept())
    return failed


def kept() -> dict[str, Result]:
    """Return the results there are, each with what does not hold of it and the words its case has today."""
    found: dict[str, Result] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    return {
        name: {**result, **_words(load(CASES / f"{name}.py")), "does_not_hold": shortfalls(result)}
        for name, result in found.items()
        if _has_case(name)
    }


def _has_case(name: str) -> bool:
    return (CASES / f"{name}.py").exists()


def keep(name: str, result: Result) -> None:
    """Put a result among the others, which another run may have written in the meantime."""
    results = dict(sorted({**kept(), name: result}.items()))
    RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def summary(result: Mapping[str, Any]) -> str:
    """Say a result on a line."""
    figures = ", ".join(
        f"{name} {values['auc'][0]:.3f}" for name, values in result["systems"].items() if "auc" in values
    )
    holds = "; ".join(result["does_not_hold"]) or "all holds"
    return f"n {result['n']:,}, {result['wins']:,} {result['called']}; AUC: {figures}; {holds} ({result['seconds']} s)"


def main() -> int:
    """Run the cases named, or all."""
    known = [path.stem for path in sorted(CASES.glob("*.py"))]
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"one of {', '.join(known)}; all unless told")
    parser.add_argument("--pages", action="store_true", help="write the pages from the results there are")
    told = parser.parse_args()
    unknown = sorted(set(told.cases) - set(known))
    if unknown:
        parser.error(f"there is no case {', '.join(unknown)}; there are {', '.join(known)}")
    if told.pages:
        write_pages(kept())
        return 0
    return 1 if run(told.cases or known) else 0


if __name__ == "__main__":
    sys.exit(main())
