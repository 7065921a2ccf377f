"""The gateway: everything that keeps state or talks to the world."""
