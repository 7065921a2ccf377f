"""What the operator does: set up, admit agencies, enter agreements, look, and check it all."""
