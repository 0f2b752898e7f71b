"""Secrets come from where they should, are missed all at once, and are shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadlight.connect.protocol import About, Limits, Secret
from leadlight.connect.secrets import find_secrets, hide, without
from leadlight.errors import RemoteError, UsageError

ABOUT = About(
    "acme",
    "Acme",
    (
        Secret("user", "ACME_USER", "your name at Acme"),
        Secret("token", "ACME_TOKEN", "Settings, API keys"),
        Secret("hook", "ACME_HOOK", "Settings, webhooks", needed=False),
    ),
    Limits(per_second=1),
    "https://acme.example",
)
FILE = "user: ann\ntoken: token-of-file\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "acme.yaml"
    found.write_text(FILE)
    found.chmod(0o600)
    return found


def test_they_come_from_the_environment() -> None:
    environ = {"ACME_USER": "ann", "ACME_TOKEN": " token-1\n"}
    assert find_secrets(ABOUT, environ) == {"user": "ann", "token": "token-1"}


def test_other_variables_may_be_told() -> None:
    told = {"token": "${THEIRS}"}
    assert find_secrets(ABOUT, {"ACME_USER": "ann", "THEIRS": "t-1"}, told=told)["token"] == "t-1"
    with pytest.raises(UsageError, match="THEIRS is not set"):
        find_secrets(ABOUT, {"ACME_USER": "ann", "ACME_TOKEN": "t-2"}, told=told)


def test_a_file_goes_before_the_environment(file: Path) -> None:
    environ = {"ACME_TOKEN": "token-of-environment", "ACME_HOOK": "hook-1"}
    assert find_secrets(ABOUT, environ, file=file) == {"user": "ann", "token": "token-of-file", "hook": "hook-1"}


def test_all_that_are_missing_are_named_at_once_and_where_they_are() -> None:
    with pytest.raises(UsageError, match="ACME_USER, ACME_TOKEN") as caught:
        find_secrets(ABOUT, {"ACME_TOKEN": "  "})
    assert "your name at Acme" in str(caught.value)
    assert "Settings, API keys" in str(caught.value)
    assert "ACME_HOOK" not in str(caught.value)


def test_a_secret_that_does_not_exist_is_told_with_the_nearest(file: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'token'"):
        find_secrets(ABOUT, {}, told={"tokn": "${X}"})
    file.write_text("tokne: x\n")
    with pytest.raises(UsageError, match="did you mean 'token'"):
        find_secrets(ABOUT, {}, file=file)


def test_a_file_that_others_may_read_is_refused(file: Path) -> None:
    file.chmod(0o640)
    with pytest.raises(UsageError, match="chmod 600"):
        find_secrets(ABOUT, {}, file=file)


def test_a_file_in_the_workspace_is_refused_however_it_is_named(file: Path, tmp_path: Path) -> None:
    workspace = tmp_path
    for name in (file, Path("acme.yaml"), tmp_path / "x" / ".." / "acme.yaml"):
        with pytest.raises(UsageError, match="is in the workspace"):
            find_secrets(ABOUT, {}, file=name, workspace=workspace)
    link = tmp_path.parent / f"{tmp_path.name}-link.yaml"
    link.symlink_to(file)
    with pytest.raises(UsageError, match="is in the workspace"):
        find_secrets(ABOUT, {}, file=link, workspace=workspace)


@pytest.mark.parametrize(
    "text", ["- token-xyz-1", "token: [token-xyz-1]", "token: {a: token-xyz-1}", "'token-xyz-1", "token-xyz-1"]
)
def test_a_file_that_is_none_is_told_and_not_shown(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(UsageError) as caught:
        find_secrets(ABOUT, {}, file=file)
    assert "token-xyz-1" not in str(caught.value)


def test_a_file_that_is_not_there_or_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        find_secrets(ABOUT, {}, file=tmp_path / "none.yaml")
    with pytest.raises(UsageError, match="no file of secrets"):
        find_secrets(ABOUT, {}, file=tmp_path)


def test_the_home_folder_is_known(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(file.parent))
    assert find_secrets(ABOUT, {}, file=Path("~/acme.yaml"))["token"] == "token-of-file"


def test_what_is_hidden_is_hidden_in_addresses_too() -> None:
    assert hide("GET /x?key=a%2Fb%2Bc+d or a%2Fb%2Bc%20d: a/b+c d", ["a/b+c d"]) == "GET /x?key=… or …: …"
    assert hide("an ox is an ox", ["ox"]) == "an ox is an ox"  # too short to be told from a word


def test_an_error_keeps_what_it_is() -> None:
    error = RemoteError("Acme", "sign_in", "no such key secret-1", fix="Make another than secret-1.", status=401)
    clean = without(error, ["secret-1"])
    assert str(clean) == "Acme: no such key …\nMake another than …."
    assert (clean.trouble, clean.status, clean.system) == ("sign_in", 401, "Acme")
