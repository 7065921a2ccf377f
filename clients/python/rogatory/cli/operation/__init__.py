"""The commands about joint operations."""
