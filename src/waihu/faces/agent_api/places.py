"""Operators, provinces and cities as the wire counts and calls them."""

from waihu.domain.place import Operator, Place

OPERATORS = {1: Operator.TELECOM, 2: Operator.UNICOM, 3: Operator.MOBILE}
_CODES = {operator: code for code, operator in OPERATORS.items()}
_NAMES = {
    Operator.TELECOM: "电信",
    Operator.UNICOM: "联通",
    Operator.MOBILE: "移动",
    Operator.BROADNET: "广电",
}

# The vendor's numbers for regions are its own and not published. Provinces have the well-known ones of GB/T 2260.
_PROVINCES = {
    "北京": 11,
    "天津": 12,
    "河北": 13,
    "山西": 14,
    "内蒙古": 15,
    "辽宁": 21,
    "吉林": 22,
    "黑龙江": 23,
    "上海": 31,
    "江苏": 32,
    "浙江": 33,
    "安徽": 34,
    "福建": 35,
    "江西": 36,
    "山东": 37,
    "河南": 41,
    "湖北": 42,
    "湖南": 43,
    "广东": 44,
    "广西": 45,
    "海南": 46,
    "重庆": 50,
    "四川": 51,
    "贵州": 52,
    "云南": 53,
    "西藏": 54,
    "陕西": 61,
    "甘肃": 62,
    "青海": 63,
    "宁夏": 64,
    "新疆": 65,
}


def operator_code(place: Place) -> int | None:
    """None where the number does not tell, and for 广电, for which the vendor's pages have no code."""
    return None if place.operator is None else _CODES.get(place.operator)


def operator_name(place: Place) -> str:
    return "" if place.operator is None else _NAMES[place.operator]


def province_id(place: Place) -> int | None:
    return _PROVINCES.get(place.province)


def city_id(place: Place) -> int | None:
    """None: no public list numbers cities as this wire does."""
    return None
