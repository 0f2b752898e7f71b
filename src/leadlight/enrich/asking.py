"""Ask providers, many at once: the same question once, within the budget, and no failure ends more than itself."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from leadlight.enrich.look import Look
from leadlight.enrich.network import Network, NetworkError, Why
from leadlight.enrich.provider import About, Fact, Provider
from leadlight.enrich.report import ProviderRun

REMEMBERED = 10_000
"""How many answers are remembered for leads with the same question; the network remembers more."""
PATIENCE = {Why.DENIED: 3, Why.RATE_LIMITED: 10}
"""After so many of these in a row a provider is not asked any more in the run."""


@dataclass(frozen=True, slots=True)
class Want:
    """A question to be put: about whom, and to which provider."""

    look: Look
    provider: str

    @property
    def subject(self) -> str:
        """What is asked."""
        key = self.look.subject.keys[self.provider]
        assert key is not None
        return key


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a question."""

    facts: tuple[Fact, ...] = ()
    error: NetworkError | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """An answer about a lead, and what it cost: nothing where another lead's question was the same."""

    want: Want
    answer: Answer
    at: datetime
    cost: float


@dataclass(slots=True)
class Tally:
    """What was asked of one provider, and what came of it."""

    questions: int = 0
    leads: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    why: Counter[str] = field(default_factory=Counter)
    cost: float = 0.0
    in_a_row: int = 0
    stopped: str = ""

    def told(self, about: About) -> ProviderRun:
        """Return it as the report has it."""
        return ProviderRun(
            about.name, about.title, about.network, self.questions, self.leads, self.outcomes["found"],
            self.outcomes["nothing"], self.outcomes["failed"], self.cost, why=dict(self.why.most_common()),
            stopped=self.stopped,
        )  # fmt: skip


@dataclass(slots=True)
class Asking:
    """Puts questions; lives as long as a run."""

    providers: Mapping[str, Provider]
    networks: Mapping[str, Network]
    now: Callable[[], datetime]
    money: float | None = None
    tallies: dict[str, Tally] = field(default_factory=dict)
    told: Callable[[], None] = lambda: None
    """Called whenever a question was answered."""
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    answered: int = 0
    """Questions outside that came to an end."""
    spent: bool = False
    """Whether something was not asked because the budget is spent."""
    out_of_requests: bool = False
    _answers: OrderedDict[tuple[str, str], asyncio.Task[Answer]] = field(default_factory=OrderedDict)

    def tally(self, provider: str) -> Tally:
        """Return the tally of a provider."""
        return self.tallies.setdefault(provider, Tally())

    @property
    def questions(self) -> int:
        """Questions that were put to somebody outside."""
        return sum(tally.questions for name, tally in self.tallies.items() if self.providers[name].about.network)

    @property
    def cost(self) -> float:
        """What was spent, or is about to be."""
        return sum(tally.cost for tally in self.tallies.values())

    async def put(self, wants: Sequence[Want]) -> tuple[list[Given], list[Want]]:
        """Put questions; return the answers that came, and what was not asked for want of money or requests.

        When `stop` is set, what is not answered yet is let go.
        """
        begun = [(want, *self._begin(want)) for want in wants]
        running = [task for _, task, _ in begun if task is not None]
        await self._finished(running)
        given, unasked = [], []
        for want, task, cost in begun:
            if task is None:
                unasked.append(want)
            elif task.done() and not task.cancelled():
                answer = task.result()
                if answer.error is not None and answer.error.why is Why.BUDGET:
                    self.spent = self.out_of_requests = True
                    unasked.append(want)
                else:
                    given.append(Given(want, answer, self.now(), 0.0 if answer.error is not None else cost))
        self._count(given)
        return given, unasked

    async def _finished(self, running: Iterable[asyncio.Task[Answer]]) -> None:
        tasks = set(running)
        if not tasks:
            return
        stopped = asyncio.ensure_future(self.stop.wait())
        everything = asyncio.ensure_future(asyncio.wait(tasks))
        try:
            await asyncio.wait({stopped, everything}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for future in (stopped, everything):
                future.cancel()
            if self.stop.is_set():
                for task in tasks:
                    task.cancel()

    def _begin(self, want: Want) -> tuple[asyncio.Task[Answer] | None, float]:
        """Begin to ask, or join those who ask the same; None where it may not be asked. Return what it costs, too."""
        key = (want.provider, want.subject)
        if key in self._answers:
            self._answers.move_to_end(key)
            return self._answers[key], 0.0
        tally, about = self.tally(want.provider), self.providers[want.provider].about
        if tally.stopped or self.stop.is_set():
            return None, 0.0
        if about.network and (self.out_of_requests or not self._can_pay(about.cost)):
            self.spent = True
            return None, 0.0
        tally.cost += about.cost
        tally.questions += 1
        task = self._answers[key] = asyncio.ensure_future(self._ask(want))
        while len(self._answers) > REMEMBERED and next(iter(self._answers.values())).done():
            self._answers.popitem(last=False)
        return task, about.cost

    def _can_pay(self, cost: float) -> bool:
        return self.money is None or not cost or self.cost + cost <= self.money + 1e-9

    async def _ask(self, want: Want) -> Answer:
        answer = await self._answer(want)
        if self.providers[want.provider].about.network:
            self.answered += 1
            self.told()
        return answer

    async def _answer(self, want: Want) -> Answer:
        try:
            facts = await self.providers[want.provider].ask(want.look.subject.query, self.networks[want.provider])
        except NetworkError as error:
            self._failed(want.provider, error)
            return Answer(error=error)
        self.tally(want.provider).in_a_row = 0
        return Answer(facts)

    def _failed(self, provider: str, error: NetworkError) -> None:
        """Note a failure: what was not answered costs nothing, and who refuses us again and again is left alone."""
        tally = self.tally(provider)
        tally.cost -= self.providers[provider].about.cost
        if error.why is Why.BUDGET:
            tally.questions -= 1
        if error.why not in PATIENCE:
            tally.in_a_row = 0
            return
        tally.in_a_row += 1
        if tally.in_a_row >= PATIENCE[error.why] and not tally.stopped:
            tally.stopped = error.message

    def _count(self, given: Iterable[Given]) -> None:
        for one in given:
            tally, error = self.tally(one.want.provider), one.answer.error
            tally.leads += 1
            tally.outcomes["failed" if error is not None else "found" if one.answer.facts else "nothing"] += 1
            if error is not None:
                tally.why[str(error.why)] += 1
