"""Settings: one file, the environment over it, and a helpful word for every mistake."""

from pathlib import Path

import pytest

from domain.errors import ConfigurationError
from emberwatch.settings import Settings, describe, load, walk


def write(folder: Path, text: str) -> Path:
    file = folder / "emberwatch.toml"
    file.write_text(text, "utf-8")
    return file


def test_without_file_or_environment_the_defaults_hold(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing needs to be set."""
    monkeypatch.chdir(tmp_path)
    assert load(environ={}) == Settings()


def test_the_environment_is_stronger_than_the_file(tmp_path: Path) -> None:
    """A container overrides what an image brought."""
    file = write(tmp_path, 'broker = "mqtt://a"\n[api]\nport = 9000\n')
    settings = load(file, {"EMBERWATCH_API_PORT": "9001"})
    assert (settings.broker, settings.api.port) == ("mqtt://a", 9001)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("brokr = 'x'", "did you mean 'broker'"),
        ("[api]\nprot = 1", "did you mean 'api.port'"),
        ("[api]\nport = 70000", "port"),
        ("[retention]\njournal_days = 0", "journal_days"),
        ("broker = ", "cannot read"),
        ("[rules]\nG105 = 1", "rules"),
        ("[rules.G101]\nlevel2 = 'x'", "rules.G101.level2 must be a number, not 'x'"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, word: str) -> None:
    """The message says which setting, and what would be right."""
    with pytest.raises(ConfigurationError, match=word):
        load(write(tmp_path, text), {})


def test_an_unknown_variable_is_refused_with_the_nearest_name() -> None:
    """A typo in the environment must not be silently ignored."""
    with pytest.raises(ConfigurationError, match="EMBERWATCH_MQTT_PASSWORD"):
        load(environ={"EMBERWATCH_MQTT_PASWORD": "x"})


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    """A wrong --config is an error, not the defaults."""
    with pytest.raises(ConfigurationError, match="no settings file"):
        load(tmp_path / "none.toml", {})


def test_every_setting_can_be_set_by_environment_or_says_not() -> None:
    """The reference page and the reader of the environment know the same names."""
    page = describe()
    for path, _default in walk():
        assert f"| `{path}` |" in page


def test_variables_of_the_command_line_are_no_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A password given to `user add` by environment does not make the settings illegal."""
    monkeypatch.chdir(tmp_path)
    assert load(environ={"EMBERWATCH_PASSWORD": "made up"}) == Settings()
