"""What a run of `enrich` did, or would do, drawn for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from leadlight.cli import render
from leadlight.cli.console import words
from leadlight.spec.entity import many, plural

if TYPE_CHECKING:
    from leadlight.enrich.report import EnrichRun, ProviderRun


def enriched(run: EnrichRun) -> RenderableType:
    """Draw who was asked and what came of it, who was passed over and why, and what it cost."""
    parts: list[RenderableType] = [words(run.headline, "bold yellow" if run.stopped else "bold")]
    shown = [one for one in run.providers if one.questions or one.leads or one.network]
    if shown:
        parts.append(Padding(_providers(run, shown), (1, 0, 1, 0)))
    parts += [words(line.strip(), "dim") for line in run.reasons]
    if not run.dry_run and run.questions:
        parts.append(words(_traffic(run), "dim"))
    if run.money is not None or run.requests is not None:
        parts.append(words(_budget(run)))
    parts += [words(note, "yellow") for note in run.notes]
    if run.scored:
        parts.append(render.runs(run.scored))
    return Group(*parts)


def _providers(run: EnrichRun, shown: list[ProviderRun]) -> Table:
    asked = "questions at most" if run.dry_run else "questions"
    columns = [asked, plural(run.entity), *(["requests"] if run.dry_run else ["found", "nothing", "failed"]), "cost"]
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("provider")
    for column in columns:
        table.add_column(column, justify="right")
    table.add_column("")
    for one in shown:
        outcomes = [Text(f"{one.requests:,}")] if run.dry_run else [
            Text(f"{one.found:,}", "green" if one.found else ""), Text(f"{one.nothing:,}"),
            Text(f"{one.failed:,}", "red" if one.failed else ""),
        ]  # fmt: skip
        table.add_row(
            words(one.provider, "cyan" if one.network else ""), f"{one.questions:,}", f"{one.leads:,}", *outcomes,
            f"{one.cost:g}" if one.cost else "", words(_said(one), "dim"),
        )  # fmt: skip
    return table


def _said(one: ProviderRun) -> str:
    """Say why it failed; or that nobody outside was asked."""
    failed = ", ".join(f"{why} {count:,}" for why, count in one.why.items())
    return failed or ("" if one.network else "asks nobody outside")


def _traffic(run: EnrichRun) -> str:
    sent = run.traffic
    size = f"{sent.bytes / 1e6:,.1f} MB" if sent.bytes >= 1e6 else f"{sent.bytes / 1e3:,.0f} kB"
    return (
        f"{many(sent.requests, 'request')}, {many(sent.dns, 'DNS question')}, {size} received, "
        f"{many(sent.cached, 'answer')} from the cache"
    )


def _budget(run: EnrichRun) -> str:
    limits = [f"{run.money:g} of money"] if run.money is not None else []
    limits += [many(run.requests, "request")] if run.requests is not None else []
    return f"budget: {' and '.join(limits)}; those with most to gain come first"
