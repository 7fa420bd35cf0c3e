"""Worlds in which the dialing core lives: virtual time, people and carriers as distributions, faults on purpose."""
