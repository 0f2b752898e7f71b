"""Pipedrive's own Node client (npm `pipedrive`, MIT) against the stand-in: it is the stand-in that is tested."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from clients.node import packages, program
from connect.pipedrive.stand_in import StandIn

SCRIPT = Path(__file__).parent / "check.cjs"


@pytest.mark.slow
def test_the_vendors_client_takes_it_for_pipedrive(crm: StandIn) -> None:
    modules = packages() / "node_modules"
    if not (modules / "pipedrive").exists():
        pytest.skip("the npm package pipedrive is not among tests/clients/package.json")
    for number in range(5):
        last = crm.add("persons", name=f"Person {number}", email=f"{number}@acme.example")
    crm.delete("persons", last)
    crm.add("deals", title="Open")
    crm.edit("deals", crm.add("deals", title="Put away"), is_archived=True)
    crm.add("leads", title="Asks", person_id="1001")
    done = subprocess.run(
        [*program(), str(SCRIPT), crm.url],
        env={**os.environ, "NODE_PATH": str(modules)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "people": [f"{number}@acme.example" for number in range(4)],
        "code": 40,
        "score": 7.5,
        "deals": 1,
        "archived": 1,
        "tasks": 1,
        "leads": 1,
        "gone": 1,
    }
    assert crm.errors == []
