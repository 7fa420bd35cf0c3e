"""Hashing of passwords (`ports/users.py`)."""
