"""Holds an answer against an example: the same keys, types and nesting, whatever the values are."""

from collections.abc import Iterator
from typing import Any


def differences(example: Any, answer: Any, *, at: str = "", may_be_empty: frozenset[str] = frozenset()) -> list[str]:
    """What is different, by path. A null in the example says nothing of the type.

    A list has the form of one of the example's items; the lists in `may_be_empty` need none at all.
    """
    return list(_differences(example, answer, at, may_be_empty))


def _differences(example: Any, answer: Any, at: str, may_be_empty: frozenset[str]) -> Iterator[str]:
    if example is None:
        return
    if type(example) is not type(answer):
        yield f"{at}: {type(example).__name__} in the example, {type(answer).__name__} here"
    elif isinstance(example, dict):
        yield from _of_objects(example, answer, at, may_be_empty)
    elif isinstance(example, list) and example:
        if not answer and at not in may_be_empty:
            yield f"{at}: empty, so nothing is shown of it"
        for index, item in enumerate(answer):
            tries = [list(_differences(each, item, f"{at}[]", may_be_empty)) for each in example]
            if all(tries):
                yield from (f"{problem} (item {index})" for problem in min(tries, key=len))


def _of_objects(
    example: dict[str, Any], answer: dict[str, Any], at: str, may_be_empty: frozenset[str]
) -> Iterator[str]:
    if at.endswith("call_info"):
        # Keyed by line.
        yield from _differences(list(example.values()), list(answer.values()), at, may_be_empty)
        return
    if missing := example.keys() - answer.keys():
        yield f"{at}: without {sorted(missing)}"
    if added := answer.keys() - example.keys():
        yield f"{at}: with {sorted(added)} besides"
    for key in example.keys() & answer.keys():
        yield from _differences(example[key], answer[key], f"{at}.{key}" if at else key, may_be_empty)
