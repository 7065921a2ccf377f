"""Tests: folders of unit tests mirror the code; the others are named for what they show."""
