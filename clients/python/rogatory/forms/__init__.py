"""Forms: templates that people fill in, and pages that magistrates sign.

.. code-block:: text

    catalogue.py      labels, explanations and words in a language, from message catalogues
    outlines.py       what outlines are made of: which fields a form has, which are needed
    outline_requests  ... of a request of each kind of assistance
    outline_answers   ... of each step of an answer
    writing.py        outlines as YAML, every field explained
    templates.py      what is filled in of a request or an answer
    content.py        what a message says, as rows of labels and values in a language
    document.py       a form, what travelled with it, and the message that it came in
    sections.py       which fields stand in which section of a page
    pages.py          a request or answer as a page of HTML
    catalogues/       en.po zh.po: a language is a file
    layout/           the page's layout and style
"""

from __future__ import annotations

from rogatory.forms.catalogue import (
    Catalogue,
    empty_catalogue,
    languages,
    load_catalogue,
    read_catalogue,
)
from rogatory.forms.document import Document, Form, Provenance, names_of
from rogatory.forms.pages import render_page
from rogatory.forms.templates import Asked, Known, answer_template, request_template

__all__ = [
    "Asked",
    "Catalogue",
    "Document",
    "Form",
    "Known",
    "Provenance",
    "answer_template",
    "empty_catalogue",
    "languages",
    "load_catalogue",
    "names_of",
    "read_catalogue",
    "render_page",
    "request_template",
]
