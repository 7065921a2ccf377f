"""The officers' queue: drafts until all have signed."""
