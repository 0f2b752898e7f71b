from pathlib import Path

import pytest

from leadlight.errors import NotFoundError, SpecError
from leadlight.spec.load import MAX_BYTES, load_scorecard, load_workspace

SCORECARD = "groups: {fit: {criteria: [{name: Big, when: employees > 50, points: 5}]}}\n"


def write(folder: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def faults(folder: Path) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load_workspace(folder)
    return [str(fault) for fault in caught.value.faults]


def test_workspace_and_its_scorecards_are_read(tmp_path: Path) -> None:
    files = {"leadlight.yaml": "entity: ticket\n", "scorecards/a.yaml": SCORECARD, "scorecards/b.v2.yaml": SCORECARD}
    loaded = load_workspace(write(tmp_path, files))
    assert loaded.root == tmp_path
    assert loaded.workspace.spec.entity == "ticket"
    assert loaded.workspace.file == "leadlight.yaml"
    assert list(loaded.scorecards) == ["a", "b.v2"]
    assert loaded.scorecards["a"].file == "scorecards/a.yaml"
    assert loaded.scorecards["a"].marks.at(("groups", "fit", "criteria", 0, "when")) == (1, 45)


def test_variables_stay_as_they_are_written(tmp_path: Path) -> None:
    text = "sources: {leads: {sql: 'postgresql://${PASSWORD}@db', table: leads, id: id}}"
    source = load_workspace(write(tmp_path, {"leadlight.yaml": text})).workspace.spec.sources["leads"]
    assert source.sql == "postgresql://${PASSWORD}@db"


def test_workspace_without_scorecards_is_read(tmp_path: Path) -> None:
    assert load_workspace(write(tmp_path, {"leadlight.yaml": "entity: lead"})).scorecards == {}


def test_what_editors_leave_behind_is_no_scorecard(tmp_path: Path) -> None:
    left = {"scorecards/.#house.yaml": "x", "scorecards/house.yaml~": "x", "scorecards/notes.txt": "x"}
    assert load_workspace(write(tmp_path, {"leadlight.yaml": "entity: lead", **left})).scorecards == {}


def test_mark_at_the_beginning_of_utf_8_does_no_harm(tmp_path: Path) -> None:
    folder = write(tmp_path, {"leadlight.yaml": b"\xef\xbb\xbfentity: ticket"})
    assert load_workspace(folder).workspace.spec.entity == "ticket"


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (
            b"entity: ticket\nexclude: \"name = 'M\xfcller'\"",
            "2:20: the byte 0xFC is not UTF-8: save the file as UTF-8",
        ),
        (b"\xef\xbb\xbfa: \xff", "1:4: the byte 0xFF is not UTF-8: save the file as UTF-8"),
        ("entity: lead".encode("utf-16"), "1:1: the file is written in UTF-16: save it as UTF-8"),
        (b"a: \x00", "1:4: the character U+0000 may not stand in YAML: remove it"),
        (b"", "1:1: the file is empty"),
        (b"#" * (MAX_BYTES + 1), " the file is larger than 2 MB"),
    ],
)
def test_file_that_cannot_be_read_says_why(tmp_path: Path, content: bytes, fault: str) -> None:
    assert faults(write(tmp_path, {"leadlight.yaml": content})) == [f"leadlight.yaml:{fault}"]


def test_folder_in_the_place_of_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "leadlight.yaml").mkdir()
    (tmp_path / "scorecards" / "house.yaml").mkdir(parents=True)
    message = "this is a folder, not a file"
    assert faults(tmp_path) == [f"leadlight.yaml: {message}", f"scorecards/house.yaml: {message}"]


def test_file_in_the_place_of_the_scorecards_holds_none(tmp_path: Path) -> None:
    assert load_workspace(write(tmp_path, {"leadlight.yaml": "entity: lead", "scorecards": "x"})).scorecards == {}


def test_folder_without_a_workspace_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"^no leadlight\.yaml in .*\nMake a workspace with `leadlight init`"):
        load_workspace(tmp_path)


def test_workspace_with_the_wrong_ending_says_so(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"Rename leadlight\.yml to leadlight\.yaml\.$"):
        load_workspace(write(tmp_path, {"leadlight.yml": ""}))


def test_folder_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"^no folder .*nowhere"):
        load_workspace(tmp_path / "nowhere")


def test_one_scorecard_is_read_by_its_path(tmp_path: Path) -> None:
    path = write(tmp_path, {"edited.yaml": SCORECARD}) / "edited.yaml"
    document = load_scorecard(path)
    assert document.file == path.as_posix()
    assert list(document.spec.groups) == ["fit"]


def test_scorecard_that_is_not_there_gives_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, {"house.yaml": SCORECARD})
    with pytest.raises(NotFoundError, match=r"hose\.yaml: did you mean 'house\.yaml'\? Known: house\.yaml$"):
        load_scorecard(tmp_path / "hose.yaml")


def test_scorecard_with_faults_names_its_file(tmp_path: Path) -> None:
    path = write(tmp_path, {"edited.yaml": "base: x\n"}) / "edited.yaml"
    with pytest.raises(SpecError) as caught:
        load_scorecard(path)
    assert [str(fault).removeprefix(path.as_posix()) for fault in caught.value.faults] == [
        ":1:1: the key 'groups' is missing",
        ":1:7: base: must be a number; found 'x'",
    ]
