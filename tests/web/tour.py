"""Every page that there is, by its name, with something on it: a site that people have worked with for a while."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from openpyxl import load_workbook

from tests.e2e.command_line import SAMPLES
from tests.sandbox_process import SandboxProcess
from tests.web.page_process import PageProcess, Visitor
from tests.web.sheets import write_sheet

PEOPLE = {"ada": "approver", "olga": "operator", "vera": "viewer"}
LIMITS = "[{ scope = 'write', count = 8, seconds = 60 }]"
"""So few writes a minute that a run of thirty rows is at work for as long as anybody looks."""
SIGNED_OUT = "sign-in"
SAME = "".join(f"<p>Step {step}: what everybody does on day {step}, as it has always been.</p>" for step in range(1, 9))
OLD_LESSON = f"<h2>Before you come</h2><p>Bring a laptop and the <b>signed form</b>.</p>{SAME}<p>Doors open at 9.</p>"
NEW_LESSON = (
    "<h2>Before you come</h2><p>Bring a laptop, a charger and the <b>signed form</b>.</p>"
    f"{SAME}<p>Doors open at 8.</p><p>Parking is free.</p>"
)


@dataclass(frozen=True, slots=True)
class Tour:
    """Where each page lies, and who is signed in."""

    site: PageProcess
    visitor: Visitor
    paths: dict[str, str]


@contextmanager
def tour(folder: Path, sandbox: SandboxProcess) -> Iterator[Tour]:
    """Let somebody upload, approve and run what fills every page; what is at work afterwards is paused in the end."""
    with PageProcess(folder, sandbox, limits=LIMITS, people=PEOPLE) as site:
        ada = site.visitor("ada")
        sections = sorted(sandbox.records())
        paths = {"start": "/", "people": "/people", "error": "/plans/" + "0" * 32} | _plans(
            site, ada, sandbox, sections
        )
        paths["report"] = _run(ada, paths["plan-small"])
        ada.ended(paths["report"])
        paths["undo"] = ada.post(f"{paths['report']}/undo").headers["location"]
        ada.made(paths["undo"])
        paths["run"] = _run(ada, paths["plan-long"])
        paths["stop"] = f"{paths['run']}/stop"
        ada.post(f"{paths['plan']}/kept/2", {"leave": "2"})
        paths["order"] = ada.approve(paths["plan"]).headers["location"]
        paths["approve"] = f"{paths['plan-held']}/approval"
        paths[SIGNED_OUT] = "/sign-in"
        try:
            yield Tour(site, ada, paths)
        finally:
            ada.post(f"{paths['order']}/withdrawal")
            ada.post(f"{paths['run']}/pause")
            ada.ended(paths["run"])


def _plans(site: PageProcess, ada: Visitor, sandbox: SandboxProcess, sections: Sequence[int]) -> dict[str, str]:
    conflicts = moved_meanwhile(site, sandbox, site.folder / "sections.xlsx", sections[6:9])
    other = next(one["CourseId"] for one in sandbox.records().values() if one["CourseId"] != _course(sandbox, sections))
    refused = site.folder / "holiday.xlsx"
    refused.write_bytes(b"\xff\xd8\xff\xe0 a picture")
    sheets = {
        "plan": SAMPLES / "demo.xlsx",
        "conflicts": conflicts,
        "refused": refused,
        "plan-small": write_sheet(
            site.folder / "lessons.xlsx", ("Id", "Title"), (sections[0], "Welcome"), (sections[1], ""), ("x", "Where?")
        ),
        "plan-long": write_sheet(
            site.folder / "all lessons.xlsx", ("Id", "Title"), *((key, f"Lesson {key}") for key in sections[20:50])
        ),
        "plan-held": write_sheet(site.folder / "moved.xlsx", ("Id", "CourseId"), (sections[9], other)),
        "html": write_sheet(site.folder / "texts.xlsx", ("Id", "SectionContents"), (sections[10], NEW_LESSON)),
    }
    sandbox.edit(sections[10], SectionContents=OLD_LESSON)
    paths = {name: ada.upload(sheet) for name, sheet in sheets.items()}
    paths["file"] = ada.post("/workbooks", {"kind": "export"}).headers["location"]
    for path in paths.values():
        ada.made(path)
    return paths


def _course(sandbox: SandboxProcess, sections: Sequence[int]) -> int:
    return int(sandbox.records()[sections[9]]["CourseId"])


def _run(visitor: Visitor, plan: str) -> str:
    return visitor.run_of(visitor.approve(plan))


def moved_meanwhile(site: PageProcess, sandbox: SandboxProcess, path: Path, ids: Sequence[int]) -> Path:
    """An exported workbook in which the titles of `ids` were edited, as somebody else has edited them since."""
    exported = site.command("export", "-o", str(path))
    assert exported.returncode == 0, exported.stderr
    workbook = load_workbook(path)
    worksheet = workbook.worksheets[0]
    rows = rows_by_id(path)
    title = [cell.value for cell in worksheet[1]].index("Title") + 1
    for section in ids:
        worksheet.cell(rows[section], title).value = "As the sheet says"
        sandbox.edit(section, Title="As somebody else says")
    workbook.save(path)
    workbook.close()
    return path


def rows_by_id(path: Path) -> dict[int, int]:
    """The row of each section in an exported workbook."""
    workbook = load_workbook(path)
    worksheet = workbook.worksheets[0]
    key = [cell.value for cell in worksheet[1]].index("Id") + 1
    rows = {int(worksheet.cell(at, key).value): at for at in range(2, worksheet.max_row + 1)}
    workbook.close()
    return rows
