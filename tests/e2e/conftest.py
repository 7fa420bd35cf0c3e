"""Real Asterisk on both sides: the platform's switch, and a carrier in a box, each on a loopback address of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from telephony import ACCOUNT, Caller, caller_at, loopback_address, trunk_to

from waihu.adapters.asterisk.carrier_box import CarrierBox, CarrierBoxSettings
from waihu.adapters.asterisk.instance import AsteriskInstance
from waihu.adapters.asterisk.runtime import AsteriskPrefix, obtain_asterisk
from waihu.adapters.asterisk.switch import SwitchSettings, switch_instance


@pytest.fixture(scope="session")
def asterisk() -> AsteriskPrefix:
    return obtain_asterisk(lambda _: None)


@pytest.fixture(scope="session")
def telephony_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("t")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def box(asterisk: AsteriskPrefix, telephony_directory: Path) -> AsyncIterator[CarrierBox]:
    settings = CarrierBoxSettings(directory=telephony_directory / "box", address=loopback_address())
    box = CarrierBox(asterisk, settings)
    await box.start()
    yield box
    await box.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def switch(asterisk: AsteriskPrefix, telephony_directory: Path) -> AsyncIterator[AsteriskInstance]:
    settings = SwitchSettings(directory=telephony_directory / "switch", address=loopback_address(), ari=ACCOUNT)
    switch = switch_instance(asterisk, settings)
    await switch.start()
    yield switch
    await switch.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def caller(switch: AsteriskInstance, box: CarrierBox, telephony_directory: Path) -> AsyncIterator[Caller]:
    """The platform's side, with a trunk to the box."""
    async with caller_at(switch, telephony_directory / "recordings") as caller:
        await caller.carrier.set_trunk(trunk_to(box))
        yield caller
