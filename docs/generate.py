"""Write the reference of the command line from the commands themselves: `python docs/generate.py`.

With `--check` nothing is written; the exit code says whether the page is what it would be.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parent / "cli.md"
HEAD = """# The command line

Made by `python docs/generate.py` from the commands' own help; do not edit. Each command is a method of
`leadlight.open(FOLDER)` under the same name (`try` is `try_lead`).

Exit codes: 0 done · 2 the arguments make no sense · 3 faults in what you wrote · 4 faults in your data ·
5 the store cannot be used · 6 there is no such lead, scorecard, file or workspace · 7 an optional package is needed ·
70 a bug · 130 interrupted.
"""


def page() -> str:
    """Return the whole page."""
    from leadlight.cli.sections import SECTIONS

    parts = [HEAD, _block("leadlight")]
    for title, names in SECTIONS.items():
        parts.append(f"## {title}\n")
        parts += [f"### leadlight {name}\n\n{_block(f'leadlight {name}')}" for name in names]
    return "\n".join(parts)


def _block(command: str) -> str:
    words = [sys.executable, "-m", *command.split(), "--help"]
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "100", "TERM": "dumb"}
    help_text = subprocess.run(words, capture_output=True, text=True, env=environment, check=True).stdout
    return f"```text\n{help_text.strip()}\n```\n"


def main() -> int:
    """Write the page, or compare it."""
    if "--check" in sys.argv[1:]:
        same = PAGE.exists() and PAGE.read_text() == page()
        if not same:
            sys.stderr.write("docs/cli.md is not what the commands say: run python docs/generate.py\n")
        return 0 if same else 1
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
