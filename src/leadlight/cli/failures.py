"""How a command ends when it cannot do what was asked: a clear text or JSON, and an exit code."""

from __future__ import annotations

import os
import sys
from typing import Any

INTERRUPTED = 130
PIPE_CLOSED = 141
BUG = 70
"""EX_SOFTWARE of sysexits.h."""

KEPT = "The store is as it was before."
SHOWN = 200
"""So much is shown of what the machine said."""
MACHINE = {
    "No space left on device": "Make room on the disk",
    "Disk quota exceeded": "Make room on the disk",
    "Read-only file system": "Write somewhere else",
    "Permission denied": "See who may write there",
    "Too many open files": "Raise the limit (ulimit -n)",
}
"""What a system says → what helps."""

STORE_KEPT = "interrupted: the store is as it was before"


def is_interrupt(error: BaseException) -> bool:
    """Say whether somebody pressed Ctrl-C; DuckDB tells it in its own way."""
    return isinstance(error, KeyboardInterrupt) or (
        isinstance(error, RuntimeError) and str(error) == "Query interrupted"
    )


def fail(error: BaseException, *, as_json: bool) -> int:
    """Show why a command failed; return the code to exit with."""
    facts, text, code = _describe(error)
    if as_json:
        from leadlight.cli.console import write_json

        write_json({**facts, "exit_code": code})
    else:
        _show(text)
    if code == BUG and os.environ.get("LEADLIGHT_DEBUG") == "1":
        import traceback

        traceback.print_exception(error)
    return code


def _describe(error: BaseException) -> tuple[dict[str, Any], str, int]:
    """Return the facts for JSON, the words for people, and the exit code."""
    import typer

    from leadlight.errors import LeadlightError, StoreError

    if is_interrupt(error):
        return _facts("Interrupted", STORE_KEPT), STORE_KEPT, INTERRUPTED
    if isinstance(error, LeadlightError):
        return error.as_dict(), str(error), error.exit_code
    if isinstance(error, typer.TyperException):
        fix = _try_help(error)
        text = error.format_message()
        return _facts("UsageError", text, fix), f"{text}\n{fix}", error.exit_code
    message = f"{type(error).__name__}: {error}"
    if (of_machine := _of_machine(error)) is not None:
        return _facts("StoreError", *of_machine), "\n".join(of_machine), StoreError.exit_code
    fix = "This is a bug in Leadlight; the store is as it was before. LEADLIGHT_DEBUG=1 shows where it happened."
    return _facts("Bug", message, fix), f"{message}\n{fix}", BUG


def _of_machine(error: BaseException) -> tuple[str, str] | None:
    """Return what to say where the machine is to blame: its disk, its memory, who may do what on it.

    DuckDB tells what the system said in a text of its own.
    """
    text = str(error)
    for said, fix in MACHINE.items():
        if said in text:
            return (
                f"the machine says: {said} ({' '.join(text.split())[:SHOWN]})",
                f"{fix}, then type the same again. {KEPT}",
            )
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryException":
        return f"there is not enough memory ({' '.join(text.split())[:SHOWN]})", f"Make room, then try again. {KEPT}"
    return None


def _facts(name: str, message: str, fix: str | None = None) -> dict[str, Any]:
    return {"error": name, "message": message, "fix": fix}


def _try_help(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    return f"See `{context.command_path if context else 'leadlight'} --help`."


def _show(text: str) -> None:
    """Print the text to standard error, its first line in red."""
    from leadlight.cli.console import err, words

    head, _, rest = text.partition("\n")
    console = err()
    console.print(words(head, "bold red"))
    if rest:
        console.print(words(rest))


def silence() -> int:
    """Whoever read our output has gone: end without a word."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return PIPE_CLOSED
