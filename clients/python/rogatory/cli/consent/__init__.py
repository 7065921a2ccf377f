"""The commands about further use: consent, and passing on."""
