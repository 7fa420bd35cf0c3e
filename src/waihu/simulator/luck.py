"""Luck as an argument: every draw is named by what it decides, so a changed decision never reshuffles the others."""

_MASK = (1 << 64) - 1
_TO_UNIT = 2.0**-53


def draw(seed: int, subject: int, turn: int, purpose: int) -> float:
    """A number in [0, 1), always the same for the same four names.

    `subject` is a contact or whatever else the draw is about, `turn` tells its attempts apart, and `purpose`
    the questions asked about one attempt. The mixer is SplitMix64 (Steele, Lea and Flood, 2014).
    """
    mixed = (
        seed * 0xD1342543DE82EF95
        + subject * 0x9E3779B97F4A7C15
        + turn * 0xC2B2AE3D27D4EB4F
        + purpose * 0x165667B19E3779F9
    ) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((mixed ^ (mixed >> 31)) >> 11) * _TO_UNIT
