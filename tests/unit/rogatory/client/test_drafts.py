"""Drafts: what a header says, and what no header may say."""

from __future__ import annotations

import pytest

from rogatory import clock
from rogatory.client import Draft, handling, recipient
from rogatory.errors import EnvelopeError
from rogatory.exchange.v1 import codes_pb2
from tests.unit.rogatory.client.world import NOW, ORIGIN, message_id


def test_retention_that_ends_before_it_begins_is_refused() -> None:
    """No draft asks recipients to erase a record before it is made."""
    draft = Draft(
        kind=codes_pb2.KIND_TRANSFER,
        purpose=codes_pb2.PURPOSE_INVESTIGATION,
        recipients=[recipient("de.police", "x", "Art. 2")],
        handling=handling(retention_end_time=clock.to_timestamp(NOW)),
    )

    with pytest.raises(EnvelopeError, match="retention_end_time") as caught:
        draft.header(sender="fr.police", audience=ORIGIN, message_id=message_id(1), now=NOW)

    assert "FIELD_VIOLATIONS" == caught.value.reason
