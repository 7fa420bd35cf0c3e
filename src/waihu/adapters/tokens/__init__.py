"""Signing (`ports/tokens.py`)."""
