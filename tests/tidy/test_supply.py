"""What waihu is installed from: packages from where the machine's own configuration says, each verified by hash."""

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCKS = (ROOT / "requirements.lock", ROOT / "scripts/uv.lock")
# A host is recognised by a URL, or by a dotted name with an ending that package hosts have.
HOST = re.compile(r"\w+://|\b[\w-]+(\.[\w-]+)*\.(com|org|io|net|dev|cn)\b")


def test_no_lock_file_names_a_host() -> None:
    assert {path.name: HOST.findall(path.read_text()) for path in LOCKS} == {path.name: [] for path in LOCKS}


def test_every_locked_package_has_a_hash() -> None:
    for path in LOCKS:
        # One logical line per package, continued by backslashes.
        packages = re.findall(r"^[a-z0-9][^\n]*==.*?(?<!\\)$", path.read_text(), flags=re.MULTILINE | re.DOTALL)
        assert packages
        assert [package.split()[0] for package in packages if "--hash=sha256:" not in package] == []


def test_the_lock_has_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    asked = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.split(r"[^\w-]", requirement)[0].lower() for requirement in asked}
    locked = set(re.findall(r"^([a-z0-9-]+)==", LOCKS[0].read_text(), flags=re.MULTILINE))
    assert names - locked == set()


def test_no_script_names_a_package_host() -> None:
    scripts = [ROOT / "Makefile", ROOT / ".ci/run", *(path for path in (ROOT / "scripts").iterdir() if path.is_file())]
    assert {path.name: HOST.search(path.read_text()) for path in scripts} == {path.name: None for path in scripts}


def test_the_host_pattern_recognises_hosts() -> None:
    assert HOST.search("pip install --index-url https://pypi.example/simple")
    assert HOST.search("deb.debian.org")
    assert not HOST.search("requirements.lock python3.11 apt-get uv==0.13.8")


def test_every_script_is_executable_shell_that_parses() -> None:
    for path in [ROOT / ".ci/run", *(ROOT / "scripts").iterdir()]:
        if path.suffix != ".lock":
            assert path.stat().st_mode & 0o111, path
            subprocess.run(["sh", "-n", path], check=True)
