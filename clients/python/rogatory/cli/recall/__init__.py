"""The commands that take back and correct."""
