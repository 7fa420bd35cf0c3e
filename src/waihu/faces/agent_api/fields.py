"""What bodies and queries have in common, as the reference says it. Who sends something else is told so by `reading.py`
or by the use case, each in words that fit the field.
"""

from typing import Annotated, Any

from msgspec import Meta

from waihu.application.callbacks import URL_MAX

WHITE = r"\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
"""What is white space to Python, within brackets: those who read patterns do not agree on `\\s`."""
VISIBLE = f"[^{WHITE}]"


def about(description: str | None = None, **json_schema: Any) -> Meta:
    """What the reference says of a field, and no more: `enum`, `pattern`, `maxItems` and the like."""
    return Meta(description=description, extra_json_schema=json_schema)


_NUMBER = r"\+[1-9][0-9]{2,14}|0?[1-9][0-9]{2,13}"
_DAY = r"(19[7-9][0-9]|2[01][0-9]{2})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_HOUR = r"([01][0-9]|2[0-3])"

Name = Annotated[str, about(pattern=VISIBLE, maxLength=100)]
Phone = Annotated[str, about(pattern=rf"^({_NUMBER})$")]
SuffixedPhone = Annotated[str, about(pattern=rf"^({_NUMBER})(_[0-9A-Za-z]{{1,16}})?$")]
Moment = Annotated[str, about(pattern=rf"^{_DAY}( {_HOUR}:[0-5][0-9](:[0-5][0-9])?)?$")]
TimeOfDay = Annotated[str, about(pattern=r"^([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$|^24:00(:00)?$")]
Url = Annotated[str, about(pattern=f"^https?://[^/?#@{WHITE}]+", maxLength=URL_MAX)]
Weekday = Annotated[int, about("0 为星期日", enum=list(range(7)))]
Sex = Annotated[int, about("0 未知,1 男,2 女", enum=[0, 1, 2])]
Unencrypted = Annotated[bool, about("不支持接口加密", enum=[False])]
