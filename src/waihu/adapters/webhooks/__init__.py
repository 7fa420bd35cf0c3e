"""Telling receivers over HTTP what has happened."""
