"""What numbers tell of where they are: what the library says, in short forms, and nothing where it says nothing."""

import asyncio
import subprocess
import threading
from typing import Any

import pytest

from waihu.adapters import phone_places
from waihu.adapters.phone_places import LibraryPhonePlaces, places_of_description
from waihu.domain.errors import Unavailable
from waihu.domain.place import NOWHERE, Operator, Place

TELECOM, UNICOM, MOBILE = Operator.TELECOM, Operator.UNICOM, Operator.MOBILE


@pytest.mark.parametrize(
    ("phone", "place"),
    [
        ("13012121211", Place(UNICOM, "河北", "邢台")),
        ("13601212345", Place(MOBILE, "北京", "北京")),
        ("13812345678", Place(MOBILE, "江苏", "连云港")),
        ("15908590000", Place(MOBILE, "贵州", "黔西南")),
        # The network is known, the place is not.
        ("19912345678", Place(TELECOM)),
        ("19212345678", Place(Operator.BROADNET)),
        # Landlines are in a place and on no mobile network.
        ("02161234567", Place(None, "上海", "上海")),
        ("075512345678", Place(None, "广东", "深圳")),
        # Of several cities with one area code, the first.
        ("02461234567", Place(None, "辽宁", "沈阳")),
        ("4001234567", NOWHERE),
        ("10086", NOWHERE),
        ("+14155550100", NOWHERE),
    ],
)
async def test_a_number_and_its_place(phone: str, place: Place) -> None:
    assert await LibraryPhonePlaces().of([phone]) == {phone: place}


async def test_numbers_of_one_prefix_are_in_one_place() -> None:
    places = await LibraryPhonePlaces().of(f"1301212{number:04}" for number in range(0, 10_000, 37))

    assert set(places.values()) == {Place(UNICOM, "河北", "邢台")}


@pytest.mark.parametrize(
    ("description", "parts"),
    [
        ("河北省邢台市", ("河北", "邢台")),
        ("北京市", ("北京", "北京")),
        ("天津", ("天津", "天津")),
        ("广西壮族自治区南宁市、崇左市", ("广西", "南宁")),
        ("新疆维吾尔自治区乌鲁木齐市", ("新疆", "乌鲁木齐")),
        ("内蒙古呼和浩特市", ("内蒙古", "呼和浩特")),
        ("内蒙古锡林郭勒盟", ("内蒙古", "锡林郭勒")),
        ("新疆伊犁哈萨克自治州", ("新疆", "伊犁")),
        ("新疆克孜勒苏柯尔克孜自治州", ("新疆", "克孜勒苏")),
        ("青海省海西蒙古族藏族自治州", ("青海", "海西")),
        ("四川省阿坝藏族羌族自治州", ("四川", "阿坝")),
        ("湖北省神农架林区", ("湖北", "神农架")),
        ("中国", ("", "")),
        ("", ("", "")),
    ],
)
def test_the_words_of_the_library(description: str, parts: tuple[str, str]) -> None:
    assert places_of_description(description) == parts


async def test_who_asks_before_the_table_is_there_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    await LibraryPhonePlaces().of(())
    told, may_load, loaded = phone_places._told(), threading.Event(), []

    def load() -> phone_places.Told:
        may_load.wait()
        loaded.append(1)
        return told

    monkeypatch.setattr(phone_places, "_told", _Unloaded(load))
    places = LibraryPhonePlaces()
    asked = [asyncio.ensure_future(places.of([phone])) for phone in ("13012121211", "02161234567")]
    done, _ = await asyncio.wait(asked, timeout=0.05)
    assert not done

    may_load.set()
    mobile, landline = await asyncio.gather(*asked)

    assert mobile == {"13012121211": Place(UNICOM, "河北", "邢台")}
    assert landline == {"02161234567": Place(None, "上海", "上海")}
    assert len(loaded) == 1


async def test_a_table_that_cannot_be_loaded_is_never_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    await LibraryPhonePlaces().of(())
    told, failures = phone_places._told(), [OSError("no memory"), subprocess.TimeoutExpired("python", 120)]

    def load() -> phone_places.Told:
        if failures:
            raise failures.pop()
        return told

    monkeypatch.setattr(phone_places, "_told", _Unloaded(load))
    places = LibraryPhonePlaces()
    for _ in range(2):
        with pytest.raises(Unavailable):
            await places.of(["13012121211"])
    assert await places.of(["13012121211"]) == {"13012121211": Place(UNICOM, "河北", "邢台")}


class _Unloaded:
    """Stands for the table of a process that has just started."""

    def __init__(self, load: Any) -> None:
        self._load = load
        self._told: phone_places.Told | None = None

    def __call__(self) -> phone_places.Told:
        if self._told is None:
            self._told = self._load()
        return self._told

    def cache_info(self) -> Any:
        return type("Info", (), {"currsize": int(self._told is not None)})
