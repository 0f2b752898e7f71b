"""Connectors are found by name; nothing is imported that is not asked for; what they say of themselves is complete."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from pydantic_core import PydanticUndefined

from leadlight.connect import registry
from leadlight.connect.registry import connector, names, need_extra, systems
from leadlight.errors import MissingExtraError, NotFoundError

ALL = (
    "activecampaign", "dynamics", "hubspot", "mailchimp", "marketo", "mautic", "odoo",
    "pipedrive", "rest", "salesforce", "sql", "stripe", "tryton", "zoho",
)  # fmt: skip


def test_all_are_there() -> None:
    assert set(ALL) <= set(names())
    assert [one.name for one in systems().systems] == list(names())


@pytest.mark.parametrize("name", ALL)
def test_each_says_what_it_is(name: str) -> None:
    one = connector(name)
    assert one.about.name == name
    assert one.about.title
    assert one.about.documentation.startswith("https://")
    assert one.about.limits.per_second > 0
    assert one.mapping
    assert all("object" in source for source in one.mapping.values())
    assert one.starter.strip()
    assert one.scorecard.strip()
    for field, info in one.settings.model_fields.items():
        assert info.description, field
        assert info.default is PydanticUndefined or "secret" not in field


def test_a_name_that_is_none_is_told_with_the_nearest() -> None:
    with pytest.raises(NotFoundError, match="did you mean 'hubspot'"):
        connector("hubsport")


def test_a_package_that_is_not_there_is_told_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "find_spec", lambda name: None if name == "dlt" else object())
    with pytest.raises(MissingExtraError, match=r"pip install 'leadlight\[connect\]'"):
        need_extra()


def test_a_connector_whose_package_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        def load(self) -> Any:
            raise ModuleNotFoundError("No module named 'acme_sdk'", name="acme_sdk")

    monkeypatch.setattr(registry, "_points", lambda: {"acme": Point()})
    with pytest.raises(MissingExtraError, match="needs the package acme_sdk"):
        connector("acme")


def test_neither_leadlight_nor_the_list_of_systems_loads_what_speaks_with_them() -> None:
    code = """
import sys, leadlight
from leadlight.connect.registry import names, systems
str(systems())
print([name for name in ("dlt", "requests", "sqlalchemy", "tenacity") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
