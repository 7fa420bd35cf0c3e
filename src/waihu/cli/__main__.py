"""`python -m waihu.cli` is the command `waihu`."""

from waihu.cli import main

main()
