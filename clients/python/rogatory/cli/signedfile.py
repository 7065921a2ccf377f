"""Files of agreements, as they go from party to party."""

from __future__ import annotations

from pathlib import Path

from rogatory.agreements.document import from_armour
from rogatory.errors import AgreementError
from rogatory.exchange.v1 import agreement_pb2


def signed_file(path: Path) -> agreement_pb2.SignedAgreement | None:
    """Read a file of a signed agreement; None where it is a text form.

    Raises:
        AgreementError: It cannot be read, or was altered.
    """
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise AgreementError(
            f"{path} cannot be read: {error.strerror}", hint="Name a file that you may read."
        ) from error
    except UnicodeDecodeError as error:
        raise AgreementError(f"{path} is not text", hint="Save it as UTF-8.") from error
    return from_armour(text) if text.lstrip().startswith("-----BEGIN ") else None
