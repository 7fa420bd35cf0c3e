"""What time it is, as an argument: the shells and use cases are given a clock, the pure cores an instant."""

from collections.abc import Callable

from waihu.domain.ids import Instant

Clock = Callable[[], Instant]
