"""The scripted agent: greets with the contact's variables, may wait for a key and answer it, says goodbye.

Counterpart: `domain/agent.py` says what a script is. Implements `ports.conversation.Conversation`.
"""

from collections.abc import Mapping

import msgspec

from waihu.adapters.speech.sounds import SoundStore
from waihu.domain.agent import Script, fill
from waihu.ports.conversation import Line
from waihu.ports.dialing_store import CallSheet, Turn


class ScriptedConversation:
    def __init__(self, sounds: SoundStore) -> None:
        self._sounds = sounds

    async def prepare(self, sheet: CallSheet) -> None:
        script = _script(sheet.script)
        for text in (script.greeting, *(script.keys or {}).values(), script.goodbye):
            if text and (spoken := fill(text, sheet.variables)).strip():
                await self._sounds.line(spoken, script.voice)

    async def talk(self, sheet: CallSheet, line: Line, turns: list[Turn]) -> None:
        script = _script(sheet.script)
        await self._say(script.greeting, script, sheet, line, turns)
        if script.keys:
            pressed = await line.key(script.key_timeout_s)
            if pressed is not None:
                turns.append(Turn("callee", "", line.elapsed_ms, dtmf=pressed))
                await self._say(script.keys.get(pressed), script, sheet, line, turns)
        await self._say(script.goodbye, script, sheet, line, turns)

    async def _say(self, text: str | None, script: Script, sheet: CallSheet, line: Line, turns: list[Turn]) -> None:
        spoken = fill(text or "", sheet.variables)
        if not spoken.strip():
            return
        sound = await self._sounds.line(spoken, script.voice)
        turns.append(Turn("agent", spoken, line.elapsed_ms))
        await line.play(sound)


def _script(definition: Mapping[str, object]) -> Script:
    return msgspec.convert(definition, Script)
