"""Where log lines go: a JSON file per process in DATA/logs, which rotates, and one line for people on the console.

Fields named `pii_…` carry personal data and are masked in both.
"""

import logging
import sys
from contextlib import suppress
from logging.handlers import RotatingFileHandler
from pathlib import Path

import structlog
from structlog.typing import EventDict, WrappedLogger

_FILE_BYTES_MAX = 10_000_000
_FILES_KEPT = 5


def configure_logs(process: str, directory: Path, *, console: bool = True) -> None:
    """Sets up logging for this process, called `process` in every line."""
    handlers = [_file(process, directory), *([_console(process)] if console else [])]
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)
    # That a server starts and stops, and each step of a migration, is told better by those who ask for it.
    for chatty in ("uvicorn", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*_shared(process), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _console(process: str) -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared(process),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
                _one_line_error,
                structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=0, pad_level=False),
            ],
        )
    )
    return handler


def _file(process: str, directory: Path) -> logging.Handler:
    handler = _LogFile(
        directory / f"{process}.log", maxBytes=_FILE_BYTES_MAX, backupCount=_FILES_KEPT, encoding="utf-8"
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared(process),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
            ],
        )
    )
    return handler


class _LogFile(RotatingFileHandler):
    """A full disk costs the file its lines, and nobody a stack trace for each of them."""

    def handleError(self, record: logging.LogRecord) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handleError(record)

    def close(self) -> None:
        with suppress(OSError):
            super().close()


def mask_personal(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Replaces the value of every field named `pii_…` by its last three digits."""
    for name in event:
        if name.startswith("pii_"):
            event[name] = masked(str(event[name]))
    return event


def masked(value: str) -> str:
    """`***` and the last three digits, which are left out where they would be the whole."""
    digits = [character for character in value if character.isdigit()]
    return "***" + ("".join(digits[-3:]) if len(digits) > 3 else "")


def _shared(process: str) -> list[structlog.typing.Processor]:
    def name_process(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        event.setdefault("process", process)
        return event

    return [
        structlog.stdlib.add_log_level,
        name_process,
        mask_personal,
    ]


def _one_line_error(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """People get the error's own words; the stack stands in the file."""
    error = _exception(event.pop("exc_info", None))
    if error is not None:
        event["error"] = f"{type(error).__name__}: {error}".splitlines()[0]
    event.pop("stack_info", None)
    return event


def _exception(exc_info: object) -> BaseException | None:
    match exc_info:
        case BaseException():
            return exc_info
        case (_, BaseException() as error, _):
            return error
        case True:
            return sys.exc_info()[1]
        case _:
            return None
