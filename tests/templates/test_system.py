"""A workspace for each system that can be connected: it is in order before anything was read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import leadlight
from leadlight.connect.registry import connector, names
from leadlight.errors import NotFoundError, UsageError
from leadlight.templates.init import init
from leadlight.templates.system import _flow, next_steps


@pytest.mark.parametrize("system", names())
def test_it_is_in_order_and_says_what_to_set(tmp_path: Path, system: str) -> None:
    report = init(tmp_path / "crm", system=system)
    assert report.template == system
    assert {"leadlight.yaml", "scorecards/house.yaml", ".gitignore"} <= set(report.files)
    text = (tmp_path / "crm" / "leadlight.yaml").read_text(encoding="utf-8")
    about = connector(system).about
    assert [secret.variable for secret in about.secrets if secret.variable not in text] == []
    assert [line for line in text.splitlines() if len(line) > 120 and " where: " not in line] == []
    for name, info in connector(system).settings.model_fields.items():
        if info.is_required():
            text = text.replace(f"{name}: …", f"{name}: {'https://crm.example' if name == 'url' else 'acme'}")
    (tmp_path / "crm" / "leadlight.yaml").write_text(text, encoding="utf-8")
    found = leadlight.open(tmp_path / "crm").check()
    assert [str(fault) for fault in found.warnings] == []


@pytest.mark.parametrize("system", names())
def test_what_to_do_next_needs_no_thought(system: str) -> None:
    steps = next_steps(system)
    about = connector(system).about
    assert [step for step in steps if step.startswith("export ")] == [
        f"export {secret.variable}=…" for secret in about.secrets if secret.needed
    ]
    assert "leadlight sync" in steps
    assert ("leadlight push --dry-run" in steps) == about.writes


def test_an_unknown_system_is_refused_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="did you mean 'hubspot'"):
        init(tmp_path, system="hubspt")
    assert list(tmp_path.iterdir()) == []


def test_not_a_playbook_at_once(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not both"):
        init(tmp_path, playbook="support", system="hubspot")


def test_texts_that_yaml_would_take_for_something_else_are_quoted() -> None:
    from ruamel.yaml import YAML

    value = {"a": "no", "b": "x: y", "c": [1, None, True, "it's", '"q"'], "d": "2020-01-01", "e": "", "f": "a\\b"}
    assert YAML(typ="safe").load(_flow(value)) == json.loads(json.dumps(value))
