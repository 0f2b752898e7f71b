"""Playbooks: found by their folders, named by their first line, and each in order as it comes."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import jsonschema
import pytest

import leadlight
from leadlight.errors import NotFoundError
from leadlight.spec.yaml import read_yaml
from leadlight.templates import playbooks as module
from leadlight.templates.init import WRITTEN, init
from leadlight.templates.playbooks import playbook_folder, playbooks

SHIPPED = [item.name for item in playbooks().playbooks]


@pytest.fixture
def bakery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of playbooks with one in it, and with something else."""
    folder = tmp_path / "playbooks" / "bakery"
    (folder / "data").mkdir(parents=True)
    (folder / "leadlight.yaml").write_text("# Breads, by how soon they are gone.\n#\nentity: bread\n", encoding="utf-8")
    (folder / "data" / "breads.csv").write_text("id,baked\n1,2026-06-30\n", encoding="utf-8")
    (folder.parent / "__pycache__").mkdir()
    monkeypatch.setattr(module, "_root", lambda: folder.parent)
    return folder


def test_a_new_playbook_is_a_new_folder(bakery: Path, tmp_path: Path) -> None:
    assert str(playbooks()) == "bakery  Breads, by how soon they are gone"
    report = init(tmp_path / "shop", playbook="bakery", today=WRITTEN)
    assert report.as_dict()["template"] == "bakery"
    assert {"leadlight.yaml", ".gitignore", "data/breads.csv"} < set(report.files)
    assert report.next == (f"cd {tmp_path / 'shop'}", "leadlight check", "leadlight ingest", "leadlight rank")
    assert (tmp_path / "shop" / "data" / "breads.csv").read_text(encoding="utf-8") == "id,baked\n1,2026-06-30\n"


def test_an_unknown_name_lists_them(bakery: Path) -> None:
    with pytest.raises(NotFoundError) as raised:
        playbook_folder("bakry")
    assert raised.value.message == "no playbook 'bakry': did you mean 'bakery'? Known: bakery"
    assert raised.value.fix == "The playbooks are:\nbakery  Breads, by how soon they are gone"


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_is_in_order_and_ranks_at_once(tmp_path: Path, name: str) -> None:
    init(tmp_path / "shop", playbook=name, today=WRITTEN)
    workspace = leadlight.open(tmp_path / "shop", now=lambda: datetime(2026, 7, 1))
    workspace.check()
    assert workspace.ingest().rejected == 0
    for card in workspace.loaded.scorecards:
        ranking = workspace.rank(card)
        assert ranking.total > 0
        assert len(ranking.rows[0].ledger.contributions) > 1


@pytest.mark.parametrize("name", SHIPPED)
def test_its_files_fit_the_schemas_they_name(tmp_path: Path, name: str) -> None:
    report = init(tmp_path, playbook=name)
    assert {"leadlight.yaml", "contract.yaml"} < set(report.files)
    for path in (tmp_path / file for file in report.files if file.endswith(".yaml")):
        head, _ = path.read_text(encoding="utf-8").split("\n", 1)
        schema = json.loads((path.parent / head.partition("=")[2]).read_text(encoding="utf-8"))
        spec = read_yaml(path.read_text(encoding="utf-8"), path.name).value
        jsonschema.Draft202012Validator(schema).validate(json.loads(json.dumps(spec)))


@pytest.mark.parametrize("name", SHIPPED)
def test_its_contract_speaks_of_its_sources(tmp_path: Path, name: str) -> None:
    """Each says what it is; a contract may also speak of a source that one may have besides."""
    init(tmp_path, playbook=name)
    workspace = leadlight.open(tmp_path)
    sources, contract = workspace.loaded.workspace.spec.sources, workspace.loaded.contract
    assert set(contract.root) & set(sources)
    for source, said in contract.root.items():
        assert said.about, source
        for column, its in said.columns.items():
            assert its.means, (source, column)
