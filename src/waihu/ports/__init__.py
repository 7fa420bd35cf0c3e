"""Protocols for what the inside needs from the outside. Each has one behavioural suite in `tests/`."""
