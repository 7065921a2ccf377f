"""The hub: who is woken by what."""

from __future__ import annotations

from rogatory_gateway.delivery.hub import Hub


async def test_only_the_inbox_that_grew() -> None:
    """A listener hears of its own inbox, live and training apart."""
    hub = Hub()
    with (
        hub.listen("de.bka", exercise=False) as live,
        hub.listen("de.bka", exercise=True) as drill,
        hub.listen("fr.pj", exercise=False) as other,
    ):
        hub.wake([("de.bka", False), ("nobody", False)])

        assert (True, False, False) == (live.is_set(), drill.is_set(), other.is_set())
        hub.wake_all()
        assert (True, True, True) == (live.is_set(), drill.is_set(), other.is_set())


async def test_listeners_come_and_go() -> None:
    """Each subscription has an event of its own; none is kept behind it."""
    hub = Hub()
    with hub.listen("de.bka", exercise=False) as one:
        with hub.listen("de.bka", exercise=False) as two:
            assert 2 == hub.listeners
            hub.wake([("de.bka", False)])
        assert one.is_set()
        assert two.is_set()
        assert 1 == hub.listeners

    assert 0 == hub.listeners
    hub.wake([("de.bka", False)])
