"""Delivery: inboxes as their owners read them, in order, at least once."""
