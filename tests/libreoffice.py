"""LibreOffice, asked to open workbooks and to save them in another format."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.programs import find

LONGEST_S = 120.0
FILTERS = {"xlsx": "xlsx", "ods": "ods", "csv": "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,true,false"}
"""What LibreOffice is asked for: for CSV commas, quotation marks, UTF-8, every text quoted, cells as they are shown."""


def converted(folder: Path, profile: Path, names: Sequence[str], kind: str) -> str:
    """Let LibreOffice open these workbooks in one go and save them as `kind`; give what it said of errors."""
    ran = subprocess.run(
        [
            str(find("soffice")),
            f"-env:UserInstallation={profile.as_uri()}",
            "--headless",
            "--convert-to",
            FILTERS[kind],
            "--outdir",
            str(folder / kind),
            *(str(folder / f"{name}.xlsx") for name in names),
        ],
        capture_output=True,
        text=True,
        timeout=LONGEST_S,
        check=True,
    )
    return "\n".join(line for line in (ran.stdout + ran.stderr).splitlines() if "rror" in line)
