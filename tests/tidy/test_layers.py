"""The arrows of the architecture hold, and the check that says so can fail."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

FORBIDDEN = {
    "waihu/domain/phone.py": ("import asyncio", "waihu.domain.phone -> asyncio"),
    "waihu/dialing/pacing.py": ("import msgspec", "waihu.dialing.pacing -> msgspec"),
    "waihu/dialing/retries.py": ("import waihu.ports.carrier", "waihu.dialing.retries -> waihu.ports.carrier"),
    "waihu/application/accounts.py": ("import asyncpg", "waihu.application.accounts -> asyncpg"),
    "waihu/engine/node.py": ("import waihu.adapters.no_switch", "waihu.engine.node -> waihu.adapters.no_switch"),
    "waihu/faces/voicefox/__init__.py": (
        "import waihu.faces.agent_api",
        "waihu.faces.voicefox -> waihu.faces.agent_api",
    ),
    "waihu/adapters/speech/sounds.py": ("import waihu.settings", "waihu.adapters.speech.sounds -> waihu.settings"),
    "waihu/adapters/postgres/pool.py": (
        "import waihu.adapters.asterisk.ari",
        "waihu.adapters.postgres.pool -> waihu.adapters.asterisk.ari",
    ),
}


def test_every_import_is_allowed() -> None:
    checked = lint(ROOT / "src")
    assert checked.returncode == 0, checked.stdout


def test_every_forbidden_import_is_found(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    for module, (statement, _) in FORBIDDEN.items():
        with (tmp_path / module).open("a") as source:
            source.write(f"\n{statement}\n")
    checked = lint(tmp_path)
    assert checked.returncode == 1
    assert [arrow for _, arrow in FORBIDDEN.values() if arrow not in checked.stdout] == []


def lint(sources: Path) -> subprocess.CompletedProcess[str]:
    """Runs import-linter with our contracts on the package below `sources`."""
    run = "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports(sys.argv[1], no_cache=True))"
    return subprocess.run(
        [sys.executable, "-c", run, str(ROOT / ".importlinter")],
        cwd=sources,
        env=os.environ | {"PYTHONPATH": str(sources), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
