"""Files in the wrong place, damaged, or of the wrong kind: each is named, with its remedy."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rogatory.cli.exits import ExitCode
from rogatory.enrolment import read_request
from rogatory.home import Home
from rogatory.policy import Policy
from tests.unit.rogatory.cli.conftest import Result, Run
from tests.unit.rogatory.cli.test_joining import answer_to
from tests.unit.rogatory.client.world import AGREEMENT_TEXT

ASK = ("agency", "request", "--name", "fr=Police", "--kind", "police")

Ready = Callable[[], tuple[Home, Path]]


@pytest.fixture
def ready(run: Run, tmp_path: Path) -> Ready:
    """Make an agency that has asked, and the answer it got."""

    def make() -> tuple[Home, Path]:
        home = Home(tmp_path / "fr")
        run("keygen", "fr.police", "--home", home.path)
        run(*ASK, "--home", home.path)
        answer = tmp_path / "answer.txt"
        answer.write_bytes(answer_to(read_request(home.request_file.read_bytes())))
        return home, answer

    return make


def says(result: Result, *words: str) -> bool:
    """Say whether a command ended as wrong usage, in one line with these words."""
    line = result.err.strip()
    return (
        result.code == ExitCode.USAGE
        and "\n" not in line
        and line.startswith("error: ")
        and "defect" not in line
        and all(word in line for word in words)
    )


@pytest.mark.parametrize("below", [False, True])
def test_keys_are_not_made_in_place_of_a_file(run: Run, tmp_path: Path, *, below: bool) -> None:
    """A file in the way is named."""
    file = tmp_path / "file"
    file.write_text("mine")

    result = run("keygen", "fr.police", "--home", file / "home" if below else file)

    assert says(result, str(file), "cannot be made"), result.err
    assert "mine" == file.read_text()


def test_keys_are_not_made_where_no_folder_can_be(run: Run) -> None:
    """A system's own file system says no."""
    result = run("keygen", "fr.police", "--home", "/proc/x")

    assert says(result, "/proc/x", "cannot be made"), result.err


def test_policy_is_not_written_in_place_of_a_file(
    run: Run, enrolled: Callable[[str], Home], tmp_path: Path
) -> None:
    """The folder of --out is a file: named, and left alone."""
    file = tmp_path / "file"
    file.write_text("mine")

    result = run("receipt", "policy", "--out", file, "--home", enrolled("fr.police").path)

    assert says(result, str(file), "cannot be made"), result.err


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\n!\n"])
def test_damaged_tls_key_is_named(run: Run, tmp_path: Path, content: bytes) -> None:
    """It is found when the request is made."""
    home = Home(tmp_path / "fr")
    run("keygen", "fr.police", "--home", home.path)
    home.key("tls").write_bytes(content)

    result = run(*ASK, "--home", home.path)

    assert says(result, str(home.key("tls")), "damaged", "keygen"), result.err


def test_missing_policy_is_made_anew_by_the_answer(run: Run, ready: Ready) -> None:
    """As the hints of other commands say."""
    home, answer = ready()
    run("agency", "accept", answer, "--home", home.path)
    before = Policy.load(home.policy_file)
    home.policy_file.unlink()
    home.key("root").rename(home.path / "root.elsewhere")

    missing = run("inbox", "--home", home.path)
    result = run("agency", "accept", answer, "--home", home.path)

    after = Policy.load(home.policy_file)
    assert says(missing, "policy.toml", "rogatory agency accept"), missing.err
    assert 0 == result.code, result.err
    assert "is made anew" in result.err
    assert (before.roots, before.log_keys) == (after.roots, after.log_keys)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[roots", "is not TOML"),
        ("roots = 1", "roots is not a table"),
        ('[roots]\n"fr.police" = 1', '"fr.police" is not a key'),
        ('[roots]\n"fr.police" = "x"', '"fr.police" is not a key'),
        ("log = 1", "log is not a table"),
        ("[log]\nkeys = 1", "keys is not a list of texts"),
    ],
)
def test_damaged_policy_is_named_before_anything_is_installed(
    run: Run, ready: Ready, text: str, words: str
) -> None:
    """What the owner wrote is the owner's to mend."""
    home, answer = ready()
    home.policy_file.write_text(text)

    result = run("agency", "accept", answer, "--home", home.path)

    assert ExitCode.USAGE == result.code
    assert (True, True) == (words in result.err, "defect" not in result.err), result.err
    assert not home.client_certificate.exists()
    assert text == home.policy_file.read_text()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("roots = 1", "roots is not a table"),
        ("[roots]\nx = 1", "is not a key"),
        ("[roots]\nx = [1]", "is not a key"),
        (None, "rogatory keygen"),
    ],
)
def test_agreement_is_not_signed_on_a_damaged_policy(
    run: Run, tmp_path: Path, text: str | None, words: str
) -> None:
    """The roots that it pins would be wrong ones."""
    home = Home(tmp_path / "fr")
    run("keygen", "fr.police", "--home", home.path)
    agreement = tmp_path / "x.yaml"
    agreement.write_text(AGREEMENT_TEXT)
    home.policy_file.unlink()
    if text is not None:
        home.policy_file.write_text(text)

    result = run("agreement", "sign", agreement, "--home", home.path)

    assert says(result, "policy.toml", words), result.err


def test_keygen_makes_a_missing_policy_anew(run: Run, tmp_path: Path) -> None:
    """Before enrolment it pins the agency's own root, as it did."""
    home = Home(tmp_path / "fr")
    run("keygen", "fr.police", "--home", home.path)
    before = home.policy_file.read_bytes()
    home.policy_file.unlink()

    run("keygen", "fr.police", "--home", home.path)

    assert before == home.policy_file.read_bytes()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--name", "!!=x"), "'!!' is not a language tag"),
        (("--language", "!!!"), "'!!!' is not a language tag"),
        (("--time-zone", "No Zone!"), "'No Zone!' is not a time zone"),
        (("--holiday", "25.12.2026"), "'25.12.2026' is not a day of the calendar"),
    ],
)
def test_words_that_are_none_are_not_signed(
    run: Run, tmp_path: Path, options: tuple[str, str], words: str
) -> None:
    """Languages, time zones and days are checked before a root signs them."""
    home = Home(tmp_path / "fr")
    run("keygen", "fr.police", "--home", home.path)

    result = run(*ASK, *options, "--home", home.path)

    assert says(result, words), result.err
    assert not home.request_file.exists()


def test_list_is_not_taken_for_an_agreement(run: Run, tmp_path: Path) -> None:
    """One fault, of the whole text; not one for each name that is missing."""
    text = tmp_path / "x.yaml"
    text.write_text("- 1\n")

    result = run("agreement", "check", text, "--json")

    (issue,) = json.loads(result.out)["error"]["issues"]
    assert (1, 1) == (issue["line"], issue["column"])
    assert "a list" in issue["message"]
