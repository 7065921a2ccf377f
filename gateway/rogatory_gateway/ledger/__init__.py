"""The ledger: the transaction in which a message is decided and entered in the log, and its state."""
