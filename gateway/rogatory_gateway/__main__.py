"""`python -m rogatory_gateway`: the command `rogatory-gateway`."""

from __future__ import annotations

from rogatory_gateway.cli import main

if __name__ == "__main__":
    main()
