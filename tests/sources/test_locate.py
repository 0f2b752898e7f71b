from pathlib import Path

import pytest

from leadlight.errors import DataError
from leadlight.sources.locate import locate


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("data/b.csv", "data/a.csv", "data/deep/c.csv", "data/.hidden.csv", "data/odd[1].csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("id\n")
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [
        ("data/a.csv", ["data/a.csv"]),
        ("data/?.csv", ["data/a.csv", "data/b.csv"]),
        ("data/**/*.csv", ["data/a.csv", "data/b.csv", "data/deep/c.csv", "data/odd[1].csv"]),
        ("data/odd[1].csv", ["data/odd[1].csv"]),
        ("./data/../data/a.csv", ["data/a.csv"]),
    ],
)
def test_found_sorted(root: Path, pattern: str, shown: list[str]) -> None:
    assert [located.shown for located in locate(pattern, root, "src")] == shown


def test_absolute_path_outside_is_shown_whole(root: Path) -> None:
    outside = root / "data" / "a.csv"
    assert locate(str(outside), root / "data" / "deep", "src")[0].shown == str(outside)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("data/aa.csv", "there is no file data/aa.csv: folder data has a.csv, b.csv, odd[1].csv"),
        ("data/*.tsv", "no file matches data/*.tsv: folder data has b.csv, a.csv, odd[1].csv"),
        ("date/a.csv", "there is no file date/a.csv: the workspace's folder has no files"),
        ("data/deep", "data/deep is a folder, not a file: write data/deep/* for the files in it"),
    ],
)
def test_not_found(root: Path, pattern: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        locate(pattern, root, "src")
    assert str(caught.value) == f"1 fault in the data\nsources.src: {message}"
