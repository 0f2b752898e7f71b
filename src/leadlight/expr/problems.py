"""What can be wrong with an expression, and where in its text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from leadlight.errors import MAX_FAULTS_SHOWN, LeadlightError


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: what was found and what is allowed, with its place in the text (both from 1)."""

    message: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.message}"


def problem_at(text: str, offset: int, message: str) -> Problem:
    """Place a problem at an offset of a text.

    >>> problem_at("a\\nbc", 3, "odd")
    Problem(message='odd', line=2, column=2)
    """
    before = text[:offset]
    return Problem(message, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


class ExpressionError(LeadlightError):
    """A text is no expression Leadlight can use; `problems` holds everything that was found, in order of place."""

    exit_code = 3

    def __init__(self, text: str, problems: Iterable[Problem]) -> None:
        self.text = text
        self.problems = sorted(problems, key=lambda problem: (problem.line, problem.column))
        shown = [str(problem) for problem in self.problems[:MAX_FAULTS_SHOWN]]
        if len(self.problems) > MAX_FAULTS_SHOWN:
            shown.append(f"… and {len(self.problems) - MAX_FAULTS_SHOWN} more")
        super().__init__("\n".join(shown))
