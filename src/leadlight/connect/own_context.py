"""What dlt takes its settings and folders from: nothing but what is told here. Imports dlt, so import it late."""

from __future__ import annotations

import os
from typing import Any

from dlt.common.configuration.providers.doc import BaseDocProvider
from dlt.common.configuration.providers.provider import ConfigProvider
from dlt.common.configuration.specs.runtime_configuration import RuntimeConfiguration
from dlt.common.runtime.run_context import RunContext

from leadlight.connect.landing import SETTINGS


class _Told(BaseDocProvider):
    """Settings that are told here, and no others."""

    @property
    def name(self) -> str:
        return "leadlight"

    @property
    def supports_secrets(self) -> bool:
        return False

    @property
    def supports_sections(self) -> bool:
        return True

    @property
    def is_writable(self) -> bool:
        return False


class OwnContext(RunContext):
    """All of dlt's folders are one, and its environment is not read."""

    def __init__(self, run_dir: str | None) -> None:
        super().__init__(run_dir)
        self._here = run_dir or "."

    @property
    def name(self) -> str:
        """What it is called in dlt's messages."""
        return "leadlight"

    @property
    def global_dir(self) -> str:
        """In place of the folder in the user's home."""
        return self._here

    @property
    def run_dir(self) -> str:
        """In place of the folder one is in."""
        return self._here

    @property
    def local_dir(self) -> str:
        """The same."""
        return self._here

    @property
    def data_dir(self) -> str:
        """The same."""
        return self._here

    @property
    def settings_dir(self) -> str:
        """Where there are no settings."""
        return os.path.join(self._here, "none")  # noqa: PTH118 - dlt wants a text

    def initial_providers(self) -> list[ConfigProvider]:
        """Return the one place of settings."""
        return [_Told(dict(SETTINGS))]

    def initialize_runtime(self, runtime_config: RuntimeConfiguration | None = None) -> None:
        """Start nothing: no log, no telemetry."""
        settings: dict[str, Any] = dict(SETTINGS["runtime"])
        self._runtime_config = runtime_config or RuntimeConfiguration(**settings)
