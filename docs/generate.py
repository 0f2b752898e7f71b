"""Write the reference pages from what they are about: `python docs/generate.py`.

`cli.md` comes from the commands' own help, `providers.md` from the catalog of providers, `systems.md` from the
connectors, `api.md` from what the routes of the service declare. With `--check` nothing is written; the exit code says
whether the pages are what they would be.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
CLI_HEAD = """# The command line

Made by `python docs/generate.py` from the commands' own help; do not edit. Each command is a method of
`leadlight.open(FOLDER)` under the same name (`try` is `try_lead`).

Exit codes: 0 done · 2 the arguments make no sense · 3 faults in what you wrote · 4 faults in your data ·
5 the store cannot be used · 6 there is no such lead, scorecard, file or workspace · 7 an optional package is needed ·
8 too few outcomes to learn from · 9 another system cannot be reached, or refuses · 70 a bug · 130 interrupted.
"""
PROVIDERS_HEAD = """# Providers, and what they give

Made by `python docs/generate.py` from the catalog; do not edit. What `enrich:` in leadlight.yaml says of them stands in
[how to look leads up](howto/enrich.md); what is refused for safety's sake in [enrich safely](howto/enrich-safely.md).

Money is what one question costs where nobody says otherwise: set `cost` to what your contract says. *Personal* means
that what is sent identifies a person, and not only a company. *Local* providers ask nobody: they work out what follows
from the lead's own values. Companies found in registers are judged before they are believed: by name, country, place
and web site, and where two are as likely there is no answer (`leadlight.enrich.match` states the rule).
"""
VENDORS_HEAD = """## Vendors

Described in YAML: each is one file, and [your own](howto/describe-a-vendor.md) is made the same way. They need a key,
taken from the environment variable named.
"""
VOCABULARY_HEAD = """## Attributes

One name, one meaning and one type, whoever answers. A provider described in YAML may add names of its own.
"""


def cli_page() -> str:
    """Return the reference of the command line."""
    from leadlight.cli.sections import SECTIONS

    parts = [CLI_HEAD, _block("leadlight")]
    for title, names in SECTIONS.items():
        parts.append(f"## {title}\n")
        parts += [f"### leadlight {name}\n\n{_block(f'leadlight {name}')}" for name in names]
    return "\n".join(parts)


def _block(command: str) -> str:
    from leadlight.cli.app import main

    os.environ |= {"NO_COLOR": "1", "COLUMNS": "100", "TERM": "dumb"}
    printed = io.StringIO()
    with redirect_stdout(printed):
        assert main([*command.split()[1:], "--help"]) == 0
    return f"```text\n{printed.getvalue().strip()}\n```\n"


def providers_page() -> str:
    """Return the reference of providers, their settings, and the vocabulary."""
    from leadlight.enrich.catalog import names, offer
    from leadlight.enrich.vendor import shipped

    built_in = [name for name in names() if name not in shipped()]
    parts = [PROVIDERS_HEAD, _providers(built_in), "## Settings\n"]
    parts.append("Besides `cost`, `ttl`, `per_second` and `since`, which all have.\n")
    parts += [_settings(name, offer(name).settings) for name in built_in if offer(name).settings.model_fields]
    parts += [VENDORS_HEAD, _providers(sorted(shipped())), _keys(), VOCABULARY_HEAD, _vocabulary()]
    return "\n".join(parts)


def _providers(names: Iterable[str]) -> str:
    from leadlight.enrich.catalog import offer

    head = ["provider", "what it is", "needs", "gives", "cost", "holds", "pace", "licence"]
    return _table(head, (_provider(offer(name).about) for name in names))


def _provider(about: Any) -> list[str]:
    kinds = [*(["local"] if not about.network else []), *(["personal"] if about.personal else [])]
    pace = f"{about.per_second:g} a second" if about.per_second else ""
    return [
        f"`{about.name}`",
        ", ".join([about.title, *(f"*{kind}*" for kind in kinds)]),
        " or ".join(" + ".join(sorted(clue.value for clue in need)) for need in about.needs),
        ", ".join(f"`{attribute}`" for attribute in about.gives),
        f"{about.cost:g}" if about.cost else "",
        f"{about.ttl.days} d",
        pace,
        about.licence,
    ]


def _settings(name: str, model: Any) -> str:
    rows = (
        [f"`{key}`", "" if field.is_required() else _default(field), field.description]
        for key, field in model.model_fields.items()
    )
    return f"### {name}\n\n{_table(['setting', 'unless told', 'what it says'], rows)}"


def _default(field: Any) -> str:
    value = field.get_default(call_default_factory=True)
    return "" if value in (None, [], {}, "") else f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _keys() -> str:
    import re

    from leadlight.enrich.vendor import shipped

    rows = []
    for name, path in sorted(shipped().items()):
        variables = re.findall(r"\$\{(\w+)\}", path.read_text(encoding="utf-8"))
        rows.append([f"`{name}`", ", ".join(f"`{variable}`" for variable in dict.fromkeys(variables))])
    return _table(["vendor", "key"], rows)


def _vocabulary() -> str:
    from leadlight.enrich.catalog import abouts
    from leadlight.enrich.vocabulary import VOCABULARY

    givers: dict[str, list[str]] = {}
    for about in abouts():
        for attribute in about.gives:
            givers.setdefault(attribute, []).append(about.name)
    rows = (
        [f"`{name}`", meaning.type.value, meaning.means, f"`{meaning.example}`", ", ".join(givers.get(name, []))]
        for name, meaning in VOCABULARY.items()
    )
    return _table(["attribute", "type", "meaning", "example", "who gives it"], rows)


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines) + "\n"


SYSTEMS_HEAD = """# Systems that leads live in

Made by `python docs/generate.py` from the connectors; do not edit. How they are used stands in
[read a CRM, and write back](howto/crm.md). `leadlight init --from SYSTEM` writes the sources below into leadlight.yaml,
where all of it can be changed: other objects, your own fields, other conditions.

Secrets are taken from the environment variables named, from a file outside the workspace (`secrets_file`), or from
variables of your own (`secrets: {token: "${MY_TOKEN}"}`). Limits are the vendors' published ones as we know them;
`per_second`, `per_day` and `share` of a connection say otherwise.
"""


def systems_page() -> str:
    """Return the reference of the systems that can be connected."""
    from leadlight.connect.registry import connector, names

    return "\n".join([SYSTEMS_HEAD, *(_system(connector(name)) for name in names())])


def _system(found: Any) -> str:
    about = found.about
    limits = [f"{about.limits.per_second:g} requests a second"]
    limits += [f"{about.limits.per_day:,} a day"] if about.limits.per_day else []
    limits += [f"pages of {about.limits.page:,}"]
    limits += [f"writes of {about.limits.batch:,} records"] if about.writes else []
    lines = [f"## {about.title}\n\n`system: {about.name}`. Reference: <{about.documentation}>. {'; '.join(limits)}.\n"]
    if about.scopes:
        lines.append(f"The key must be allowed: {', '.join(f'`{scope}`' for scope in about.scopes)}.\n")
    if about.secrets:
        rows = ([f"`{one.name}`", f"`{one.variable}`", "" if one.needed else "where it applies", one.where]
                for one in about.secrets)  # fmt: skip
        lines.append(_table(["secret", "variable", "needed", "where it is"], rows))
    settings = [[f"`{key}`", "" if field.is_required() else _default(field), field.description or ""]
                for key, field in found.settings.model_fields.items()]  # fmt: skip
    lines.append(_table(["setting", "unless told", "what it says"], settings))
    if found.mapping:
        lines.append(_table(["source", "object", "becomes", "of it"], (_source(*one) for one in found.mapping.items())))
    told = ["Scores are written back." if about.writes else "It is only read."]
    told += ["It can tell of changes by webhook."] if about.listens else []
    told += [f"[What to do there, and what it cannot tell](systems/{about.name}.md)."]
    return "\n".join([*lines, " ".join(told) + "\n"])


def _source(name: str, source: Mapping[str, Any]) -> list[str]:
    from leadlight.spec.models import SourceSpec

    role = SourceSpec.model_validate({"connection": "it", **source}).role
    columns = source.get("columns", {})
    listed = ", ".join(f"`{column}`" for column in columns)
    return [f"`{name}`", f"`{source['object']}`", str(role), listed]


API_HEAD = """# The API

Made by `python docs/generate.py` from what the routes declare; do not edit. A running service tells the same of itself:
`/v1/docs`, `/v1/openapi.json`. How it is used stands in [use the API](howto/api.md).
"""


def api_page() -> str:
    """Return the reference of the API: every operation, and what goes in and out."""
    from leadlight.service.app import operations
    from leadlight.service.openapi import document

    told = document(operations())
    parts, topic = [API_HEAD], ""
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            if operation["tags"][0] != topic:
                topic = operation["tags"][0]
                parts.append(f"## {topic}\n")
            parts.append(_operation(method.upper(), path, operation))
    parts.append("## Schemas\n")
    parts += [_schema(name, schema) for name, schema in sorted(told["components"]["schemas"].items())]
    return "\n".join(parts)


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    lines = [f"### {method} {path}\n", f"{operation['summary']}. {operation['description']}\n"]
    if operation["parameters"]:
        rows = ([f"`{one['name']}`", one["in"] + (", needed" if one["required"] else ""), one["description"]]
                for one in operation["parameters"])  # fmt: skip
        lines.append(_table(["parameter", "where", "what it says"], rows))
    told = [f"Takes {_contents(operation['requestBody']['content'])}."] if "requestBody" in operation else []
    for status, answer in operation["responses"].items():
        if status[0] == "2":
            content = _contents(answer["content"]) if "content" in answer else "nothing"
            told.append(f"Answers {status} with {content}.")
    told.append(f"Problems: {', '.join(status for status in operation['responses'] if status[0] != '2')}.")
    return "\n".join([*lines, " ".join(told) + "\n"])


def _contents(content: Mapping[str, Mapping[str, Any]]) -> str:
    return " or ".join(
        f"`{media}`" + (f" ({_type(said['schema'])})" if "$ref" in said["schema"] else "")
        for media, said in content.items()
    )


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    about = " ".join(schema.get("description", "").split())
    rows = [[f"`{field}`", _type(said)] for field, said in schema.get("properties", {}).items()]
    if "enum" in schema:
        rows = [[f"`{one}`", ""] for one in schema["enum"]]
    return f"### {name}\n\n{about}\n\n" + (_table(["field", "type"], rows) if rows else "")


def _type(schema: Mapping[str, Any]) -> str:
    """Say in a word or two what a value is."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if "enum" in schema:
        return " or ".join(f"`{one}`" for one in schema["enum"])
    return str(schema.get("format") or schema.get("type") or schema.get("const") or "anything")


PAGES: Mapping[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "providers.md": providers_page,
    "systems.md": systems_page,
    "api.md": api_page,
}


def main() -> int:
    """Write the pages, or compare them."""
    check = "--check" in sys.argv[1:]
    wrong = [name for name, page in PAGES.items() if not _done(FOLDER / name, page(), check=check)]
    for name in wrong:
        sys.stderr.write(f"docs/{name} is not what it would be: run python docs/generate.py\n")
    return 1 if wrong else 0


def _done(path: Path, text: str, *, check: bool) -> bool:
    if check:
        return path.exists() and path.read_text(encoding="utf-8") == text
    path.write_text(text, encoding="utf-8")
    return True


if __name__ == "__main__":
    sys.exit(main())
