"""How articles are cited: an article covers the paragraphs and points under it."""

from __future__ import annotations


def article_covers(cited: str, article: str) -> bool:
    """Say whether ``article`` is the cited one or a paragraph or point under it.

    ``Art. 4`` covers ``Art. 4(2)``, ``Art. 4(2)(a)`` and ``Art. 4.2``; neither ``Art. 41`` nor
    ``Art. 4 bis``, which are articles of their own.
    """
    return cited in article_and_above(article)


def article_and_above(article: str) -> tuple[str, ...]:
    """Return an article and every article it lies under, as each would be cited."""
    above = [article]
    for position, character in enumerate(article):
        opens = character == "(" or (
            character == "." and position > 0 and article[position - 1] in "0123456789)"
        )
        if opens and article[:position].strip():
            above.append(article[:position].rstrip())
    return tuple(above)
