"""The command `waihu`: one module per noun; `frame.py` is what all commands have in common."""

# Each module adds its commands when it is imported, in the order in which --help lists them.
from waihu.cli import machine, accounts, tokens, trunks, contacts, do_not_call, callbacks, processes  # isort: skip
from waihu.cli.frame import main

__all__ = ["accounts", "callbacks", "contacts", "do_not_call", "machine", "main", "processes", "tokens", "trunks"]
