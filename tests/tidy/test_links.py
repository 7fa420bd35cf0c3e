"""Links between the documents lead to files and headings that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md")]
LINK = re.compile(r"\]\((?!https?:)([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def test_every_link_between_documents_leads_somewhere() -> None:
    assert len(DOCUMENTS) > 10
    broken = [
        f"{document.relative_to(ROOT)}: {link}"
        for document in DOCUMENTS
        for link in LINK.findall(document.read_text(encoding="utf-8"))
        if not leads_somewhere(document, link)
    ]
    assert broken == []


def leads_somewhere(document: Path, link: str) -> bool:
    written, _, anchor = link.partition("#")
    target = document.parent / written if written else document
    if not target.exists():
        return False
    return not anchor or anchor in {anchor_of(heading) for heading in HEADING.findall(target.read_text("utf-8"))}


def anchor_of(heading: str) -> str:
    """As Markdown's readers make it: words and hyphens only, in small letters."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
