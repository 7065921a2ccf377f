"""Settings: file, environment, and errors that name the key and the fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from rogatory.errors import ConfigurationError
from rogatory_gateway import config
from rogatory_gateway.config import Settings, join_address, load

MINIMAL = '[gateway]\norigin = "gateway.example/exchange"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the smallest file that works."""
    (tmp_path / "gateway.toml").write_text(MINIMAL)
    return tmp_path


def fault(folder: Path, text: str = "") -> str:
    """Return what is said of the minimal file with more in it."""
    (folder / "gateway.toml").write_text(MINIMAL + text)
    with pytest.raises(ConfigurationError) as caught:
        load(folder)
    return str(caught.value)


def test_only_the_origin_has_no_default(folder: Path) -> None:
    """Everything but the origin may be left out; every default is a constant of the module."""
    settings = load(folder)

    assert "gateway.example/exchange" == settings.gateway.origin
    assert (config.DEFAULT_HOST, config.DEFAULT_PORT) == (
        settings.listen.host,
        settings.listen.port,
    )
    assert config.DEFAULT_LINGER_MS_MAX == settings.commit.linger_ms_max
    assert config.DEFAULT_IN_FLIGHT == settings.limits.in_flight
    assert settings.telemetry.reflection is False
    assert settings.telemetry.metrics_port is None


def test_relative_paths_are_the_folders(folder: Path) -> None:
    """A gateway can be started from anywhere and moved as a whole."""
    settings = load(folder)

    assert folder / "data" == settings.gateway.data
    assert folder / "tls/gateway.pem" == settings.tls.certificate
    assert folder / "log-key.pem" == settings.log.key


def test_absolute_paths_stay(folder: Path, tmp_path: Path) -> None:
    """The operator's own files stay where they are."""
    (folder / "gateway.toml").write_text(MINIMAL + '[tls]\nclient_ca = "/etc/ssl/ca.pem"\n')

    assert Path("/etc/ssl/ca.pem") == load(folder).tls.client_ca


def test_environment_outranks_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each key has a variable; what it does not name stays as the file has it."""
    (folder / "gateway.toml").write_text(MINIMAL + '[listen]\nhost = "::1"\nport = 1\n')
    monkeypatch.setenv("ROGATORY_GATEWAY_LISTEN__PORT", "8443")
    monkeypatch.setenv("ROGATORY_GATEWAY_TELEMETRY__REFLECTION", "true")

    settings = load(folder)

    assert ("::1", 8443) == (settings.listen.host, settings.listen.port)
    assert settings.telemetry.reflection is True


def test_address_is_the_one_partners_are_told(folder: Path) -> None:
    """A gateway behind a name tells that name, one without tells where it listens."""
    listening = load(folder).address
    (folder / "gateway.toml").write_text(MINIMAL + 'address = "gateway.example:443"\n')

    assert ("127.0.0.1:7443", "gateway.example:443") == (listening, load(folder).address)


@pytest.mark.parametrize(
    ("host", "expected"), [("gateway.example", "gateway.example:1"), ("::1", "[::1]:1")]
)
def test_ipv6_addresses_stand_in_brackets(host: str, expected: str) -> None:
    """As gRPC reads them."""
    assert expected == join_address(host, 1)


def test_settings_do_not_change(folder: Path) -> None:
    """What the gateway started with is what it works with."""
    with pytest.raises(ValueError, match="frozen"):
        load(folder).listen.port = 1  # type: ignore[misc]  # that is the point


def test_no_file_says_how_to_make_one(tmp_path: Path) -> None:
    """Whoever is in the wrong folder learns it."""
    with pytest.raises(ConfigurationError, match="rogatory-gateway init"):
        load(tmp_path / "nowhere")


def test_unknown_key_names_the_nearest(folder: Path) -> None:
    """A misspelt key is an error that knows what was meant."""
    text = fault(folder, "[limits]\nin_fligth = 3\n")

    assert f"[limits] in_fligth in {folder}/gateway.toml is not a setting" in text
    assert "did you mean in_flight?" in text


def test_unknown_section_names_the_nearest(folder: Path) -> None:
    """Likewise a section."""
    assert "[lisen]" in (text := fault(folder, "[lisen]\nport = 3\n"))
    assert "did you mean listen?" in text


def test_unknown_key_far_from_all_lists_them(folder: Path) -> None:
    """Where nothing is near, what there is helps more."""
    assert "known here: host, port" in fault(folder, "[listen]\nqqq = 3\n")


def test_bad_value_names_key_file_value_and_rule(folder: Path) -> None:
    """All that is needed to mend it stands in one line."""
    text = fault(folder, "[listen]\nport = 99999\n")

    assert f"[listen] port in {folder}/gateway.toml is 99999" in text
    assert "65535" in text


def test_all_faults_come_at_once(folder: Path) -> None:
    """One start, not one start a fault."""
    text = fault(folder, '[listen]\nport = "x"\n[commit]\nlinger_ms_max = -1\n')

    assert "[listen] port" in text
    assert "[commit] linger_ms_max" in text


def test_bad_variable_is_named_and_not_the_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who set a variable looks for it there, not in the file."""
    monkeypatch.setenv("ROGATORY_GATEWAY_LISTEN__PORT", "many")

    text = fault(folder)

    assert "ROGATORY_GATEWAY_LISTEN__PORT is 'many'" in text
    assert "gateway.toml" not in text


@pytest.mark.parametrize(
    ("variable", "hint"),
    [
        ("ROGATORY_GATEWAY_LISTEN__PROT", "did you mean port?"),
        ("ROGATORY_GATEWAY_LISEN__PORT", "section LISTEN"),
        ("ROGATORY_GATEWAY_LISTEN", "SECTION__KEY"),
    ],
)
def test_variable_that_names_nothing_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str, hint: str
) -> None:
    """A misspelt variable is as wrong as a misspelt key."""
    monkeypatch.setenv(variable, "1")

    text = fault(folder)

    assert variable in text
    assert hint in text


def test_folder_variable_is_no_setting(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """ROGATORY_GATEWAY_DIR says where the file is and nothing in it."""
    monkeypatch.setenv(config.FOLDER_VARIABLE, str(folder))

    assert isinstance(load(folder), Settings)


def test_missing_origin_is_named(tmp_path: Path) -> None:
    """An origin can't be guessed: it is signed by everyone."""
    (tmp_path / "gateway.toml").write_text("[gateway]\n")

    with pytest.raises(ConfigurationError, match=r"\[gateway\] origin .* is missing"):
        load(tmp_path)


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "x" * 129])
def test_origin_must_be_a_key_name(tmp_path: Path, origin: str) -> None:
    """The origin names the log's key (C2SP signed-note), and is a header's audience."""
    (tmp_path / "gateway.toml").write_text(f'[gateway]\norigin = "{origin}"\n')

    with pytest.raises(ConfigurationError, match="an origin has 1 to 128 characters"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("data", "what"), [(b"port = = 3", "is not TOML"), (b'x = "\xff"', "is not UTF-8")]
)
def test_files_that_are_no_toml_say_where(tmp_path: Path, data: bytes, what: str) -> None:
    """Line and column, or the byte."""
    (tmp_path / "gateway.toml").write_bytes(data)

    with pytest.raises(ConfigurationError, match=what):
        load(tmp_path)


def test_a_folder_in_place_of_the_file_is_named(tmp_path: Path) -> None:
    """Whatever the system says, it is no traceback."""
    (tmp_path / "gateway.toml").mkdir()

    with pytest.raises(ConfigurationError, match="can't be read"):
        load(tmp_path)
