"""Values and entities that every layer speaks of; no I/O, no clock, no framework."""
