"""Lists that ship, and lists of the user's own."""

from __future__ import annotations

from pathlib import Path

import pytest

import leadlight.enrich.providers as providers
from leadlight.enrich.providers.lists import lines_of, shipped, yaml_of
from leadlight.errors import NotFoundError, UsageError

FOLDER = Path(providers.__path__[0])


@pytest.mark.parametrize("name", sorted(file.name for file in FOLDER.glob("*.yaml")))
def test_every_list_can_be_read_and_holds_something(name):
    assert shipped(name)
    assert shipped(name) is shipped(name)  # read once


def test_lines(tmp_path):
    (tmp_path / "list.txt").write_bytes("\ufeffAcme.com  # ours\r\n\r\n# nothing\nb.de\n".encode())
    assert lines_of(tmp_path / "list.txt") == {"acme.com", "b.de"}


@pytest.mark.parametrize("read", [lines_of, yaml_of])
def test_a_users_mistakes(tmp_path, read):
    with pytest.raises(NotFoundError, match=r"no file missing\.txt"):
        read(tmp_path / "missing.txt")
    with pytest.raises(NotFoundError):
        read(tmp_path)
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(UsageError, match=r"bytes\.txt is no text in UTF-8"):
        read(tmp_path / "bytes.txt")


def test_yaml(tmp_path):
    (tmp_path / "x.yaml").write_text("a: [1, 2]")
    assert yaml_of(tmp_path / "x.yaml") == {"a": [1, 2]}
    (tmp_path / "x.yaml").write_text("a: [1, 2")
    with pytest.raises(UsageError, match=r"x\.yaml is no YAML"):
        yaml_of(tmp_path / "x.yaml")
