"""Every setting is in the table of deploy/README.md, and nothing else is."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
VARIABLE = re.compile(r"\bWAIHU_[A-Z_]+\b")


def test_the_table_of_settings_is_complete_and_true() -> None:
    read = {name for path in (ROOT / "src").rglob("*.py") for name in VARIABLE.findall(path.read_text())}
    table = [line for line in (ROOT / "deploy/README.md").read_text().splitlines() if line.startswith("| `WAIHU_")]
    documented = {name for line in table for name in VARIABLE.findall(line.split("|")[1])}
    assert documented == read - NO_SETTINGS


NO_SETTINGS = {"WAIHU_ARI_PASSWORD", "WAIHU_APP", "WAIHU_RECORDING"}
"""The first is of the switch in a container (deploy/asterisk), the others are variables inside the switch."""
