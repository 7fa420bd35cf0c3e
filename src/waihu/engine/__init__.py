"""The asyncio shell around the dialing core: commits its records, runs its commands, feeds back what happens."""
