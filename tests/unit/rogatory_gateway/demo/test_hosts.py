"""Lists of malicious hosts as they are published, odd lines included."""

from __future__ import annotations

from pathlib import Path

import pytest

from rogatory.errors import ConfigurationError
from rogatory.records.v1 import indicator_pb2
from rogatory_gateway.demo import hosts
from rogatory_gateway.demo.hosts import Host

IPV4 = indicator_pb2.INDICATOR_TYPE_IPV4
IPV6 = indicator_pb2.INDICATOR_TYPE_IPV6
DOMAIN = indicator_pb2.INDICATOR_TYPE_DOMAIN
HOST_PORT = indicator_pb2.INDICATOR_TYPE_HOST_PORT
URL = indicator_pb2.INDICATOR_TYPE_URL
PATH = indicator_pb2.INDICATOR_TYPE_URL_PATH
NETWORK = indicator_pb2.INDICATOR_TYPE_NETWORK


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", None),
        ("   ", None),
        ("# Reference: https://blog.example/x", None),
        ("  # indented", None),
        ("bad.example", (DOMAIN, "bad.example")),
        ("  BAD.Example.  ", (DOMAIN, "bad.example")),
        ("bad.example # seen in June", (DOMAIN, "bad.example")),
        ("under_score.example", (DOMAIN, "under_score.example")),
        ("bücher.example", (DOMAIN, "xn--bcher-kva.example")),
        ("abcdefghij234567.onion", (DOMAIN, "abcdefghij234567.onion")),
        ("192.0.2.7", (IPV4, "192.0.2.7")),
        ("2001:DB8::1", (IPV6, "2001:db8::1")),
        ("[2001:db8:0:0::1]", (IPV6, "2001:db8::1")),
        ("[2001:db8::1]:8080", (HOST_PORT, "[2001:db8::1]:8080")),
        ("192.0.2.7:6677", (HOST_PORT, "192.0.2.7:6677")),
        ("Bad.Example:0443", (HOST_PORT, "bad.example:443")),
        ("http://192.0.2.7", (URL, "http://192.0.2.7")),
        ("HTTP://Bad.Example/", (URL, "http://bad.example")),
        ("https://bad.example:8443/Gate.php?ID=A", (URL, "https://bad.example:8443/Gate.php?ID=A")),
        ("http://user@bad.example/x", (URL, "http://bad.example/x")),
        ("http://bad.example/a#b", (URL, "http://bad.example/a#b")),
        ("bad.example/wp-admin/FW1.php", (URL, "bad.example/wp-admin/FW1.php")),
        ("bad.example/", (DOMAIN, "bad.example")),
        ("192.0.2.7/gate", (URL, "192.0.2.7/gate")),
        ("/Blob/8gu4bf.la5z", (PATH, "/Blob/8gu4bf.la5z")),
        ("/plugins/img3.php?id=", (PATH, "/plugins/img3.php?id=")),
        ("192.0.2.0/24", (NETWORK, "192.0.2.0/24")),
        ("2001:db8::/32", (NETWORK, "2001:db8::/32")),
    ],
)
def test_each_kind_of_line_is_read_as_what_it_is(
    line: str, expected: tuple[int, str] | None
) -> None:
    """Hosts are lower-cased and normalised, paths keep their case, comments say nothing."""
    assert expected == hosts.read_line(line)


@pytest.mark.parametrize(
    "line",
    [
        "two words.example",
        "bad.example:0",
        "bad.example:80800",
        "bad.example:٨٠",
        "bad.example:",
        "192.0.2.999",
        "192.0.2",
        "256",
        "localhost",
        "-bad.example",
        "bad..example",
        "bad.example.123",
        "[2001:db8::1",
        "[2001:db8::1]8080",
        "2001:db8::g",
        "javascript://bad.example/x",
        "192.0.2.0/33",
        "a" * 64 + ".example",
        "x" * 2049,
        "bad\u202e.example",
    ],
)
def test_a_line_that_is_nothing_of_this_is_refused_with_a_reason(line: str) -> None:
    """What cannot be read is reported, never guessed at."""
    with pytest.raises(ValueError, match=r".+"):
        hosts.read_line(line)


def test_lists_are_joined_without_repeats_and_told_apart(tmp_path: Path) -> None:
    """A value counts once, for the first list; what names no host is apart; faults have a place."""
    first, second = tmp_path / "redline.txt", tmp_path / "vidar.txt"
    first.write_text("\ufeff# head\r\nA.example\r\n/gate.php\r\nno good\r\n", encoding="utf-8")
    second.write_text("a.example\nhttp://192.0.2.7\n192.0.2.0/24\n", encoding="utf-8")

    reading = hosts.read_lists([first, second])

    assert [
        Host(DOMAIN, "a.example", "redline"),
        Host(URL, "http://192.0.2.7", "vidar"),
    ] == reading.hosts
    assert [PATH, NETWORK] == [other.type for other in reading.others]
    assert 1 == reading.repeated
    assert ["redline.txt:4: 'no good' holds a space or a control character"] == reading.unreadable


def test_a_list_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """The error names the file and why."""
    latin = tmp_path / "latin.txt"
    latin.write_bytes(b"b\xfccher.example\n")

    with pytest.raises(ConfigurationError, match=r"latin\.txt is not UTF-8 at byte 1"):
        hosts.read_lists([latin])
    with pytest.raises(ConfigurationError, match=r"none\.txt cannot be read"):
        hosts.read_lists([tmp_path / "none.txt"])


def test_the_same_hosts_are_chosen_each_time_in_their_order() -> None:
    """A choice depends on the values alone, and takes all where there are no more."""
    everything = hosts.made_up(500)

    chosen = hosts.choose(everything, 100)

    assert 100 == len(chosen)
    assert sorted(chosen, key=everything.index) == chosen
    assert set(chosen) == set(hosts.choose(everything[::-1], 100))
    assert everything == hosts.choose(everything, 500)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("bad.example", "bad.example"),
        ("bad.example:443", "bad.example"),
        ("192.0.2.7:6677", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]:8080", "2001:db8::1"),
        ("http://[2001:db8::1]:8080/x", "2001:db8::1"),
        ("https://bad.example:8443/Gate.php?ID=A", "bad.example"),
        ("http://bad.example?to=http://other.example/", "bad.example"),
        ("bad.example/wp-admin/FW1.php", "bad.example"),
        ("192.0.2.7/gate", "192.0.2.7"),
    ],
)
def test_a_host_is_what_stands_without_scheme_port_and_path(line: str, expected: str) -> None:
    """By it hosts are counted, however often they are listed."""
    found = hosts.read_line(line)
    assert found is not None

    assert expected == Host(*found, "family").name


def test_no_host_is_chosen_twice_while_another_is_left() -> None:
    """Ports and paths of a host make no further host; they come when there are no others."""
    listed = [
        Host(HOST_PORT, f"c{number // 4}.example:{8000 + number}", "x") for number in range(100)
    ]

    once, more = hosts.choose(listed, 25), hosts.choose(listed, 40)

    assert (25, 25) == (len(once), hosts.distinct(once))
    assert (40, 25) == (len(more), hosts.distinct(more))
    assert set(once) <= set(more)


def test_made_up_hosts_are_distinct_and_read_as_what_they_are() -> None:
    """Reserved names and addresses only, each of the type it says, and no host twice."""
    made = hosts.made_up(25_300)

    assert 25_300 == hosts.distinct(made)
    assert [] == [host for host in made if (host.type, host.value) != hosts.read_line(host.value)]
    assert ["domains", "hosts with a port", "URLs", "IPv6 addresses"] == list(hosts.tally(made))
