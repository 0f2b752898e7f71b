from __future__ import annotations

import shutil

import pytest
from tests.insight.company import AT_CREATION, WORKSPACE, Past, drawn, found

from journeys.journey import DATA, HERE
from leadlight.simulate.run import simulate
from leadlight.templates.init import init
from leadlight.workspace import Workspace

PAIR = """
groups:
  fit:
    criteria:
      - {name: Seniority, feature: seniority, points: {boss: 10, clerk: -5}}
      - {name: Tier, feature: tier, points: {gold: -3}}
      - {name: Company, when: "account = 'own'", points: 1}
  deeds:
    criteria:
      - {name: Welcomed, event: welcome, points: 2}
      - {name: Looked, event: visit, where: "page = '/blog'", points: 1}
"""


@pytest.fixture(scope="session")
def past() -> Past:
    """Three thousand leads drawn from a seed."""
    return drawn(3000, seed=4)


@pytest.fixture(scope="session")
def company(past: Past, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Their company, whose leads are looked at on creation."""
    folder = tmp_path_factory.mktemp("company") / "c"
    return found(folder, past.leads, past.events, past.deals, workspace=WORKSPACE + AT_CREATION, house=PAIR)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The demo's company of 5,000 leads, simulated and read."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    init(folder, template="demo")
    simulate(folder / "data")
    workspace = Workspace(folder)
    workspace.ingest()
    return workspace


@pytest.fixture(scope="session")
def olist_funnel(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A marketplace's funnel, with all of its rows."""
    raw = DATA / "olist_marketing_funnel"
    if not raw.is_dir():
        pytest.skip("the data set olist_marketing_funnel is not in ../shared/data")
    folder = tmp_path_factory.mktemp("olist") / "olist"
    shutil.copytree(HERE / "olist", folder)
    (folder / "data").mkdir()
    for file in raw.glob("olist_*.csv"):
        shutil.copyfile(file, folder / "data" / file.name)
    workspace = Workspace(folder)
    workspace.ingest()
    return workspace
