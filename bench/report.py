"""Writes what was measured: one JSON file per benchmark, and a summary of all of them for readers."""

import json
from pathlib import Path
from typing import Any

from bench.figures import Result

DIRECTORY = Path(__file__).with_name("results")
SUMMARY = DIRECTORY / "summary.md"


def document_of(name: str, result: Result, conditions: dict[str, Any]) -> dict[str, Any]:
    """What is stored of a run. `conditions`: machine, load, commit and time, see `__main__.py`."""
    return {
        "benchmark": name,
        "title": result.title,
        "figures": [figure.as_json() for figure in result.figures],
        "notes": result.notes,
        "conditions": conditions,
    }


def write(document: dict[str, Any]) -> None:
    DIRECTORY.mkdir(exist_ok=True)
    path = DIRECTORY / f"{document['benchmark']}.json"
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def summarise(names: list[str]) -> None:
    """Renders the newest result of each benchmark, in the order of `names`."""
    parts = [
        "# Figures",
        "Written by `make bench`. Ratios first: waihu by its floor, from one run on one machine; then the absolute "
        "values, median (least–most) over the rounds. docs/performance.md says how each is measured.",
    ]
    for name in names:
        path = DIRECTORY / f"{name}.json"
        if path.exists():
            parts.append(render(json.loads(path.read_text())))
    SUMMARY.write_text("\n\n".join(parts) + "\n")


def render(document: dict[str, Any]) -> str:
    """One benchmark as Markdown."""
    rows = ["| | ratio | target | waihu | floor | unit | samples |", "|---|---|---|---|---|---|---|"]
    for figure in document["figures"]:
        verdict = {True: " ✓", False: " ✗ missed", None: ""}[figure["met"]]
        cells = (
            figure["what"],
            _told(figure["ratio"]),
            (figure["target"] or "") + verdict,
            _told(figure["subject"]),
            _told(figure["floor"]),
            figure["unit"],
            figure["samples"] or "",
        )
        rows.append("| " + " | ".join(str(cell) for cell in cells) + " |")
    notes = "\n".join(f"* {note}" for note in document["notes"])
    return "\n\n".join(
        part
        for part in (
            f"## {document['benchmark']}: {document['title']}",
            "\n".join(rows),
            notes,
            _conditions(document["conditions"]),
        )
        if part
    )


def _told(spread: dict[str, Any] | None) -> str:
    if spread is None:
        return ""
    if spread["min"] == spread["max"]:
        return f"{spread['median']:,g}"
    return f"{spread['median']:,g} ({spread['min']:,g}–{spread['max']:,g})"


def _conditions(conditions: dict[str, Any]) -> str:
    machine, load = conditions["machine"], conditions["load"]
    return (
        f"{conditions['taken_at']}, commit {conditions['commit']}: {machine['cores']} × {machine['cpu']}, "
        f"{machine['memory_gib']:g} GiB, Linux {machine['kernel']}, Python {machine['python']}; "
        f"load {load['start']:.2f} at the start, {load['end']:.2f} at the end, "
        f"others used {load['cpu_of_others']:.1%} of the processors."
    )
