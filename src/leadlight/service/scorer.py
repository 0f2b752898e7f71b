"""Leads given in requests, scored together: what waits while one statement runs is answered by the next one.

The plan of the statement is kept (see `scorecards.given`); running it takes hardly longer for many leads than for one,
so requests that come at once share it. Leads of one account never stand together: each is scored as if it were alone.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from leadlight.errors import LeadlightError
from leadlight.scorecards.ledger import Ledger
from leadlight.scorecards.trial import Trials
from leadlight.service.live_workspace import LiveWorkspace

AT_ONCE = 64
"""Leads of one statement at most."""
LOOK_UP = 0.5
"""Seconds without a question after which the scorer looks whether the store has new names."""


@dataclass(frozen=True, slots=True)
class _Asked:
    lead: Mapping[str, Any]
    scorecard: str | None
    as_of: str | None
    answer: Future[Ledger] = field(default_factory=Future)

    @property
    def kind(self) -> tuple[str, str]:
        return self.scorecard or "", self.as_of or ""


class Scorer:
    """Scores leads by the scorecards of a workspace, in a thread of its own."""

    def __init__(self, workspace: LiveWorkspace, *, changes: Callable[[], int]) -> None:
        """`workspace` is the scorer's alone; `changes` counts how often the store got new names."""
        self.workspace, self._changes, self._seen = workspace, changes, changes()
        self._trials = Trials(workspace.resolved)
        self._waiting = queue.SimpleQueue[_Asked | None]()
        self.ready = threading.Event()
        """Set when statements are planned, so that nobody who asks has to wait for that."""
        self._thread = threading.Thread(target=self._work, name="scorer", daemon=True)
        self._thread.start()

    def score(self, lead: Mapping[str, Any], scorecard: str | None = None, as_of: str | None = None) -> Future[Ledger]:
        """Score a lead; the future raises what `try_lead` raises."""
        asked = _Asked(lead, scorecard, as_of)
        self._waiting.put(asked)
        return asked.answer

    def close(self) -> None:
        """Answer what waits, and end."""
        self._waiting.put(None)
        self._thread.join()
        self._trials.close()

    def _work(self) -> None:
        with suppress(Exception):  # whoever asks hears of it
            self._plan()
        self.ready.set()
        going = True
        while going:
            asked, going = self._take()
            for _, alike in groupby(sorted(asked, key=lambda one: one.kind), key=lambda one: one.kind):
                self._answer(list(alike))

    def _take(self) -> tuple[list[_Asked], bool]:
        """Wait for a question; return all that wait, and whether to go on."""
        taken, item = list[_Asked](), self._next()
        while item is not None:
            taken.append(item)
            if len(taken) == AT_ONCE:
                return taken, True
            try:
                item = self._waiting.get_nowait()
            except queue.Empty:
                return taken, True
        return taken, False

    def _next(self) -> _Asked | None:
        """Wait for a question; meanwhile plan anew where there are new names, so that nobody has to wait for that."""
        while True:
            try:
                return self._waiting.get(timeout=LOOK_UP)
            except queue.Empty:
                with suppress(Exception):  # whoever asks hears of it
                    if self._renew():
                        self._plan()

    def _plan(self) -> None:
        for card in self.workspace.scorecards:
            self._trials.ready(card)

    def _renew(self) -> bool:
        """Go on by the store's names as they are now; return whether they are others than before."""
        if (now := self._changes()) == self._seen:
            return False
        self.workspace.renew()
        self._trials.close()
        self._trials, self._seen = Trials(self.workspace.resolved), now
        return True

    def _answer(self, asked: Sequence[_Asked]) -> None:
        """Answer questions of one kind, each with its own result or fault."""
        try:
            found = self._scored(asked)
        except Exception as error:  # whoever asked must hear of it
            found = [error] * len(asked)
        for one, answer in zip(asked, found, strict=True):
            if isinstance(answer, Exception):
                one.answer.set_exception(answer)
            else:
                one.answer.set_result(answer)

    def _scored(self, asked: Sequence[_Asked]) -> Sequence[Ledger | LeadlightError | Exception]:
        workspace = self.workspace
        self._renew()
        card, as_of = workspace.scorecard(asked[0].scorecard), workspace.moment(asked[0].as_of)
        return self._trials.score(card, [one.lead for one in asked], as_of)
