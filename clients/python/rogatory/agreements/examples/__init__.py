"""Complete example agreements, to be read, tried and adapted. None of them is in force anywhere.

Their parties have no root keys: pass them to `rogatory.agreements.render`.
"""

from __future__ import annotations

from importlib import resources


def example_names() -> list[str]:
    """Return the ids of the examples."""
    folder = resources.files(__name__)
    return sorted(
        entry.name.removesuffix(".yaml")
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    )


def example_text(name: str) -> str:
    """Return the text of one example.

    Raises:
        KeyError: There is no example of that name.
    """
    if name not in example_names():
        raise KeyError(name)
    return resources.files(__name__).joinpath(f"{name}.yaml").read_text("utf-8")
