"""The switch as a program of its own, for a machine or container where `waihu up` does not run it.

`python -m waihu.adapters.asterisk.serve_switch --directory DIRECTORY`; waihu finds it by WAIHU_ARI_URL.
"""

import argparse
import asyncio
import os
from pathlib import Path

from waihu.adapters.asterisk.configuration import AriAccount
from waihu.adapters.asterisk.runtime import AsteriskPrefix, obtain_asterisk
from waihu.adapters.asterisk.serving import say, serve
from waihu.adapters.asterisk.switch import SwitchSettings, switch_instance


async def _run(settings: SwitchSettings, prefix: AsteriskPrefix) -> None:
    instance = switch_instance(prefix, settings)
    standing = (
        f"The switch talks SIP on {settings.address}:{settings.sip_port}, "
        f"its REST interface is on {instance.settings.control_address}:{settings.http_port}"
    )
    await serve(instance, instance.start, standing)


def _parse_arguments() -> SwitchSettings:
    parser = argparse.ArgumentParser(
        description="Runs waihu's switch. The password of its REST interface is taken from WAIHU_ARI_PASSWORD."
    )
    parser.add_argument("--directory", type=Path, required=True, help="where it keeps its files and logs")
    parser.add_argument("--address", default="127.0.0.1", help="the address of this machine that carriers talk to")
    parser.add_argument("--sip-port", type=int, default=5060)
    parser.add_argument("--http-port", type=int, default=8088)
    given = parser.parse_args()
    if not (password := os.environ.get("WAIHU_ARI_PASSWORD")):
        parser.error("WAIHU_ARI_PASSWORD is not set")
    return SwitchSettings(
        directory=given.directory.absolute(),
        address=given.address,
        sip_port=given.sip_port,
        http_port=given.http_port,
        ari=AriAccount("waihu", password),
    )


if __name__ == "__main__":
    chosen = _parse_arguments()
    asyncio.run(_run(chosen, obtain_asterisk(say)))
