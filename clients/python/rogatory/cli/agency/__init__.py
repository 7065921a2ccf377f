"""The commands by which an agency joins, and keeps its keys."""
