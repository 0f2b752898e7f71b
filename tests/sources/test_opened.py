from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from leadlight.sources import opened as module
from leadlight.sources.locate import Located
from leadlight.sources.opened import Opened
from leadlight.sources.survey import Survey
from leadlight.spec.models import SourceSpec

LEADS = SourceSpec(csv="f.csv", id="id")
DEALS = SourceSpec(csv="f.csv", lead="id", outcome="won")
OTHER = SourceSpec(csv="g.csv", id="id")


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The files that are looked through, in order."""
    seen: list[str] = []

    def survey(path: Path, shown: str, **told: object) -> Survey:
        seen.append(shown)
        return real(path, shown, **told)  # type: ignore[arg-type]

    real = module.survey
    monkeypatch.setattr(module, "survey", survey)
    return seen


def file(folder: Path, name: str, content: str = "id,won\r\n1,yes\n") -> Located:
    (folder / name).write_text(content, newline="")
    return Located(folder / name, name)


def test_a_file_of_two_sources_is_looked_through_once(tmp_path: Path, looks: list[str]) -> None:
    shared, alone = file(tmp_path, "f.csv"), file(tmp_path, "g.csv")
    with Opened([LEADS, DEALS, OTHER]) as opened:
        first = opened.survey(shared, LEADS, None)
        assert opened.survey(shared, DEALS, None) is first
        assert first.path.read_text() == "id,won\n1,yes\n"  # the mended copy is still there
        assert opened.fingerprint(shared, LEADS) == opened.fingerprint(shared, DEALS)
        assert opened.survey(alone, OTHER, None) is not opened.survey(alone, OTHER, None)
    assert looks == ["f.csv", "g.csv", "g.csv"]
    assert not first.path.exists()


def test_another_way_of_looking_is_another_look(tmp_path: Path, looks: list[str]) -> None:
    shared = file(tmp_path, "f.csv")
    latin = SourceSpec(csv="f.csv", lead="id", outcome="won", encoding="latin-1")
    with Opened([LEADS, latin]) as opened:
        opened.survey(shared, LEADS, None)
        opened.survey(shared, latin, None)
        opened.survey(shared, LEADS, 100)
    assert looks == ["f.csv"] * 3


def test_what_cannot_be_made_is_not_kept() -> None:
    with Opened([LEADS, DEALS]) as opened:
        with pytest.raises(ValueError, match="broken"):
            opened.once(LEADS, "key", lambda: int("broken"))
        assert opened.once(DEALS, "key", lambda: 5) == 5
        assert opened.once(LEADS, "key", lambda: 6) == 5
