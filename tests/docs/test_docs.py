from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.docs.pages import ROOT, Block, blocks, commands, name, pages, unlike

from leadlight.cli.app import VERBS, main
from leadlight.spec.models import ScorecardSpec, SourceSpec, WorkspaceSpec
from leadlight.spec.vendor import VendorSpec
from leadlight.spec.yaml import read_yaml

WALKED = [ROOT / "README.md", ROOT / "docs" / "tutorial.md", *sorted((ROOT / "docs" / "howto").glob("*.md")),
          *sorted((ROOT / "docs" / "playbooks").glob("*.md"))]  # fmt: skip
LONG = ("docs/playbooks/", "docs/howto/learn.md")
"""Where the pages lie that take seconds each."""
BLOCKS = [block for page in pages() for block in blocks(page)]
YAML = [block for block in BLOCKS if block.language == "yaml"]


def makes_its_own_workspace(page: Path) -> bool:
    found = list(blocks(page))
    return any(block.file for block in found) or any(
        command.arguments[:1] == ["init"]
        for block in found
        if block.language == "console"
        for command in commands(block)
    )


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.slow if name(page).startswith(LONG) else ()) for page in WALKED],
    ids=name,
)  # fmt: skip
def test_every_command_of_a_page_works_in_the_order_given(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A page that makes no workspace is walked in that of `leadlight init`, its files read."""
    monkeypatch.chdir(tmp_path)
    if not makes_its_own_workspace(page):
        assert main(["init"]) == main(["ingest"]) == 0
    for block in blocks(page):
        if block.file is not None:
            (tmp_path / block.file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
        for command in commands(block) if block.language == "console" else ():
            capsys.readouterr()
            code = main(command.arguments)
            printed = capsys.readouterr()
            assert code == 0, f"{command}: {printed.err}"
            assert unlike(command.shown, printed.out + printed.err) == [], f"{command} printed {printed.out}"


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"^\[[^\]]+\]:\s*(\S+)", text, flags=re.MULTILINE)
    relative = [target for target in targets if not re.match(r"[a-z]+:", target)]
    assert [target for target in relative if not _leads_somewhere(page, target)] == []


def _leads_somewhere(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    file = page.parent / path if path else page
    return file.exists() and (not anchor or anchor in _anchors(file))


def _anchors(page: Path) -> set[str]:
    """Return the anchors that headings make, as GitHub does."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("block", YAML, ids=str)
def test_every_yaml_is_what_it_seems_to_be(block: Block) -> None:
    parsed = read_yaml(block.text, str(block))
    assert parsed.faults == []
    content = parsed.value
    if "groups" in content:
        ScorecardSpec.model_validate(content)
    elif "request" in content:
        VendorSpec.model_validate(content)
    elif content.keys() <= WorkspaceSpec.model_fields.keys():
        WorkspaceSpec.model_validate(content)
    else:  # one source, or a few of them
        for source in content.values():
            SourceSpec.model_validate(source)


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_command_named_in_the_text_exists(page: Path) -> None:
    named = set(re.findall(r"(?<!\.)\bleadlight ([a-z]+)\b(?=[^`\n]*`)", page.read_text(encoding="utf-8")))
    assert named <= VERBS.keys()
