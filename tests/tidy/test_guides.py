"""What guides tell people to type exists: commands with their options, and calls of the API."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from docs.write_reference import described

from waihu.cli.frame import app
from waihu.faces.operations.documents import operations_of

GUIDES = Path(__file__).parents[2] / "docs/guides"
COMMAND = re.compile(r"\bwaihu ((?:[a-z-]+ ?)+[^|`\n]*)")
CALL = re.compile(r"\bcall ([A-Z]+) \"?(/[^\s\"?]+)|`([A-Z]+) (/[^\s`?]+)`")


def guides() -> list[Path]:
    return sorted(GUIDES.glob("*.md"))


def commands(text: str) -> Iterator[str]:
    for block in re.findall(r"```sh\n(.*?)```", text.replace("\\\n", " "), re.DOTALL):
        yield from (found.strip() for found in COMMAND.findall(block))


@pytest.mark.parametrize("guide", guides(), ids=lambda path: path.name)
def test_every_command_is_one_with_these_options(guide: Path) -> None:
    for command in commands(guide.read_text(encoding="utf-8")):
        found = typer.main.get_command(app)
        words = command.split()
        while words and hasattr(found, "commands"):
            assert words[0] in found.commands, f"waihu {command}"
            found = found.commands[words.pop(0)]
        known = {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= known, f"waihu {command}"


@pytest.mark.parametrize("guide", guides(), ids=lambda path: path.name)
def test_every_call_is_one_of_the_api(guide: Path) -> None:
    served = {f"{method} {re.sub('{[^}]+}', '*', path)}" for method, path, _ in operations_of(described())}
    for groups in CALL.findall(guide.read_text(encoding="utf-8")):
        method, path = [part for part in groups if part]
        path = path.removeprefix("/agent-api")
        # A variable of the shell stands where the reference has a parameter.
        named = re.sub(r"\$\w+|{\w+}", "*", path)
        assert f"{method} /agent-api{named}" in served, f"{method} {path}"


def test_a_translation_has_the_same_blocks_of_code() -> None:
    translations = sorted(GUIDES.glob("*.zh.md"))
    assert translations
    for translation in translations:
        original = translation.with_name(translation.name.replace(".zh.md", ".md"))
        assert blocks(translation) == blocks(original)


def blocks(guide: Path) -> list[str]:
    return re.findall(r"```.*?```", guide.read_text(encoding="utf-8"), re.DOTALL)
