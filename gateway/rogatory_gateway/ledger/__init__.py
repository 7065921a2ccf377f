"""The ledger: the transaction in which a message is decided and entered, and its state."""
