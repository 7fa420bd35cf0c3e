"""Audio both ways, proved by a call from the switch to a carrier in a box on the same machine, for `waihu doctor`.

The far end says nothing until it has heard us, and then presses a key: what comes back has gone out before.
"""

import asyncio
import socket
import tempfile
from pathlib import Path
from uuid import uuid4

from waihu.adapters.asterisk.ari import Ari
from waihu.adapters.asterisk.carrier import AsteriskCarrier
from waihu.adapters.asterisk.carrier_behaviour import Behaviour
from waihu.adapters.asterisk.carrier_box import CarrierBox, CarrierBoxSettings
from waihu.adapters.asterisk.instance import AsteriskFailed
from waihu.adapters.asterisk.runtime import AsteriskUnavailable, obtain_asterisk
from waihu.application.health import Finding
from waihu.domain.ids import AttemptId, TrunkId
from waihu.ports.carrier import Answered, CarrierUnavailable, DtmfPressed, Ended, NotPlaced, OutboundCall, Trunk

_PART = "audio"
_TRUNK = TrunkId("doctor")
_PATIENCE_S = 15.0
_RING_S = 5
_FIRST_PORT = 5070
# Ports that neither the switch nor a demo uses by default.
_RTP_PORTS = range(41000, 41100)


async def look_at_audio(ari: Ari, sip_address: str, sound: Path) -> Finding:
    """Calls over `ari` (not connected yet), plays `sound` (a WAV file that is not silent), waits for the far end's key.

    Takes a second or two when all is well.
    """
    with tempfile.TemporaryDirectory(prefix="waihu-doctor-") as scratch:
        settings = CarrierBoxSettings(
            directory=Path(scratch), address=sip_address, sip_port=_free_port(sip_address), rtp_ports=_RTP_PORTS
        )
        try:
            # The switch that is up has fetched it already.
            box = CarrierBox(obtain_asterisk(lambda _: None), settings)
            await box.start()
        except (AsteriskUnavailable, AsteriskFailed) as failure:
            return Finding(_PART, False, f"Not checked: no far end could be started. {failure}", needed=False)
        try:
            async with AsteriskCarrier(ari, "waihu-doctor", qualify_interval_s=1) as carrier:
                await carrier.set_trunk(Trunk(_TRUNK, settings.address, settings.sip_port))
                try:
                    return await _call(carrier, sound, Path(scratch) / "recording.wav")
                finally:
                    await carrier.remove_trunk(_TRUNK)
        except (CarrierUnavailable, NotPlaced) as failure:
            return Finding(_PART, False, f"No test call could be made: {failure}", "Mend the switch first.")
        finally:
            await box.stop()


async def _call(carrier: AsteriskCarrier, sound: Path, recording: Path) -> Finding:
    attempt = AttemptId(str(uuid4()))
    reached = "was not answered"
    fix = "Look for a firewall between local addresses, and at WAIHU_SIP_ADDRESS and WAIHU_RTP_PORTS."
    try:
        async with asyncio.timeout(_PATIENCE_S):
            events = carrier.events()
            # Whoever calls before the connection stands misses the answer.
            await anext(events)
            await carrier.place(OutboundCall(attempt, _TRUNK, Behaviour.HEARS.number(), None, _RING_S, recording))
            async for event in events:
                if getattr(event, "attempt", None) != attempt:
                    continue
                match event:
                    case Answered():
                        reached = "was answered, but no sound got through and back"
                        await carrier.play(attempt, sound)
                    case DtmfPressed():
                        return Finding(_PART, True, "a test call on this machine was heard, and the answer came back")
                    case Ended():
                        return Finding(_PART, False, f"A test call {reached}.", fix)
    except TimeoutError:
        pass
    finally:
        await carrier.hang_up(attempt)
    return Finding(_PART, False, f"A test call {reached}.", fix)


def _free_port(address: str) -> int:
    for port in range(_FIRST_PORT, _FIRST_PORT + 1000):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return port
    return _FIRST_PORT
