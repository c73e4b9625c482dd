"""What nobody can undercut in Python: a sheet read by calamine and nothing else, requests and nothing else."""

import argparse
import http.client
import json
from urllib.parse import urlsplit

import python_calamine

from tests.bench.sections import FIRST_ID, new_title, record

BATCH = 175
"""Ids of ten digits in a URL of 2,000 characters."""


def read(sheet: str) -> None:
    book = python_calamine.CalamineWorkbook.from_path(sheet)
    for name in book.sheet_names:
        book.get_sheet_by_name(name).to_python()


def batches(base_url: str, rows: int) -> None:
    """Read every record once, batch by batch, over one connection; nothing is parsed."""
    connection, path = _connection(base_url)
    ids = [str(number) for number in range(FIRST_ID, FIRST_ID + rows)]
    for start in range(0, rows, BATCH):
        connection.request("GET", f"{path}/?id=[{','.join(ids[start : start + BATCH])}]")
        connection.getresponse().read()


def puts(base_url: str, rows: int) -> None:
    """Send a whole record for every row, one after the other, over one connection."""
    connection, path = _connection(base_url)
    for number in range(FIRST_ID, FIRST_ID + rows):
        body = json.dumps(record(number) | {"Title": new_title(number)})
        connection.request("PUT", path, body, {"Content-Type": "application/json"})
        connection.getresponse().read()


def _connection(base_url: str) -> tuple[http.client.HTTPConnection, str]:
    parts = urlsplit(base_url)
    assert parts.hostname is not None
    return http.client.HTTPConnection(parts.hostname, parts.port), f"{parts.path}/content/coursesections"


if __name__ == "__main__":
    words = argparse.ArgumentParser()
    words.add_argument("floor", choices=("read", "batches", "puts"))
    words.add_argument("of")
    words.add_argument("rows", type=int, nargs="?", default=0)
    given = words.parse_args()
    match given.floor:
        case "read":
            read(given.of)
        case "batches":
            batches(given.of, given.rows)
        case _:
            puts(given.of, given.rows)
