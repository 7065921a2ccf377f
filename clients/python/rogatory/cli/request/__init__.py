"""The commands about requests for assistance."""
