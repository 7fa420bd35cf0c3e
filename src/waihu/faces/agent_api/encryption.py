"""The vendor's encryption of phones in requests. How it is done is not public, so nothing is taken that claims it."""

from waihu.domain.errors import Invalid


def refuse_encryption(asked: bool | None) -> None:
    """Raises Invalid: ciphertext must never be stored, looked up or dialled as if it were a phone."""
    if asked:
        raise Invalid.field("encryption", "不支持接口加密,请传明文号码,并去掉 encryption 或传 false")
