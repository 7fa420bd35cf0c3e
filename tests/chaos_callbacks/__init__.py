"""Callbacks under fire: receivers fail, hang and die, senders are killed; then every single callback is judged."""
