"""Contact lists in files: CSV in the encodings that spreadsheets write, and Excel workbooks, read row by row.

The first row names the columns. One names the phones; those not known by name become variables.
"""

import csv
import zipfile
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain
from pathlib import Path

from python_calamine import CalamineError, CalamineWorkbook, WorksheetNotFound

from waihu.application.contact_entry import VARIABLE_NAME_MAX, VARIABLES_MAX, NewContact, key_of
from waihu.domain.errors import Invalid

ROWS_MAX = 5_000_000
UNPACKED_MAX_BYTES = 2 << 30
"""A workbook is unpacked in memory; a small file can hold a very large one."""

_ROLES = {
    "phone": ("phone", "号码", "手机号", "电话", "手机", "手机号码", "电话号码", "联系电话", "mobile", "number", "tel"),
    "name": ("name", "姓名", "名字", "联系人", "客户姓名"),
    "company": ("company", "公司", "公司名称", "单位"),
    "extra": ("extra",),
    "zone": ("zone", "时区", "timezone"),
}
_ROLE_OF = {written: role for role, names in _ROLES.items() for written in names}

_BLOCK_BYTES = 1 << 20
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_CELL_FAULTS = (CalamineError, WorksheetNotFound, zipfile.BadZipFile)

Cell = str | int | float | bool | date | datetime | time | timedelta


@dataclass(frozen=True, slots=True)
class ContactFile:
    """A file ready to be read. `lines_total` counts its lines, the header too; None when only reading tells."""

    rows: Iterator[tuple[int, NewContact]]
    """Each contact with the line it ends on. Raises Invalid where the file cannot be read further."""
    lines_total: int | None


def open_contacts(path: Path, name: str) -> ContactFile:
    """Looks into the file and at its header. `name` is how the user calls it. Raises Invalid."""
    with path.open("rb") as file:
        head = file.read(len(_WORKBOOKS[1]))
    if not head:
        raise _unfit(name, "是空文件,请检查后重新上传")
    if head.startswith(_WORKBOOKS):
        rows, lines_total = _workbook(path, name)
    elif Path(name).suffix.lower() in (".xlsx", ".xlsm", ".xls", ".xlsb"):
        raise _unfit(name, "不是 Excel 工作簿(内容与扩展名不符),请用 Excel 另存为 .xlsx 或 CSV 后重新上传")
    else:
        rows, lines_total = _csv(path, name)
    filled = ((line, cells) for line, cells in rows if any(map(str.strip, cells)))
    header = next(filled, None)
    if header is None:
        raise _unfit(name, "没有任何内容,第一行应为列名")
    return ContactFile(_contacts(_Columns([title.strip() for title in header[1]], name), filled, name), lines_total)


class _Columns:
    """Which column means what."""

    def __init__(self, header: Sequence[str], name: str) -> None:
        self.at: dict[str, int] = {}
        self.variables: list[tuple[int, str]] = []
        for place, title in enumerate(header):
            role = _ROLE_OF.get(title.lower())
            if role is not None and role not in self.at:
                self.at[role] = place
            elif title:
                self.variables.append((place, title))
        if "phone" not in self.at:
            problem = "没有号码列,请把该列的列名改为 phone、号码、手机号或电话"
            if any(key_of(title) for title in header):
                problem = "第一行是号码而不是列名,请在最前面加一行列名,号码列命名为 phone、号码、手机号或电话"
            raise _unfit(name, problem)
        if "company" in self.at:
            self.variables.append((self.at["company"], "company"))
        if len(self.variables) > VARIABLES_MAX:
            raise _unfit(name, f"变量列不能超过 {VARIABLES_MAX} 个")
        for _, title in self.variables:
            if len(title) > VARIABLE_NAME_MAX:
                raise _unfit(name, f"列名“{title[:VARIABLE_NAME_MAX]}…”不能超过 {VARIABLE_NAME_MAX} 个字符")


def _contacts(
    columns: _Columns, rows: Iterator[tuple[int, Sequence[str]]], name: str
) -> Iterator[tuple[int, NewContact]]:
    phone, person, extra, zone = (columns.at.get(role, -1) for role in ("phone", "name", "extra", "zone"))
    variables = columns.variables
    last = max(place for place in (*columns.at.values(), *(place for place, _ in variables)))
    for count, (line, cells) in enumerate(rows, start=1):
        if count > ROWS_MAX:
            raise _unfit(name, f"不能超过 {ROWS_MAX} 行,请分成多个文件")
        if len(cells) <= last:
            # Spreadsheets leave out empty cells at the end of a row.
            cells = [*cells, *[""] * (last + 1 - len(cells))]
        yield (
            line,
            NewContact(
                phone=cells[phone],
                name=(cells[person].strip() or None) if person >= 0 else None,
                # The client's own reference comes back byte for byte.
                extra=(cells[extra] or None) if extra >= 0 else None,
                zone=(cells[zone].strip() or None) if zone >= 0 else None,
                variables={title: value for place, title in variables if (value := cells[place].strip())},
            ),
        )


def _csv(path: Path, name: str) -> tuple[Iterator[tuple[int, list[str]]], int]:
    encoding, lines = _encoding(path, name)
    with path.open(encoding=encoding, newline="") as file:
        first = file.readline(1 << 16)
    delimiter = max(",;\t", key=first.count)

    def rows() -> Iterator[tuple[int, list[str]]]:
        with path.open(encoding=encoding, newline="") as file:
            ended = False

            def end() -> Iterator[str]:
                # A quote after the last line is a row of its own, unless one in the file was never closed.
                nonlocal ended
                ended = True
                yield '"'

            reader = csv.reader(chain(file, end()), delimiter=delimiter)
            whole = 0
            try:
                for row in reader:
                    if ended and row != [""]:
                        raise _unfit(name, f"第 {whole + 1} 行的引号没有闭合,其后的行无法读取,请修正后重新上传")
                    whole = reader.line_num
                    yield whole, row
            except csv.Error as error:
                raise _unfit(
                    name, f"第 {reader.line_num} 行有过长的字段或未闭合的引号,请修正后重新上传", str(error)
                ) from error

    return rows(), lines


def _encoding(path: Path, name: str) -> tuple[str, int]:
    """The first encoding in which the whole file is valid, and how many lines it has."""
    for encoding in ("utf-8-sig", "gb18030"):
        decoder = getincrementaldecoder(encoding)()
        lines, block = 0, b""
        with path.open("rb") as file, suppress(UnicodeDecodeError):
            while more := file.read(_BLOCK_BYTES):
                block = more
                if b"\x00" in block:
                    raise _unfit(name, "不是文本文件,请另存为 CSV(UTF-8)或 .xlsx 后重新上传")
                decoder.decode(block)
                lines += block.count(b"\n")
            decoder.decode(b"", final=True)
            return encoding, lines + (not block.endswith(b"\n"))
    raise _unfit(name, "的编码既不是 UTF-8 也不是 GB18030,请另存为 CSV(UTF-8)后重新上传")


def _workbook(path: Path, name: str) -> tuple[Iterator[tuple[int, list[str]]], int]:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as parts:
                if sum(part.file_size for part in parts.infolist()) > UNPACKED_MAX_BYTES:
                    raise _unfit(name, "解压后过大,请分成多个文件或改用 CSV")
        sheet = CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0)
    except _CELL_FAULTS as error:
        raise _unfit(
            name, "无法作为 Excel 工作簿打开(可能已损坏或加密),请另存为 .xlsx 或 CSV 后重新上传", str(error)
        ) from error

    def rows() -> Iterator[tuple[int, list[str]]]:
        for line, row in enumerate(sheet.iter_rows(), start=sheet.start[0] + 1 if sheet.start else 1):
            yield line, [_written(cell) for cell in row]

    return rows(), sheet.height


def _written(cell: Cell) -> str:
    """A cell as a person sees it. Numbers come as floats: 13800138000.0 is a phone."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _unfit(name: str, problem: str, detail: str = "") -> Invalid:
    said: Iterable[str] = (f"文件 {name} {problem}", detail)
    return Invalid({"file": [text for text in said if text]})
