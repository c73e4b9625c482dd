"""Write every generated file of this folder: `python sample_data/make.py`; the same contents each time."""

import json
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))  # run as a script, this folder stands there instead of its parent

from sample_data.demo import ABOUT, demo_expected, demo_faults, demo_table  # noqa: E402 - after the path is set
from sample_data.files import write_workbook  # noqa: E402 - the same
from sample_data.seed import make_seed  # noqa: E402 - the same
from sample_data.sheets import write_sheets  # noqa: E402 - the same


def main(target: Path = HERE) -> None:
    """Write the seed, the demo's three files and the sample sheets into `target`.

    Raises:
        OSError: A file cannot be written.
    """
    seed = make_seed()
    _write_text(target / "sandbox_seed.json", seed.as_json())
    write_workbook(target / "demo.xlsx", demo_table(seed), about=ABOUT)
    _write_text(target / "demo_faults.json", _json(demo_faults(seed)))
    _write_text(target / "demo_expected.json", _json(demo_expected(seed)))
    write_sheets(target, seed)


def _json(document: object) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _write_text(path: Path, text: str) -> None:
    path.write_bytes(text.encode())


if __name__ == "__main__":
    main()
