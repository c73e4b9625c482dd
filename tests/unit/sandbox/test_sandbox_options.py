"""Switches: from words, from JSON, and in the help."""

import pytest

from sync.sandbox.options import SandboxOptions, build_parser, changed, parse, public
from sync.sandbox.windows import DOCUMENTED, Limit


def test_no_words_mean_the_documented_behaviour() -> None:
    """The defaults are the newer limits, a 409 with Retry-After, and omitted fields reset."""
    options = parse([], "sandbox")

    assert options == SandboxOptions()
    assert (options.limits, options.throttle_status, options.omitted) == (DOCUMENTED, 409, "reset")


def test_words_set_switches() -> None:
    """Each kind of option is read from its words."""
    words = ["--port", "0", "--limit", "write:3:60", "--limit", "all:9:1", "--omitted", "kept", "--roles", "List, Read"]

    options = parse([*words, "--batch-partial", "1,2", "--must-reset", "--latency-ms", "12.5"], "sandbox")

    assert options == SandboxOptions(
        port=0,
        limits=(Limit("write", 3, 60), Limit("all", 9, 1)),
        omitted="kept",
        roles=frozenset({"List", "Read"}),
        batch_partial=frozenset({1, 2}),
        must_reset=True,
        latency_ms=12.5,
    )


def test_no_limits_means_none() -> None:
    """`--no-limits` is not the same as leaving the limits alone."""
    assert parse(["--no-limits"], "sandbox").limits == ()


@pytest.mark.parametrize(
    "words",
    [
        ["--limit", "often"],
        ["--limit", "all:1:1", "--no-limits"],
        ["--omitted", "sometimes"],
        ["--time-scale", "0"],
        ["--port", "70000"],
        ["--list-size", "0"],
        ["--unknown"],
        ["--lat", "3"],
    ],
    ids=" ".join,
)
def test_wrong_words_end_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong switch never starts a server that behaves otherwise than meant."""
    with pytest.raises(SystemExit) as ended:
        parse(words, "sandbox")

    assert ended.value.code == 2
    assert "sandbox: error:" in capsys.readouterr().err


def test_switches_change_by_name_while_running() -> None:
    """Limits come as words or as nothing; the rest stays."""
    options = changed(SandboxOptions(user="me@example.com"), {"limits": ["write:1:2"], "roles": ["Read"]})

    assert options == SandboxOptions(user="me@example.com", limits=(Limit("write", 1, 2),), roles=frozenset({"Read"}))


@pytest.mark.parametrize(
    "changes", [{"port": 1}, {"nonsense": 1}, {"omitted": "maybe"}], ids=["fixed", "unknown", "wrong"]
)
def test_wrong_changes_are_refused(changes: dict[str, object]) -> None:
    """An option that cannot be set is not silently left."""
    with pytest.raises(ValueError, match=r"."):
        changed(SandboxOptions(), changes)


def test_secrets_are_not_shown() -> None:
    """The controls never give out password, token or codes."""
    shown = public(SandboxOptions(password="canary-1", token="canary-2", totp=("canary-3",)))

    assert "canary" not in str(shown)
    assert shown["omitted"] == "reset"


def test_every_option_has_a_help_text() -> None:
    """The help is the reference of all switches."""
    actions = build_parser("sandbox")._actions

    assert len(actions) > 40
    assert [action.dest for action in actions if not action.help] == []
