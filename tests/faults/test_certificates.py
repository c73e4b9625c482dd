"""F24: servers whose certificate is not to be trusted get no request; a certificate authority can be added."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from tests.faults.commands import Commands
from tests.faults.desk import PASSWORD, TOKEN, Desk, seed
from tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.e2e


def served(folder: Path, authority: trustme.CA, *, host: str = "127.0.0.1", until: datetime | None = None) -> list[str]:
    """The words that let a sandbox serve https with a certificate of `authority`."""
    certificate = authority.issue_cert(host, not_after=until)
    chain, key, document = folder / "chain.pem", folder / "key.pem", folder / "seed.json"
    chain.write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
    certificate.private_key_pem.write_to_path(str(key))
    document.write_text(json.dumps(seed(3)))
    words = ["--no-limits", "--token", TOKEN, "--password", PASSWORD, "--seed", str(document)]
    return [*words, "--tls-cert", str(chain), "--tls-key", str(key)]


@pytest.mark.parametrize("kind", ["unknown-authority", "expired", "other-host"])
def test_a_certificate_that_is_not_to_be_trusted(kind: str, commands: Commands, tmp_path: Path) -> None:
    """Exit 2, not one request, and a hint at `ca_file`; there is no switch to go on regardless."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    until = datetime(2025, 1, 15, tzinfo=UTC) if kind == "expired" else None
    host = "elsewhere.example" if kind == "other-host" else "127.0.0.1"
    with SandboxProcess(*served(tmp_path, authority, host=host, until=until)) as sandbox:
        desk = Desk(tmp_path, sandbox, commands)
        desk.profile(**({} if kind == "unknown-authority" else {"ca_file": str(tmp_path / "ca.pem")}))
        desk.rename(2)
        ended = desk.apply()

        assert (ended.code, desk.sandbox.log(), desk.broken()) == (2, [], []), ended
        assert "certificate" in ended.stderr


def test_an_authority_of_ones_own(commands: Commands, tmp_path: Path) -> None:
    """Named as `ca_file`, it is trusted beside the usual ones."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with SandboxProcess(*served(tmp_path, authority)) as sandbox:
        desk = Desk(tmp_path, sandbox, commands)
        desk.profile(ca_file=str(tmp_path / "ca.pem"))
        desk.rename(2)
        ended = desk.apply()

        assert (ended.code, desk.statuses(), desk.broken()) == (0, ["updated"] * 2, []), ended
