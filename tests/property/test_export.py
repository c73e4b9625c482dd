"""The law of the export: it comes back as it was, whatever the live text."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from sync.adapters.spreadsheet import load_here
from sync.adapters.workbook.export import HEADINGS, write_export
from sync.model import Edit
from sync.normalize import equal
from sync.section import Json
from sync.validate import check_sheet
from tests.sections import ORIGIN

texts = st.none() | st.one_of(
    st.text(max_size=30),
    st.text(alphabet=st.sampled_from("=+-@\t\r\n'\";,_x0041#N/A!1.eT \u00a0\u200b\u2028é\x01"), max_size=12),
    st.sampled_from(["[clear]", "[CLEAR] ", "#N/A", "TRUE", "1E5", "00123", "null", "=1+1", "skip"]),
)
numbers = st.none() | st.integers(-3, 2**60) | st.floats()


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "CourseId": numbers,
                "Title": texts,
                "CourseTitle": texts,
                "DisplayOrder": numbers,
                "UnlockType": numbers,
                "UnlockAfterDays": numbers,
                "Active": st.none() | st.booleans(),
                "SectionContents": texts,
                "UpdatedOn": texts,
            }
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(["e.xlsx", "e.csv"]),
)
def test_an_export_comes_back_as_it_was(drawn: list[dict[str, Json]], name: str) -> None:
    """No row is held, and each value that the check reads equals the live one; the others are left alone."""
    live = {key: {"Id": key, **values} for key, values in enumerate(drawn, start=1)}
    with tempfile.TemporaryDirectory() as folder:
        write_export(Path(folder) / name, list(live.values()), origin=ORIGIN)

        checked = check_sheet(load_here(Path(folder) / name), aliases={})

    assert len(checked.rows) == len(live)
    for row in checked.rows:
        assert isinstance(row, Edit), row
        assert [field for field, value in row.values.items() if not equal(field, value, live[row.id][field])] == []
        assert set(row.values) <= set(HEADINGS)
