"""Every error Leadlight raises on purpose, as one tree.

    LeadlightError                  the root: catch this to catch them all
      SpecError                     what the user wrote (YAML, conditions) has faults; all of them are listed
      DataError                     what the user's files hold cannot be read; all faults are listed
        TooManyRejects              more rows than allowed could not be read, so nothing was changed
      StoreError                    the store cannot be used
        StoreInUse                  another process holds it
        StoreVersionError           it was written by a newer Leadlight
      NotFoundError                 a lead, scorecard, file or workspace of that name does not exist
      UsageError                    an argument makes no sense (an as-of that is no time, say)
      TooFewOutcomes                too few wins or losses to learn from
      RemoteError                   another system cannot be reached, or refuses what it was asked
      MissingExtraError             an optional package is needed

Each error carries its facts as attributes, says what to do next, and has the exit code the command line ends with.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

MAX_FAULTS_SHOWN = 50
MAX_VALUE_SHOWN = 60
MAX_CHOICES_SHOWN = 12


def shorten(value: object, limit: int = MAX_VALUE_SHOWN) -> str:
    """Show a user's value in a message, bounded and on one line, with control characters escaped.

    >>> shorten("a" * 100)
    "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…'"
    """
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 2] + "…'"


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Say which known name is nearest, and which names there are.

    >>> did_you_mean("employes", ["employees", "country"])
    "did you mean 'employees'? Known: country, employees"
    >>> did_you_mean("x", [])
    'none is known'
    """
    import difflib

    known = sorted({str(choice) for choice in choices})
    if not known:
        return "none is known"
    shown = ", ".join(known[:MAX_CHOICES_SHOWN]) + (", …" if len(known) > MAX_CHOICES_SHOWN else "")
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if not near:
        folded = [choice for choice in known if choice.lower() == name.lower()]
        near = folded[:1]
    return f"did you mean {near[0]!r}? Known: {shown}" if near else f"known: {shown}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong in what the user wrote or gave.

    `message` says what was found and what is allowed; `file`, `line` and `column` (both from 1) say where; `path` is
    the place in words (`groups.fit.criteria[2].bands`); a `warning` does not stop anything.
    """

    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    path: str | None = None
    severity: Literal["error", "warning"] = "error"

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        head = f"{place}: " if place else ""
        where = f"{self.path}: " if self.path else ""
        tail = " (warning)" if self.severity == "warning" else ""
        return f"{head}{where}{self.message}{tail}"

    def as_dict(self) -> dict[str, Any]:
        """Return the fault as plain JSON values."""
        return asdict(self)


class LeadlightError(Exception):
    """The root of every error Leadlight raises on purpose."""

    exit_code = 1

    def __init__(self, message: str, *, fix: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message}\n{self.fix}" if self.fix else self.message

    def as_dict(self) -> dict[str, Any]:
        """Return the error as plain JSON values."""
        return {"error": type(self).__name__, "message": self.message, "fix": self.fix}


class _FaultsError(LeadlightError):
    """An error made of faults that were gathered before it was raised."""

    what = "what you wrote"

    def __init__(self, faults: Sequence[Fault], *, fix: str | None = None) -> None:
        self.faults = list(faults)
        count = len(self.faults)
        shown = [str(fault) for fault in self.faults[:MAX_FAULTS_SHOWN]]
        if count > MAX_FAULTS_SHOWN:
            shown.append(f"… and {count - MAX_FAULTS_SHOWN} more")
        head = f"{count} fault{'' if count == 1 else 's'} in {self.what}"
        super().__init__("\n".join([head, *shown]), fix=fix)

    def as_dict(self) -> dict[str, Any]:
        """Return the error and each of its faults as plain JSON values."""
        return {**super().as_dict(), "faults": [fault.as_dict() for fault in self.faults]}


class SpecError(_FaultsError):
    """The workspace or a scorecard has faults; raised once, with all of them."""

    exit_code = 3
    what = "the workspace"


class DataError(_FaultsError):
    """Files of the user cannot be read as the workspace says; raised once, with all faults; the store is unchanged."""

    exit_code = 4
    what = "the data"


class TooManyRejects(DataError):
    """More rows than `reject_limit` could not be read; the store is unchanged and the rejects file says why."""


class StoreError(LeadlightError):
    """The store cannot be opened, read or written."""

    exit_code = 5


class StoreInUse(StoreError):
    """Another process holds the store; `holder` says which."""

    def __init__(self, path: str, holder: str) -> None:
        super().__init__(
            f"the store {path} is in use by {holder}",
            fix="Wait until it has finished, or stop it, then try again.",
        )
        self.path = path
        self.holder = holder


class StoreVersionError(StoreError):
    """The store was written by a newer Leadlight than this one."""


class NotFoundError(LeadlightError):
    """A lead, scorecard, file or workspace of that name does not exist."""

    exit_code = 6


class UsageError(LeadlightError):
    """An argument of a verb makes no sense."""

    exit_code = 2


class MissingExtraError(LeadlightError):
    """An optional package is needed; the fix is the line that installs it."""

    exit_code = 7


RemoteTrouble = Literal["sign_in", "scope", "disabled", "absent", "invalid", "quota", "unreachable", "trouble"]
"""What is wrong with another system: it does not know who we are; we may not do this; the API is switched off; there is
no such object or field; it does not take what we say; our share of its quota is used up; no answer; it is ill."""


class RemoteError(LeadlightError):
    """A system that leads live in cannot be reached, or refuses what it was asked; `fix` says what to do there."""

    exit_code = 9

    def __init__(
        self, system: str, trouble: RemoteTrouble, message: str, *, fix: str | None = None, status: int | None = None
    ) -> None:
        super().__init__(f"{system}: {message}", fix=fix)
        self.system, self.trouble, self.status = system, trouble, status

    def as_dict(self) -> dict[str, Any]:
        """Return the error and what is wrong as plain JSON values."""
        return {**super().as_dict(), "system": self.system, "trouble": self.trouble, "status": self.status}


class TooFewOutcomes(LeadlightError):
    """There are too few wins, or too few losses, to learn from; `because` says which outcomes were not counted."""

    exit_code = 8

    def __init__(
        self, *, wins: int, losses: int, needed: int, called: str = "wins", because: Sequence[str] = ()
    ) -> None:
        self.wins, self.losses, self.needed, self.because = wins, losses, needed, tuple(because)
        other = "losses" if called == "wins" else "others"
        fewer = called if wins <= losses else other
        counted = f"{wins:,} {called} and {losses:,} {other}"
        message = f"{counted} are too few {fewer} to learn from; at least {needed} are needed"
        by_hand = (
            "Let them move the points of a scorecard written by hand: `leadlight learn --from NAME`."
            if wins and losses
            else "One kind of outcome alone tells nothing apart: until there are both, rank by a card written by hand."
        )
        look = "If there should be more, look at which outcomes `outcome:` calls wins."
        super().__init__(message, fix=" ".join([by_hand, look, *because]))

    def as_dict(self) -> dict[str, Any]:
        """Return the error and its counts as plain JSON values."""
        return {**super().as_dict(), "wins": self.wins, "losses": self.losses, "needed": self.needed}
