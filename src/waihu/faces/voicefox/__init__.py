"""The VoiceFox Open API: outbound tasks. Its pages show `GET /openapi/tasks/{taskID}`; the other calls are ours."""

from waihu.faces.voicefox.routes import router

__all__ = ["router"]
