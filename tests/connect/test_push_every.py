"""What `init --from` writes for every system, synced and pushed: written once, a person's field kept, read back."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

import leadlight
from connect.conformance import kind_of, need, people
from connect.stand_in import StandIn
from leadlight.connect import opened
from leadlight.connect.opened import open_connection
from leadlight.connect.protocol import Value
from leadlight.connect.push_report import PushRun
from leadlight.connect.push_values import FIELDS, same
from leadlight.connect.registry import connector
from leadlight.workspace import Workspace

pytestmark = pytest.mark.slow
FIELDS_BY_NAME = {one.name: one for one in FIELDS.values()}


@pytest.fixture
def workspace(system: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace as `init --from` writes it, which reads and writes the stand-in."""
    from leadlight.templates.init import init

    need(system, "write")
    about = connector(system.system).about
    if not about.writes:
        pytest.skip(f"{about.title} is only read")
    for secret in about.secrets:
        if secret.name in system.secrets:
            monkeypatch.setenv(secret.variable, system.secrets[secret.name])
    folder = tmp_path / "house"
    init(folder, system=system.system)
    yaml, file = YAML(), folder / "leadlight.yaml"
    told = yaml.load(file)
    told["connections"][system.system] |= system.settings()
    yaml.dump(told, file)
    monkeypatch.setattr(opened, "Clock", lambda **_: system.clock.clock())
    return leadlight.open(folder, now=system.clock.now)


def push(system: StandIn, workspace: Workspace) -> PushRun:
    system.clock.advance(60)
    report = Workspace(workspace.root, now=system.clock.now).push()
    assert all(run.exit_code == 0 for run in report.runs[1:]), str(report)
    return report.runs[0]


def held(system: StandIn, workspace: Workspace, run: PushRun, ids: list[str]) -> dict[str, dict[str, Value]]:
    """Return what the fields of records hold, as the connector tells it."""
    system.clock.advance(60)
    names, spec = [one.field for one in run.fields], workspace.loaded.workspace.spec.connections[system.system]
    with open_connection(system.system, spec, workspace.root, now=system.clock.now) as found:
        most = found.limits.batch
        parts = [found.session.look(run.object, ids[at : at + most], names) for at in range(0, len(ids), most)]
    return {one: dict(values) for part in parts for one, values in part.items()}


def base(workspace: Workspace, points: float) -> None:
    """Give everybody so many points more."""
    yaml, file = YAML(), workspace.root / "scorecards" / "house.yaml"
    told = yaml.load(file)
    told["base"] = points
    yaml.dump(told, file)


def test_scores_are_written_once_and_what_a_person_wrote_is_kept(system: StandIn, workspace: Workspace) -> None:
    kind, ids = kind_of(system, "people"), people(system, 7)
    assert workspace.sync().error is None

    run = push(system, workspace)
    for one in run.fields:
        if one.was == "missing":  # a person has to make it, and is told how
            assert one.todo
            system.new_field(kind.object, one.field, str(FIELDS_BY_NAME[one.field].type))
    run = push(system, workspace) if any(one.was == "missing" for one in run.fields) else run

    assert (run.exit_code, run.failures, run.conflict_count) == (0, {}, 0)
    assert run.written == run.records >= len(ids)
    fields = dict(zip(("score", "grade", "probability", "reasons", "next_step", "scored_at"), run.fields, strict=True))
    score, grade = fields["score"].field, fields["grade"].field
    read = held(system, workspace, run, ids)
    with workspace.store() as engine:
        scored = dict(engine.rows("SELECT i.id, s.grade FROM scores s JOIN ids i ON i.lead = s.lead"))
    prefix = next(
        one.prefix or "" for one in workspace.loaded.workspace.spec.sources.values() if one.object == run.object
    )
    assert {one: values[grade] for one, values in read.items()} == {one: scored[prefix + one] for one in ids}
    assert all(isinstance(values[score], float) or values[score] is None for values in read.values())

    again = push(system, workspace)
    assert (again.written, again.conflict_count, again.unchanged) == (0, 0, run.records)

    system.edit(kind.object, ids[2], **{score: 77.0})
    base(workspace, 3.0)
    third = push(system, workspace)

    assert third.failures == {}
    assert third.written in (run.records - 1, run.records)  # of the person's record there may be nothing else to write
    assert [(one.record, one.field, one.value) for one in third.conflicts] == [(ids[2], score, 77.0)]
    now = held(system, workspace, third, ids)
    for one in ids:
        before = read[one][score] or 0.0
        assert isinstance(before, float)
        assert same(77.0 if one == ids[2] else before + 3.0, now[one][score] or 0.0), one
    fourth = push(system, workspace)
    assert (fourth.written, fourth.conflict_count) == (0, 1)
