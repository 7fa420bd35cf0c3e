"""The scripted agent on the phone: speaks what `dialogue/scripted.py` decides, and listens for keys.

Counterpart: `domain/agent.py` says what a script is. Implements `ports.conversation.Conversation`.
"""

from collections.abc import Mapping

import msgspec

from waihu.adapters.speech.sounds import SoundStore
from waihu.dialogue.scripted import all_lines, begin, respond
from waihu.domain.agent import Script
from waihu.ports.conversation import Line
from waihu.ports.dialing_store import CallSheet, Turn


class ScriptedConversation:
    def __init__(self, sounds: SoundStore) -> None:
        self._sounds = sounds

    async def prepare(self, sheet: CallSheet) -> None:
        script = _script(sheet.script)
        for text in all_lines(script, sheet.variables):
            await self._sounds.line(text, script.voice)

    async def talk(self, sheet: CallSheet, line: Line, turns: list[Turn]) -> None:
        script = _script(sheet.script)
        step = begin(script, sheet.variables)
        while True:
            for text in step.says:
                sound = await self._sounds.line(text, script.voice)
                turns.append(Turn("agent", text, line.elapsed_ms))
                await line.play(sound)
            if step.listens_s is None:
                return
            pressed = await line.key(step.listens_s)
            if pressed is not None:
                turns.append(Turn("callee", "", line.elapsed_ms, dtmf=pressed))
            step = respond(script, sheet.variables, pressed)


def _script(definition: Mapping[str, object]) -> Script:
    return msgspec.convert(definition, Script)
