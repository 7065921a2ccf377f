"""Admission: identify, open, authorise and validate what arrives, then hand it to the ledger."""
