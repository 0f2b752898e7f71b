"""A workspace for a system that leads live in: what `init --from` writes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic.fields import FieldInfo

from leadlight.connect.protocol import Connector
from leadlight.connect.registry import connector
from leadlight.spec.load import SCORECARD_FOLDER, WORKSPACE_FILE

WIDTH = 118
"""Columns in which a source stands on one line, if it can."""
STORE = ("entity: lead", "store: duckdb:leadlight.duckdb    # or postgresql://…; it can always be made again")
NEEDED = "# Set in the environment (or in a file of secrets: `secrets_file:`), never here:"
WHERE_THEY_APPLY = "# Those of these that apply:"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./ -]*")
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))


def system_content(system: str) -> dict[str, str]:
    """Return the files of a workspace that reads a system: path → text.

    Raises NotFoundError for an unknown system, MissingExtraError without the extra `connect`.
    """
    found = connector(system)
    return {
        WORKSPACE_FILE: _workspace(found),
        f"{SCORECARD_FOLDER}/house.yaml": found.scorecard.rstrip() + "\n",
    }


def next_steps(system: str) -> tuple[str, ...]:
    """Return the commands to go on with, once the secrets are set."""
    about = connector(system).about
    secrets = tuple(f"export {secret.variable}=…" for secret in about.secrets if secret.needed)
    return (*secrets, "leadlight sync", "leadlight rank", *(("leadlight push --dry-run",) if about.writes else ()))


def _workspace(found: Connector) -> str:
    return "\n".join([*_head(found), "", *STORE, "", *_connection(found), "", "sources:", *_sources(found), "",
                      found.starter.strip(), ""])  # fmt: skip


def _head(found: Connector) -> list[str]:
    """Say what this is, and what to do, in the first lines."""
    about = found.about
    back = ", scored, and the scores written back" if about.writes else ", scored"
    lines = [f"# Leads from {about.title}{back}.", "#"]
    for needed in (True, False):
        secrets = [secret for secret in about.secrets if secret.needed is needed]
        if secrets:
            lines.append(NEEDED if needed else WHERE_THEY_APPLY)
            lines += [line for secret in secrets for line in _comment(f"{secret.variable}: {secret.where}")]
    if about.scopes:
        lines += _comment(f"It must be allowed: {', '.join(about.scopes)}", indent="#   ")
    return [*lines, "# Then: leadlight sync, leadlight rank" + (", leadlight push --dry-run" if about.writes else "")]


def _connection(found: Connector) -> list[str]:
    about = found.about
    lines = ["connections:", f"  {about.name}:", f"    system: {about.name}"]
    for name, info in found.settings.model_fields.items():
        line = f"{name}: …" if info.is_required() else f"# {name}: {_default(info)}"
        flat = f"    {line:<25} {'#' if info.is_required() else ' '} {info.description}"
        above = _comment(str(info.description), indent="    # ") if len(flat) > WIDTH else []
        lines += [*above, f"    {line}"] if above else [flat]
    lines.append("    every: 15m                # how often `leadlight serve` reads what has changed")
    if about.limits.per_day is not None:
        lines.append(
            f"    share: 0.8                # of {about.limits.per_day:,} requests a day; the rest is for others"
        )
    if about.writes:
        lines += ["    push:                     # what goes back; a field that a person has filled in is left alone",
                  "      scorecard: house"]  # fmt: skip
    return lines


def _default(info: FieldInfo) -> str:
    value = info.get_default(call_default_factory=True)
    return "…" if value in (None, "", (), [], {}) else _flow(value)


def _sources(found: Connector) -> list[str]:
    lines: list[str] = []
    for name, source in found.mapping.items():
        lines += _source(name, {"connection": found.about.name, **source})
    return lines


def _source(name: str, source: Mapping[str, Any]) -> list[str]:
    """Write a source on one line, or key by key where that is too long."""
    flat = f"  {name}: {_flow(source)}"
    if len(flat) <= WIDTH:
        return [flat]
    lines = [f"  {name}:"]
    for key, value in source.items():
        line = f"    {key}: {_flow(value)}"
        if isinstance(value, Mapping) and len(line) > WIDTH:
            lines.append(f"    {key}:")
            lines += [f"      {inner}: {_flow(told)}" for inner, told in value.items()]
        else:
            lines.append(line)
    return lines


def _flow(value: object) -> str:
    """Write a value in YAML's flow style.

    >>> _flow({"object": "crm.lead", "where": "type = 'x'", "drop": ["a", "no"]})
    '{object: crm.lead, where: "type = \\'x\\'", drop: [a, "no"]}'
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(inner) for inner in value) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS and text == text.strip():
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _comment(text: str, *, indent: str = "#   ") -> list[str]:
    """Break a text into lines of a comment."""
    import textwrap

    return textwrap.wrap(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ", break_on_hyphens=False)
