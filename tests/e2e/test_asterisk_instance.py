"""Starting and ending Asterisk: occupied ports, leftovers, paths that are too long."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from telephony import ACCOUNT, PATIENCE_S, loopback_address

from waihu.adapters.asterisk.instance import AsteriskFailed, AsteriskInstance, PortTaken
from waihu.adapters.asterisk.runtime import AsteriskPrefix
from waihu.adapters.asterisk.switch import SwitchSettings, switch_instance

STARTER = """
import asyncio, sys
from pathlib import Path
from waihu.adapters.asterisk.configuration import AriAccount
from waihu.adapters.asterisk.runtime import obtain_asterisk
from waihu.adapters.asterisk.switch import SwitchSettings, switch_instance

async def main():
    settings = SwitchSettings(directory=Path(sys.argv[1]), address=sys.argv[2], ari=AriAccount("waihu", "secret"))
    switch = switch_instance(obtain_asterisk(print), settings)
    await switch.start()
    print(switch.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture
def stopped_switch(asterisk: AsteriskPrefix, tmp_path: Path) -> AsteriskInstance:
    return switch_instance(asterisk, SwitchSettings(directory=tmp_path / "s", address=loopback_address(), ari=ACCOUNT))


@pytest.mark.parametrize(
    ("kind", "port", "setting"), [(socket.SOCK_DGRAM, 5060, "sip_port"), (socket.SOCK_STREAM, 8088, "http_port")]
)
async def test_an_occupied_port_is_named_with_the_setting_to_change(
    kind: socket.SocketKind, port: int, setting: str, stopped_switch: AsteriskInstance
) -> None:
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind((stopped_switch.settings.address, port))
        if kind == socket.SOCK_STREAM:
            other.listen()
        with pytest.raises(PortTaken, match=rf":{port} .*another {setting}"):
            await stopped_switch.start()


async def test_a_leftover_in_the_same_directory_is_ended(asterisk: AsteriskPrefix, tmp_path: Path) -> None:
    settings = SwitchSettings(directory=tmp_path / "s", address=loopback_address(), ari=ACCOUNT)
    forgotten = switch_instance(asterisk, settings)
    await forgotten.start()
    successor = switch_instance(asterisk, settings)
    await successor.start()
    assert forgotten.exit_status() is not None
    assert "System uptime" in await successor.cli("core show uptime")
    await successor.stop()


def test_asterisk_ends_when_the_process_that_started_it_is_killed(asterisk: AsteriskPrefix, tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", STARTER, str(tmp_path / "s"), loopback_address()]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    deadline = time.monotonic() + PATIENCE_S
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _alive(pid)


@pytest.mark.parametrize(
    ("name", "complaint"), [("long" * 30, "too long"), ("a, b", "characters"), ("c;d", "characters")]
)
def test_a_path_that_asterisk_cannot_have_is_refused(
    name: str, complaint: str, asterisk: AsteriskPrefix, tmp_path: Path
) -> None:
    with pytest.raises(AsteriskFailed, match=complaint):
        switch_instance(asterisk, SwitchSettings(directory=tmp_path / name, ari=ACCOUNT))


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
