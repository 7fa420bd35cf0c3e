"""Ports: chosen once, kept, and never taken from anybody."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from waihu import listening
from waihu.domain.errors import Invalid
from waihu.listening import Listening, listen
from waihu.settings import Address, Settings


@pytest.fixture
def occupied() -> Iterator[Address]:
    """An address that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Address(*server.getsockname())


def ports(found: Listening) -> tuple[int, int, int]:
    found.http.close()
    found.release()
    return found.http_address.port, found.sip_port, found.ari_port


def test_ports_chosen_once_stay_the_same(tmp_path: Path) -> None:
    first = ports(listen(Settings(data=tmp_path), tmp_path / "ports.json"))
    assert ports(listen(Settings(data=tmp_path), tmp_path / "ports.json")) == first


def test_a_taken_port_is_passed_over_when_choosing(tmp_path: Path) -> None:
    other = ports(listen(Settings(data=tmp_path), tmp_path / "other.json"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sip:
        sip.bind(("127.0.0.1", other[1]))
        assert ports(listen(Settings(data=tmp_path), tmp_path / "ports.json"))[1] > other[1]


def test_a_port_that_was_set_is_taken_or_refused(
    tmp_path: Path, occupied: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "_PREDECESSOR_S", 0)
    with pytest.raises(Invalid) as refused:
        listen(Settings(data=tmp_path, http=occupied), tmp_path / "ports.json")
    assert "--http" in refused.value.problems


def test_the_http_port_is_bound_before_anything_starts(tmp_path: Path) -> None:
    found = listen(Settings(data=tmp_path), tmp_path / "ports.json")
    found.release()
    with found.http, socket.create_connection((found.http_address.host, found.http_address.port)) as client:
        assert client.getpeername()[1] == found.http_address.port


def test_two_data_directories_do_not_collide(tmp_path: Path) -> None:
    first = listen(Settings(data=tmp_path), tmp_path / "one.json")
    second = listen(Settings(data=tmp_path), tmp_path / "two.json")
    assert set(ports(first)).isdisjoint(ports(second))


def test_a_remembered_sip_port_does_not_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "_PREDECESSOR_S", 0)
    _, sip, _ = ports(listen(Settings(data=tmp_path), tmp_path / "ports.json"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", sip))
        with pytest.raises(Invalid) as refused:
            listen(Settings(data=tmp_path), tmp_path / "ports.json")
    assert list(refused.value.problems) == ["WAIHU_SIP_PORT"]


def test_without_a_switch_of_our_own_its_ports_are_nobodys(tmp_path: Path) -> None:
    _, sip, ari = ports(listen(Settings(data=tmp_path, has_switch=False), tmp_path / "ports.json"))
    assert (sip, ari) == (0, 0)


@pytest.mark.parametrize("left", ["", "garbage", '{"http": "x"}'])
def test_remembered_ports_that_cannot_be_read_are_refused_with_the_file_and_the_fix(tmp_path: Path, left: str) -> None:
    remembered = tmp_path / "ports.json"
    remembered.write_text(left)
    with pytest.raises(Invalid) as refused:
        listen(Settings(data=tmp_path), remembered)
    (problem,) = refused.value.problems["--data"]
    assert str(remembered) in problem
    assert "Delete it" in problem


def test_a_full_disk_does_not_cost_the_remembered_ports(tmp_path: Path) -> None:
    remembered = tmp_path / "ports.json"
    ports(listen(Settings(data=tmp_path), remembered))
    before = remembered.read_bytes()
    (tmp_path / "ports.new").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        listen(Settings(data=tmp_path), remembered)
    assert remembered.read_bytes() == before
