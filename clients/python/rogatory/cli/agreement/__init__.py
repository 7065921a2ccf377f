"""The commands about agreements."""
