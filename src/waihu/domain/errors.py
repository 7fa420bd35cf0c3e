"""Mistakes a caller can make. They carry no HTTP status: each face maps every one of them."""


class DomainError(Exception):
    """Base of all mistakes that a user of waihu can make and mend."""


class NotFound(DomainError):
    """The thing does not exist, or belongs to somebody else: the two are never told apart."""

    def __init__(self, noun: str) -> None:
        super().__init__(noun)
        self.noun = noun


class Invalid(DomainError):
    """Values that cannot be accepted: field name → what is wrong and how to mend it."""

    def __init__(self, problems: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{field}: {' '.join(said)}" for field, said in problems.items()))
        self.problems = problems

    @classmethod
    def field(cls, name: str, problem: str) -> "Invalid":
        return cls({name: [problem]})


class Conflict(DomainError):
    """The thing is in a state that does not allow this; `code` names the rule."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Unauthenticated(DomainError):
    """No token, or one that is forged, unknown, revoked, expired or not yet valid."""


class Forbidden(DomainError):
    """The token is good, but not for this, whatever it is asked about."""


class Unavailable(DomainError):
    """A part waihu needs (database, switch, disk) is down; the message says which and what to do."""
