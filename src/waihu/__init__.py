"""waihu: a self-hosted platform for AI outbound calling."""

__version__ = "0.1.0"
