"""Procedures in the ledger: how they stood when a message came in, and what it makes of them.

The rules are the library's (`rogatory.procedures`); here is what they are applied to.
"""
