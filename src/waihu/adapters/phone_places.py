"""Operator, province and city of Chinese numbers, from the tables of the `phonenumbers` library.

The library takes seconds and 150 MB to load, for the whole world. So a process of its own loads it once, tells what it
knows of China (`python -m waihu.adapters.phone_places`), and goes.
"""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

import msgspec
import structlog
from msgspec import Struct

from waihu.domain.errors import Unavailable
from waihu.domain.place import NOWHERE, Operator, Place

_LOAD_TIMEOUT_S = 120
_CACHED_MAX = 100_000
_COUNTRY = "86"
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"0([1-9][0-9]{8,11})")
_PREFIX_LENGTH = 7
"""Digits of a mobile number that decide where it is; the rest only tells people apart."""

_OPERATORS = {
    "中国电信": Operator.TELECOM,
    "中国联通": Operator.UNICOM,
    "中国移动": Operator.MOBILE,
    "中国广电": Operator.BROADNET,
}

PROVINCES = (
    *("北京", "天津", "河北", "山西", "内蒙古", "辽宁", "吉林", "黑龙江", "上海", "江苏", "浙江", "安徽", "福建"),
    *("江西", "山东", "河南", "湖北", "湖南", "广东", "广西", "海南", "重庆", "四川", "贵州", "云南", "西藏"),
    *("陕西", "甘肃", "青海", "宁夏", "新疆"),
)
_MUNICIPALITIES = frozenset({"北京", "天津", "上海", "重庆"})
_PROVINCE = re.compile(f"({'|'.join(PROVINCES)})(?:省|市|(?:壮族|回族|维吾尔)?自治区)?")
# An autonomous prefecture is called by its place: 黔西南布依族苗族自治州 is 黔西南.
_NATIONS = "藏|彝|土家|苗|侗|布依|壮|回|傣|景颇|白|傈僳|哈尼|蒙古|朝鲜|羌|哈萨克|柯尔克孜"
_CITY_SUFFIX = re.compile(f"(?:(?:(?:{_NATIONS})族?)+自治州|市|地区|盟|林区)$")

log = structlog.get_logger()


class Told(Struct):
    """The library's words, and for each prefix (country code and all) which of them is meant."""

    words: list[str]
    places: dict[str, int]
    operators: dict[str, int]


class LibraryPhonePlaces:
    """All of them in a process share what was loaded."""

    def __init__(self) -> None:
        self._loading: asyncio.Future[Told] | None = None

    async def of(self, phones: Iterable[str]) -> Mapping[str, Place]:
        if not _told.cache_info().currsize:
            await self._loaded()
        return {phone: _place(phone) for phone in phones}

    async def _loaded(self) -> None:
        # Everybody waits for the same process; only after it has failed, the next one who asks tries again.
        if self._loading is None or self._loading.done():
            self._loading = asyncio.get_running_loop().run_in_executor(None, _told)
        try:
            await asyncio.shield(self._loading)
        except (OSError, subprocess.SubprocessError, msgspec.DecodeError) as failure:
            log.error("phone places cannot be loaded", exc_info=failure)
            raise Unavailable("the table of phone places cannot be loaded") from failure


def _place(phone: str) -> Place:
    if _MOBILE.fullmatch(phone):
        return _of_prefix(phone[:_PREFIX_LENGTH])
    landline = _LANDLINE.fullmatch(phone)
    return NOWHERE if landline is None else _of_landline(landline[1][:_PREFIX_LENGTH])


@lru_cache(_CACHED_MAX)
def _of_prefix(digits: str) -> Place:
    told = _told()
    operator = _longest(told.operators, digits)
    province, city = places_of_description(_longest(told.places, digits))
    return Place(_OPERATORS.get(operator), province, city)


@lru_cache(_CACHED_MAX)
def _of_landline(digits: str) -> Place:
    province, city = places_of_description(_longest(_told().places, digits))
    return Place(None, province, city)


def _longest(by_prefix: Mapping[str, int], digits: str) -> str:
    """What the longest prefix of the number says, empty when none says anything."""
    number = _COUNTRY + digits
    for length in range(len(number), len(_COUNTRY), -1):
        word = by_prefix.get(number[:length])
        if word is not None:
            return _told().words[word]
    return ""


def places_of_description(description: str) -> tuple[str, str]:
    """Province and city of a description such as 河北省邢台市. Of several cities that share a code, the first."""
    found = _PROVINCE.match(description)
    if found is None:
        return "", ""
    province = found[1]
    if province in _MUNICIPALITIES:
        return province, province
    first = description[found.end() :].split("、")[0]
    return province, _CITY_SUFFIX.sub("", first)


@cache
def _told() -> Told:
    answered = subprocess.run(
        [sys.executable, "-m", __name__], stdout=subprocess.PIPE, timeout=_LOAD_TIMEOUT_S, check=True
    )
    return msgspec.json.decode(answered.stdout, type=Told)


def _tell() -> None:
    """What the process of its own does. Nobody waits for it who has something better to do: it steps back."""
    os.nice(10)
    from phonenumbers.carrierdata import CARRIER_DATA
    from phonenumbers.geodata import GEOCODE_DATA

    words: dict[str, int] = {}

    def chinese(data: Mapping[str, Mapping[str, str]]) -> dict[str, int]:
        return {
            prefix: words.setdefault(said["zh"], len(words))
            for prefix, said in data.items()
            if prefix.startswith(_COUNTRY) and "zh" in said
        }

    told = Told([], chinese(GEOCODE_DATA), chinese(CARRIER_DATA))
    told.words = list(words)
    sys.stdout.buffer.write(msgspec.json.encode(told))


if __name__ == "__main__":
    _tell()
