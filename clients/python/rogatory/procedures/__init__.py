"""Procedures as pure state machines: requests, hand-overs, operations, alerts, further use."""
