"""What leadlight.yaml says about consent: `consent:`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from leadlight.spec.base import Label, Spec


class ConsentSpec(Spec):
    """Which events need a yes of the person to count; those without it are set aside.

    What a person says of a purpose holds from then on, until they say otherwise. Calls bring it in their context
    (`consent: {categoryPreferences: {marketing: true}}`), as Segment's clients do, or as a trait of the purpose's name.
    """

    purposes: dict[Label, list[str] | Literal["all"]] = Field(
        min_length=1, description="for each purpose the types of events that need it; `all` for all types"
    )
    unsaid: Literal["set_aside", "count"] = Field(
        "set_aside", description="what becomes of events of people who have said neither yes nor no"
    )
    retroactive: bool = Field(
        False, description="whether a no sets aside what came before it, too, as long as nothing else is said"
    )
    sources: list[str] = Field(default_factory=lambda: ["live"], description="whose events need it")
