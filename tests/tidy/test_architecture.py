"""ARCHITECTURE.md shows every room of the tree, and no room that is not there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
ROOMS = PAGE.split("```")[1]
SOURCE = ROOT / "src/waihu"
TOP = ("src", "bench", "tests", "docs", "examples", "deploy", "scripts")


def packages(below: Path) -> set[str]:
    return {path.parent.name for path in below.glob("*/*.py")} - {below.name}


def test_every_package_and_every_module_beside_them_has_its_place() -> None:
    rooms = packages(SOURCE) | packages(SOURCE / "adapters") | packages(SOURCE / "faces") | packages(ROOT / "tests")
    modules = {path.name for path in [*SOURCE.glob("*.py"), *SOURCE.glob("adapters/*.py")]}
    shown = set(re.findall(r"[\w]+(?=/)", ROOMS)) | set(re.findall(r"\w+\.py", ROOMS))

    assert rooms <= shown
    assert modules - {"__init__.py", "__main__.py"} <= shown


def test_every_module_of_the_engine_and_the_dialing_core_is_named() -> None:
    modules = {path.stem for room in ("engine", "dialing", "dialogue") for path in (SOURCE / room).glob("[a-z]*.py")}
    # What the core is made of, and not what it does.
    small = {"state", "decision", "luck", "resources", "clock"}

    assert modules - small <= set(re.findall(r"\w+", ROOMS))


def test_what_the_page_names_is_there() -> None:
    files = [path for top in TOP for path in (ROOT / top).rglob("*") if "__pycache__" not in path.parts]
    there = {path.name for path in files} | set(TOP) | {"waihu"}
    named = set(re.findall(r"(\w+)/", ROOMS)) | set(re.findall(r"\w+\.(?:py|sql)\b", PAGE))

    assert named <= there
