"""Choosing packages and prefixes; fetching itself is exercised by every test that has an Asterisk."""

from pathlib import Path

import pytest

from waihu.adapters.asterisk.debian_packages import is_version_of
from waihu.adapters.asterisk.runtime import PREFIX_VARIABLE, AsteriskPrefix, AsteriskUnavailable, obtain_asterisk


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("libxml2", "libxml2-16"),
        ("libssl", "libssl3t64"),
        ("libsqlite3", "libsqlite3-0"),
        ("libxslt", "libxslt1.1"),
        ("libstdc++", "libstdc++6"),
        ("zlib", "zlib1g"),
    ],
)
def test_a_library_package_is_found_whatever_its_soname_version(stem: str, name: str) -> None:
    assert is_version_of(stem, name)


@pytest.mark.parametrize(("stem", "name"), [("libcap", "libcap-ng0"), ("libcap", "libcap2-bin"), ("libc", "libcurl4")])
def test_other_packages_that_begin_alike_are_not_taken(stem: str, name: str) -> None:
    assert not is_version_of(stem, name)


def test_all_libraries_of_our_modules_are_in_the_prefix(asterisk: AsteriskPrefix) -> None:
    assert asterisk.missing_libraries() == []
    assert asterisk.version().startswith("22.")


def test_a_chosen_prefix_without_asterisk_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(PREFIX_VARIABLE, str(tmp_path))
    with pytest.raises(AsteriskUnavailable, match=PREFIX_VARIABLE):
        obtain_asterisk(lambda _: None)
