"""Settings: where they come from, which one wins, and that whatever is wrong is refused in one clear sentence."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from sync.adapters.secret import Secret
from sync.config import RailSetting, Settings, load_settings
from sync.errors import ConfigError
from sync.windows import Limit, Scope

CONFIGS = Path(__file__).parents[2] / "configs"
LOOPBACK = 'base_url = "http://127.0.0.1:8765/api"\n'


class Place:
    """A working folder with `configs/` in it, and a user's configuration folder."""

    def __init__(self, root: Path) -> None:
        """Make both folders, empty."""
        self.cwd = root / "cwd"
        self.user = root / "user"
        (self.cwd / "configs").mkdir(parents=True)
        self.user.mkdir()

    def write(self, text: str, name: str = "here") -> None:
        """Put a profile into the working folder's `configs/`."""
        (self.cwd / "configs" / f"{name}.toml").write_text(text, encoding="utf-8")

    def load(
        self,
        text: str | None = None,
        *,
        profile: str | None = None,
        config_path: Path | None = None,
        options: Mapping[str, object] | None = None,
        environ: Mapping[str, str] | None = None,
        needs_network: bool = True,
    ) -> Settings:
        """Load the settings; `text` is written as the profile `here` first."""
        if text is not None:
            self.write(text)
            profile = "here"
        return load_settings(
            profile=profile,
            config_path=config_path,
            options=options or {},
            environ=environ or {},
            cwd=self.cwd,
            user_config_dir=self.user,
            needs_network=needs_network,
        )

    def refusal(self, text: str | None = None, **given: object) -> str:
        """What `load` says when it refuses."""
        with pytest.raises(ConfigError) as caught:
            self.load(text, **given)  # type: ignore[arg-type]  # a table of tests hands over what each case names
        return str(caught.value)

    def secret(self, text: str, *, mode: int = 0o600, name: str = "secret") -> Path:
        """Write a secret's file."""
        path = self.cwd / name
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_defaults_are_the_documented_ones(place: Place) -> None:
    """A profile with a base URL alone has the published limits and the contract's defaults."""
    settings = place.load(LOOPBACK)

    assert settings.limits == (
        Limit(Scope.WRITE, 60, 60),
        Limit(Scope.WRITE, 5_000, 86_400),
        Limit(Scope.ALL, 1, 0.1),
        Limit(Scope.ALL, 120, 60),
        Limit(Scope.ALL, 5_000, 3_600),
        Limit(Scope.ALL, 200_000, 86_400),
    )
    assert (settings.profile, settings.base_url, settings.account) == ("here", "http://127.0.0.1:8765/api", "")
    assert (settings.on_invalid, settings.on_conflict, settings.on_drift) == ("skip", "refuse", "restore")
    assert (settings.timeout_s, settings.attempts, settings.in_flight) == (30, 3, 8)
    assert (settings.quota_share, settings.stop_after, settings.settle_after_s) == (1, 20, 120)
    assert (settings.fresh_for_s, settings.wait_max_s, settings.verify) == (60, 900, True)
    assert settings.throttle_statuses == {409, 429}
    assert settings.body_omit == frozenset()
    assert (settings.aliases, settings.rails) == ({}, {})
    assert (settings.ca_file, settings.log_file, settings.log_level) == (None, None, "info")
    assert (settings.token, settings.username, settings.password, settings.client_id) == (None, None, None, None)
    assert settings.state_dir.is_absolute()
    assert settings.state_dir.name == "here"


def test_every_key_of_a_profile_arrives(place: Place) -> None:
    """What the file says is what the settings hold, in their own types."""
    settings = place.load("""
        base_url = "https://spaces.nexudus.com/api/"
        account = "my-space"
        on_invalid = "stop"
        on_conflict = "sheet"
        on_drift = "keep"
        timeout_s = 5
        attempts = 2
        quota_share = 0.5
        stop_after = 7
        settle_after_s = 1.5
        fresh_for_s = 20
        wait_max_s = 10
        in_flight = 4
        verify = false
        throttle_statuses = [429, 503]
        body_omit = ["IsNew", "SomethingNew"]
        log_file = "logs/run.jsonl"
        log_level = "debug"
        username = "robot@example.com"
        client_id = "5b7e8a4e-0c5b-4f39-9c5a-000000000000"
        [[limits]]
        scope = "all"
        count = 3
        seconds = 0.5
        [aliases]
        "Reihenfolge" = "display order"
        [rails.drift_restored]
        max = 5
        [rails.rows_changed]
        share = 0.25
    """)

    assert settings.base_url == "https://spaces.nexudus.com/api"
    assert settings.account == "my-space"
    assert (settings.on_invalid, settings.on_conflict, settings.on_drift) == ("stop", "sheet", "keep")
    assert (settings.timeout_s, settings.attempts, settings.in_flight) == (5, 2, 4)
    assert (settings.quota_share, settings.stop_after, settings.settle_after_s) == (0.5, 7, 1.5)
    assert (settings.fresh_for_s, settings.wait_max_s, settings.verify) == (20, 10, False)
    assert settings.throttle_statuses == {429, 503}
    assert settings.body_omit == {"IsNew", "SomethingNew"}
    assert settings.log_file == place.cwd / "logs/run.jsonl"
    assert settings.log_level == "debug"
    assert settings.username == "robot@example.com"
    assert settings.client_id == "5b7e8a4e-0c5b-4f39-9c5a-000000000000"
    assert settings.limits == (Limit(Scope.ALL, 3, 0.5),)
    assert settings.aliases == {"Reihenfolge": "display order"}
    assert settings.rails == {
        "drift_restored": RailSetting(max=5, share=None),
        "rows_changed": RailSetting(max=None, share=0.25),
    }
    assert not settings.is_loopback


def test_an_empty_list_of_limits_means_none(place: Place) -> None:
    """`limits = []` switches the defaults off."""
    assert place.load(LOOPBACK + "limits = []").limits == ()


def test_a_later_source_wins(place: Place) -> None:
    """The file, then the environment, then the options; an option that is None was not given."""
    text = 'base_url = "http://127.0.0.1:1"\nusername = "file"\nclient_id = "file"\nattempts = 1\nin_flight = 2'
    environ = {
        "COURSESYNC_BASE_URL": "http://127.0.0.1:2",
        "COURSESYNC_USERNAME": "environment",
        "COURSESYNC_STATE_DIR": "/state/environment",
        "COURSESYNC_CLIENT_ID": "",
    }

    settings = place.load(
        text,
        environ=environ,
        options={"base_url": "http://127.0.0.1:3", "state_dir": Path("mine"), "attempts": 5, "in_flight": None},
    )

    assert settings.base_url == "http://127.0.0.1:3"
    assert settings.username == "environment"
    assert settings.client_id == "file"
    assert (settings.attempts, settings.in_flight) == (5, 2)
    assert settings.state_dir == place.cwd / "mine"


def test_the_environment_names_the_profile_and_the_state_directory(place: Place) -> None:
    """COURSESYNC_PROFILE stands in for --profile, COURSESYNC_STATE_DIR for --state-dir."""
    place.write(LOOPBACK, "nightly")

    settings = place.load(environ={"COURSESYNC_PROFILE": "nightly", "COURSESYNC_STATE_DIR": "/somewhere"})

    assert settings.profile == "nightly"
    assert settings.state_dir == Path("/somewhere")


def test_a_profile_in_the_working_folder_comes_before_the_users(place: Place) -> None:
    """`./configs` first, then the user's configuration folder."""
    (place.user / "both.toml").write_text('base_url = "http://127.0.0.1:1"', encoding="utf-8")
    (place.user / "user.toml").write_text('base_url = "http://127.0.0.1:2"', encoding="utf-8")
    place.write('base_url = "http://127.0.0.1:3"', "both")

    assert place.load(profile="both").base_url == "http://127.0.0.1:3"
    assert place.load(profile="user").base_url == "http://127.0.0.1:2"


def test_a_config_path_names_file_and_profile(place: Place) -> None:
    """--config reads that file; its stem is the profile's name. A byte order mark is no part of it."""
    path = place.cwd / "other.toml"
    path.write_text(LOOPBACK, encoding="utf-8-sig")

    settings = place.load(config_path=Path("other.toml"), environ={"COURSESYNC_PROFILE": "elsewhere"})

    assert (settings.profile, settings.base_url) == ("other", "http://127.0.0.1:8765/api")


def test_a_base_url_alone_is_enough_on_loopback(place: Place) -> None:
    """Without a profile, a base URL from the environment will do."""
    settings = place.load(environ={"COURSESYNC_BASE_URL": "http://localhost:8765/api/"})

    assert (settings.profile, settings.base_url) == ("default", "http://localhost:8765/api")
    assert settings.is_loopback


def test_without_the_network_nothing_has_to_be_named(place: Place) -> None:
    """`check` runs without a profile, and reads no secret."""
    settings = place.load(needs_network=False, environ={"COURSESYNC_TOKEN_FILE": "/nowhere"})

    assert (settings.base_url, settings.account, settings.token) == ("", "", None)


@pytest.mark.parametrize("name", [None, "prod"], ids=["no-profile", "unknown-profile"])
def test_a_missing_profile_lists_those_that_are_there(place: Place, name: str | None) -> None:
    """A command that needs the network and has no profile says which there are, and where."""
    place.write(LOOPBACK, "production")
    (place.user / "mine.toml").write_text(LOOPBACK, encoding="utf-8")

    refusal = place.refusal(profile=name)

    assert f"production ({place.cwd / 'configs' / 'production.toml'})" in refusal
    assert f"mine ({place.user / 'mine.toml'})" in refusal


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("timout_s = 3", 'Unknown key "timout_s" in .*here.toml. Did you mean "timeout_s"', id="key"),
        pytest.param("proxy = 3", 'Unknown key "proxy"', id="no-near-key"),
        pytest.param("[rails.drift]\nmax = 1", '"drift" in .* no rail.*Did you mean "drift_restored"', id="rail-name"),
        pytest.param("[rails.drift]\nmaximum = 1", '"rails.drift.maximum".*Did you mean "max"', id="rail-key"),
        pytest.param('limits = [{scope="all",count=1,second=1}]', r'"limits\[1\].second".*"seconds"', id="limit-key"),
        pytest.param('attempts = "three"', '"attempts" in .* must be a valid integer; it is "three"', id="text"),
        pytest.param("attempts = true", '"attempts" in .* must be a valid integer; it is true', id="bool"),
        pytest.param("verify = 1", '"verify" in .* must be a valid boolean; it is 1', id="number-for-bool"),
        pytest.param("timeout_s = inf", '"timeout_s" in .* must be a finite number', id="infinite"),
        pytest.param("attempts = 0", "must be greater than or equal to 1; it is 0", id="too-small"),
        pytest.param("in_flight = 9", "must be less than or equal to 8; it is 9", id="in-flight"),
        pytest.param("fresh_for_s = 61", "must be less than or equal to 60; it is 61", id="fresh"),
        pytest.param("quota_share = 0", "must be greater than 0; it is 0", id="share-of-nothing"),
        pytest.param("quota_share = 1.1", "must be less than or equal to 1; it is 1.1", id="share-over-all"),
        pytest.param('on_invalid = "ask"', "must be 'skip' or 'stop'; it is \"ask\"", id="choice"),
        pytest.param('limits = [{scope="all",seconds=1}]', r'"limits\[1\].count" in .* is missing', id="missing"),
        pytest.param("limits = 3", "must be a valid list; it is 3", id="list"),
        pytest.param("rails = 3", "must be a valid table; it is 3", id="table"),
        pytest.param("throttle_statuses = []", '"throttle_statuses" in .*: list must have at least 1', id="none"),
        pytest.param("throttle_statuses = [400, 429]", "names 400, which never means a throttle", id="throttle"),
        pytest.param('body_omit = ["Title"]', "names Title, and the API rejects", id="required-omitted"),
        pytest.param("[rails.drift]", "sets none of max, share and share_from", id="empty-rail"),
        pytest.param('[aliases]\nName = "Titel"', '"Titel", which is no field.*Did you mean "Title"', id="alias"),
        pytest.param('[aliases]\ntitle_ = "CourseId"', "means Title already", id="alias-of-a-field"),
        pytest.param('[aliases]\nA = "Title"\na = "Active"', "means Title already", id="alias-twice"),
        pytest.param('ca_file = "none.pem"', "there is no file .*none.pem", id="ca-file"),
        pytest.param('client_id = "ü"', "client_id holds characters", id="client-id"),
        pytest.param('account = " "', '"account" in .*: string must have at least 1 character; it is " "', id="blank"),
        pytest.param("account = = 1", "no valid TOML: .*line 2", id="toml"),
    ],
)
def test_a_wrong_key_is_refused_in_one_sentence(place: Place, text: str, said: str) -> None:
    """The sentence names the key, the file, what was expected and what stands there."""
    with pytest.raises(ConfigError, match=said) as caught:
        place.load(LOOPBACK + text)

    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["password", "token", "access_token", "COURSESYNC_TOKEN", "client_secret", "totp"])
def test_a_secret_in_a_profile_is_refused_and_not_repeated(place: Place, key: str) -> None:
    """A profile is no place for a secret, and neither is the message about it."""
    refusal = place.refusal(f'{LOOPBACK}{key} = "hunter2-canary"')

    assert "a secret has no place there" in refusal
    assert "canary" not in refusal


def test_a_secret_among_the_options_is_refused(place: Place) -> None:
    """A secret on a command line would show in the list of processes."""
    assert "a secret has no place there" in place.refusal(LOOPBACK, options={"password": "hunter2-canary"})


@pytest.mark.parametrize(
    ("base_url", "said"),
    [
        pytest.param("http://spaces.nexudus.com/api", "http", id="http"),
        pytest.param("http://127.0.0.1.example.com", "http", id="looks-like-loopback"),
        pytest.param("https://me:canary@spaces.nexudus.com/api", "user name or", id="user-info"),
        pytest.param("https://spaces.nexudus.com/api?token=canary", "a query or a fragment", id="query"),
        pytest.param("https://spaces.nexudus.com/api#canary", "a query or a fragment", id="fragment"),
        pytest.param("ftp://spaces.nexudus.com", "http", id="scheme"),
        pytest.param("spaces.nexudus.com/api", "http", id="no-scheme"),
        pytest.param("https:///api", "host", id="no-host"),
        pytest.param("https://spaces.nexudus.com:port/", "URL", id="port"),
        pytest.param("https://spaces.nexudus.com/a pi", "character", id="space"),
    ],
)
def test_a_base_url_that_cannot_be_trusted_is_refused(place: Place, base_url: str, said: str) -> None:
    """Only https off loopback, and nothing but an address; what it may hold of a secret is not repeated."""
    refusal = place.refusal(f'account = "a"\nbase_url = "{base_url}"')

    assert said in refusal
    assert "canary" not in refusal


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "localhost", "[::1]"])
def test_loopback_needs_neither_https_nor_an_account(place: Place, host: str) -> None:
    """127.0.0.0/8, ::1 and localhost are this machine."""
    assert place.load(f'base_url = "http://{host}:8765"').is_loopback


def test_an_account_is_required_elsewhere(place: Place) -> None:
    """A state directory belongs to one account, so a profile has to name it."""
    assert "names no account" in place.refusal('base_url = "https://spaces.nexudus.com/api"')
    assert "names no account" in place.refusal(environ={"COURSESYNC_BASE_URL": "https://spaces.nexudus.com/api"})


@pytest.mark.parametrize("name", ["../x", "a/b", ".hidden", "x.", " "])
def test_a_profile_name_cannot_lead_elsewhere(place: Place, name: str) -> None:
    """The name becomes a folder in the state directory."""
    assert "cannot name a profile" in place.refusal(profile=name)


def test_profile_and_config_together_are_refused(place: Place) -> None:
    """Two files at once: nobody could tell which one is meant."""
    assert "both name a profile" in place.refusal(profile="a", config_path=Path("b.toml"))


def test_a_misspelt_variable_is_refused(place: Place) -> None:
    """A variable that nearly has one of our names is not passed over in silence; others are left alone."""
    said = place.refusal(LOOPBACK, environ={"COURSESYNC_BASEURL": "http://127.0.0.1:1"})

    assert said == "Unknown variable COURSESYNC_BASEURL. Did you mean COURSESYNC_BASE_URL?"
    place.load(LOOPBACK, environ={"COURSESYNC_FAILPOINT": "x:1", "PATH": "/bin"})


def test_secrets_come_from_the_environment_and_never_show(place: Place) -> None:
    """The wrapper prints three stars wherever the settings are printed."""
    settings = place.load(
        LOOPBACK,
        environ={
            "COURSESYNC_TOKEN": "canary-token",
            "COURSESYNC_PASSWORD": "canary password",
            "COURSESYNC_USERNAME": "me@example.com",
        },
    )

    assert settings.secrets == (Secret("canary-token"), Secret("canary password"))
    assert "canary" not in f"{settings!r} {settings}"


def test_a_secret_file_is_read_without_its_line_end(place: Place) -> None:
    """…_FILE names a file whose one line is the secret."""
    path = place.secret("canary\n")

    assert place.load(LOOPBACK, environ={"COURSESYNC_TOKEN_FILE": str(path)}).token == Secret("canary")


def test_the_credentials_folder_comes_first(place: Place) -> None:
    """What the service manager hands over wins over a file and a variable; it guards the folder itself."""
    folder = place.cwd / "credentials"
    folder.mkdir()
    (folder / "coursesync_token").write_text("from-manager\n", encoding="utf-8")
    (folder / "coursesync_token").chmod(0o440)
    (folder / "coursesync_password").write_text("pass word\n", encoding="utf-8")

    settings = place.load(
        LOOPBACK,
        environ={
            "CREDENTIALS_DIRECTORY": str(folder),
            "COURSESYNC_TOKEN": "from-variable",
            "COURSESYNC_USERNAME": "me@example.com",
        },
    )

    assert settings.secrets == (Secret("from-manager"), Secret("pass word"))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620], ids=oct)
def test_a_secret_file_that_others_can_open_is_refused(place: Place, mode: int) -> None:
    """Mode 0600 or less; the remedy is the command to type."""
    path = place.secret("canary", mode=mode)

    refusal = place.refusal(LOOPBACK, environ={"COURSESYNC_TOKEN_FILE": str(path)})

    assert f"chmod 600 {path}" in refusal
    assert "canary" not in refusal


def test_a_secret_file_that_is_no_plain_file_is_refused(place: Place) -> None:
    """A link could lead to another's file; a pipe would hang; a folder is no text."""
    path = place.secret("canary")
    link, pipe = place.cwd / "link", place.cwd / "pipe"
    link.symlink_to(path)
    os.mkfifo(pipe, 0o600)

    assert "is a link" in place.refusal(LOOPBACK, environ={"COURSESYNC_TOKEN_FILE": str(link)})
    assert "no regular file" in place.refusal(LOOPBACK, environ={"COURSESYNC_TOKEN_FILE": str(pipe)})
    assert "no regular file" in place.refusal(LOOPBACK, environ={"COURSESYNC_TOKEN_FILE": str(place.user)})
    assert "cannot be read: No such" in place.refusal(LOOPBACK, environ={"COURSESYNC_TOKEN_FILE": "/nowhere/x"})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("", "is empty", id="empty"),
        pytest.param(" \n", "is empty", id="blank"),
        pytest.param("one\ntwo", "holds a line break", id="two-lines"),
        pytest.param("Bearer canary", "cannot have", id="whole-header"),
        pytest.param("tökén", "cannot have", id="not-ascii"),
        pytest.param("x" * 70_000, "too long", id="too-long"),
    ],
)
def test_a_token_that_no_header_can_carry_is_refused(place: Place, content: str, said: str) -> None:
    """A line break in a header would be a header of its own."""
    path = place.secret(content)

    assert said in place.refusal(LOOPBACK, environ={"COURSESYNC_TOKEN_FILE": str(path)})


def test_a_secret_given_twice_is_refused(place: Place) -> None:
    """As a file and as a variable: nobody could tell which one is meant."""
    path = place.secret("canary")

    refusal = place.refusal(LOOPBACK, environ={"COURSESYNC_TOKEN_FILE": str(path), "COURSESYNC_TOKEN": "other"})

    assert refusal.startswith("COURSESYNC_TOKEN and COURSESYNC_TOKEN_FILE are both set.")


def test_a_password_needs_a_user_name(place: Place) -> None:
    """Half a sign-in is refused at the start."""
    assert "no user name" in place.refusal(LOOPBACK, environ={"COURSESYNC_PASSWORD": "canary"})


@pytest.mark.parametrize(
    ("name", "account", "base_url"),
    [
        ("sandbox", "sandbox", "http://127.0.0.1:8765/api"),
        ("production", "my-space", "https://spaces.nexudus.com/api"),
    ],
)
def test_the_profiles_that_come_along_are_valid(place: Place, name: str, account: str, base_url: str) -> None:
    """The files in `configs/` load as they are, with every default limit in force."""
    settings = place.load(config_path=CONFIGS / f"{name}.toml")

    assert (settings.profile, settings.account, settings.base_url) == (name, account, base_url)
    assert len(settings.limits) == 6
