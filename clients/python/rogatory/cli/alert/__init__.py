"""The commands about alerts and their hits."""
