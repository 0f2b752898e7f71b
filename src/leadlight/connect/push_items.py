"""What is to stand in the records of leads, worked out some leads at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from leadlight.connect.push_house import Opening
from leadlight.connect.push_records import LACKS, Aim, Due
from leadlight.connect.push_values import Target, target
from leadlight.connect.pushed import Item
from leadlight.engines.base import Engine
from leadlight.errors import LeadlightError
from leadlight.features.moment import Moment
from leadlight.scorecards.ledger import Ledger, ledgers
from leadlight.spec.resolved import ResolvedScorecard, ResolvedWorkspace
from leadlight.store import pushed
from leadlight.store.pushed import Pushed

CHUNK = 256
"""Records that are worked out at a time."""
NEXT_STEPS = 100
"""For how many leads a run looks for the next step: each is a question about the whole past, about half a second."""
THE_REST = f"next steps: looked for for the first {NEXT_STEPS} leads; the others' turn comes in the next runs"
NO_STEPS = "no next steps: too few past cases yet"


@dataclass
class Items:
    """Works out what is to stand in records."""

    store: Opening
    ready: Callable[[Engine], tuple[ResolvedWorkspace, ResolvedScorecard]]
    aim: Aim
    as_of: datetime
    next_step: Callable[[Engine, int], str | None] | None
    """Says what a lead's next step could be; None where that is not wanted."""
    note: Callable[[str], None]
    steps_left: int = NEXT_STEPS

    def of(self, due: Sequence[Due]) -> list[Item]:
        """Return the records with what is to stand in them, and what is known of them."""
        leads, aim = list(dict.fromkeys(one.lead for one in due)), self.aim
        with self.store() as engine:
            workspace, card = self.ready(engine)
            moment = Moment(as_of=self.as_of, only=_padded(leads))
            told = {ledger.key: ledger for ledger in ledgers(engine, workspace, card, moment)}
            before = pushed.pushed(engine, aim.connection, aim.object, [one.record for one in due])
            targets = {lead: self._target(engine, told[lead]) for lead in leads if lead in told}
        return [
            _item(one, told[one.lead], targets[one.lead], before, lacks=self._lacks(targets[one.lead]))
            for one in due
            if one.lead in targets
        ]

    def _lacks(self, wanted: Target) -> bool:
        return self.next_step is not None and "next_step" not in wanted.values

    def _target(self, engine: Engine, ledger: Ledger) -> Target:
        """Return what is to stand in a lead's records, with its next step as long as there is room for the question."""
        if self.next_step is None or self.steps_left < 0:
            return target(ledger, None, told=False)
        self.steps_left -= 1
        if self.steps_left < 0:
            self.note(THE_REST)
            return target(ledger, None, told=False)
        try:
            return target(ledger, self.next_step(engine, int(ledger.key)), told=True)
        except LeadlightError:  # no outcomes, or too few
            self.steps_left = -1
            self.note(NO_STEPS)
            return target(ledger, None, told=False)


def _item(due: Due, ledger: Ledger, wanted: Target, before: Mapping[str, Pushed], *, lacks: bool) -> Item:
    known = before.get(due.record, Pushed(due.record, due.key))
    return Item(due.record, due.key, due.lead, ledger.id, due.hash + LACKS if lacks else due.hash, wanted, known)


def _padded(leads: list[int]) -> list[int]:
    """Repeat the last lead until they are as many as a chunk has: one statement serves every chunk."""
    return leads + leads[-1:] * (CHUNK - len(leads)) if leads else leads
