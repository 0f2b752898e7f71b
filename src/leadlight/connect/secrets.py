"""What signs in: from the environment or a file of its own, never from the workspace, never in a message."""

from __future__ import annotations

import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from leadlight.connect.protocol import About, Secret
from leadlight.errors import RemoteError, UsageError, did_you_mean
from leadlight.spec.variables import expand

HIDDEN = "…"
LEAST = 4
"""Characters of a secret below which it is not looked for in messages: it would hide words."""
OTHERS = stat.S_IRWXG | stat.S_IRWXO
FILE_MOST = 1 << 16


def find_secrets(
    about: About,
    environ: Mapping[str, str],
    *,
    told: Mapping[str, str] | None = None,
    file: Path | None = None,
    workspace: Path | None = None,
) -> dict[str, str]:
    """Return a connection's secrets by their names: `told` (with `${VARIABLE}`s), else of `file`, else the environment.

    Raises UsageError: all that are missing are named at once, each with where to find it.

    >>> from leadlight.connect.protocol import Limits
    >>> token = Secret("token", "HUBSPOT_TOKEN", "Settings, private apps")
    >>> about = About("hubspot", "HubSpot", (token,), Limits(per_second=1), "")
    >>> find_secrets(about, {"HUBSPOT_TOKEN": "pat-1"})
    {'token': 'pat-1'}
    """
    known = [secret.name for secret in about.secrets]
    written = {} if file is None else read_secrets(file, workspace)
    told = told or {}
    for name in (*told, *written):
        if name not in known:
            fix = "Look at `secrets` of the connection in leadlight.yaml, and at its file of secrets."
            raise UsageError(f"{about.title} has no secret {name!r}: {did_you_mean(name, known)}", fix=fix)
    found: dict[str, str] = {}
    missing: list[Secret] = []
    for secret in about.secrets:
        if secret.name in told:
            value = expand(told[secret.name], environ)
        elif secret.name in written:
            value = written[secret.name]
        else:
            value = environ.get(secret.variable, "")
        if value.strip():
            found[secret.name] = value.strip()
        elif secret.needed:
            missing.append(secret)
    if missing:
        names = ", ".join(secret.variable for secret in missing)
        lines = [f"{secret.variable} ({secret.name}): {secret.where}" for secret in missing]
        raise UsageError(f"{about.title} wants {names} in the environment", fix="\n".join(lines))
    return found


def read_secrets(file: Path, workspace: Path | None) -> dict[str, str]:
    """Return what a file of secrets holds: YAML, `name: value`. Raises UsageError, never showing what it holds."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    file = file.expanduser()
    if not file.is_absolute() and workspace is not None:
        file = workspace / file
    if workspace is not None and file.resolve().is_relative_to(workspace.resolve()):
        fix = "Put it elsewhere, as in ~/.config/leadlight/: a workspace is copied, backed up and shared."
        raise UsageError(f"the file of secrets {file} is in the workspace", fix=fix)
    try:
        mode, size = file.stat().st_mode, file.stat().st_size
        if not stat.S_ISREG(mode) or size > FILE_MOST:
            raise UsageError(f"{file} is no file of secrets", fix="It is a small file of YAML: `token: …`.")
        if mode & OTHERS:
            raise UsageError(f"others may read the file of secrets {file}", fix=f"Forbid it: `chmod 600 {file}`.")
        held = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    except OSError as error:
        fix = "Look whether `secrets_file` of the connection names it, and whether you may read it."
        raise UsageError(f"the file of secrets {file} cannot be read: {error.strerror}", fix=fix) from None
    except (YAMLError, UnicodeDecodeError):
        raise UsageError(f"the file of secrets {file} is no YAML", fix="One line for each: `token: …`.") from None
    if not isinstance(held, dict) or not all(isinstance(value, str | int) for value in held.values()):
        raise UsageError(f"the file of secrets {file} holds no names and values", fix="One line for each: `token: …`.")
    return {str(name): str(value) for name, value in held.items()}


def hide(text: str, secrets: Iterable[str]) -> str:
    """Return a text without the secrets in it, however they are quoted in an address.

    >>> hide("no such key: pat-na1-1", ["pat-na1-1"])
    'no such key: …'
    """
    from urllib.parse import quote, quote_plus

    forms = {form for secret in secrets for form in (secret, quote(secret, safe=""), quote_plus(secret))}
    for form in sorted((form for form in forms if len(form) >= LEAST), key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    return text


def without(error: RemoteError, secrets: Iterable[str]) -> RemoteError:
    """Return an error without the secrets that anyone may have written into it."""
    hidden = tuple(secrets)
    message = error.message.removeprefix(f"{error.system}: ")
    fix = None if error.fix is None else hide(error.fix, hidden)
    return RemoteError(error.system, error.trouble, hide(message, hidden), fix=fix, status=error.status)
