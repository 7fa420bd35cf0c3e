"""The reference in docs is what the routes say today, and has an example wherever something is sent."""

from docs.write_reference import DIRECTORY, EXAMPLES, described, pages

from waihu.faces.operations.documents import operations_of


def test_the_pages_are_what_would_be_written_now() -> None:
    stale = [
        name
        for name, page in pages().items()
        if not (DIRECTORY / name).exists() or (DIRECTORY / name).read_text(encoding="utf-8") != page
    ]
    assert stale == [], "run make reference"


def test_no_other_page_is_among_them() -> None:
    assert {path.name for path in DIRECTORY.iterdir()} == set(pages())


def test_every_example_is_of_a_call() -> None:
    assert EXAMPLES.keys() - {f"{method} {path}" for method, path, _ in operations_of(described())} == set()


def test_whatever_has_to_be_sent_is_in_an_example() -> None:
    missing = []
    for method, path, operation in operations_of(described()):
        example = EXAMPLES.get(f"{method} {path}")
        if "requestBody" in operation and (example is None or not example.body):
            missing.append(f"{method} {path}: the body")
        missing += [
            f"{method} {path}: {parameter['name']}"
            for parameter in operation.get("parameters", ())
            if parameter.get("required") and parameter["in"] != "path"
            if example is None or parameter["name"] not in example.parameters
        ]
    assert missing == []
