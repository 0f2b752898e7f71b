"""`python -m leadlight` is `leadlight`."""

from __future__ import annotations

import sys

from leadlight.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
