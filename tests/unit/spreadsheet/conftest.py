"""Files for the loader's tests, made on the spot: raw packages, so that a test says exactly what the XML holds."""

import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"

MakeWorkbook = Callable[..., Path]


def relationships(*targets: tuple[str, str]) -> str:
    inner = "".join(
        f'<Relationship Id="rId{number}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, start=1)
    )
    return f'<Relationships xmlns="{PACKAGE}">{inner}</Relationships>'


@pytest.fixture
def make_workbook(tmp_path: Path) -> MakeWorkbook:
    """Write a workbook from the XML inside each sheet's `sheetData`; `extra` adds or replaces parts."""

    def make(
        *sheets: str, states: tuple[str, ...] = (), extra: Mapping[str, str | bytes] | None = None, name: str = "a.xlsx"
    ) -> Path:
        listed = "".join(
            f'<sheet name="S{number}" sheetId="{number}" r:id="rId{number}"'
            + (f' state="{states[number - 1]}"' if number <= len(states) else "")
            + "/>"
            for number in range(1, len(sheets) + 1)
        )
        parts: dict[str, str | bytes] = {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
            "_rels/.rels": relationships(("officeDocument", "xl/workbook.xml")),
            "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": relationships(
                *(("worksheet", f"worksheets/sheet{number}.xml") for number in range(1, len(sheets) + 1)),
            ),
        }
        for number, inner in enumerate(sheets, start=1):
            parts[f"xl/worksheets/sheet{number}.xml"] = (
                f'<worksheet xmlns="{MAIN}"><sheetData>{inner}</sheetData></worksheet>'
            )
        parts.update(extra or {})
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for part, text in parts.items():
                archive.writestr(part, text)
        return path

    return make
