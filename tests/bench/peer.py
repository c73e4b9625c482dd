"""The plain peer: what a competent person writes in an afternoon, for the same work.

The sheet by pandas, the list page by page (as large as the server gives them), one session, a loop that compares and
sends the whole record back with the changed fields laid over it, a second's sleep after each PUT where the API
throttles, and a result column. No journal, no check, no resume, no verification.
"""

import argparse
import time

import httpx
import pandas as pd

PAGE_SIZE = 1000


def main() -> None:
    words = argparse.ArgumentParser()
    words.add_argument("sheet")
    words.add_argument("base_url")
    words.add_argument("report")
    words.add_argument("--throttled", action="store_true")
    words.add_argument("--engine", default=None, help="of pandas.read_excel")
    given = words.parse_args()

    frame = pd.read_excel(given.sheet, engine=given.engine)
    with httpx.Client(
        base_url=given.base_url, headers={"Authorization": "Bearer bench", "Accept": "application/json"}
    ) as session:
        live = read_list(session)
        results = []
        for row in frame.to_dict("records"):
            record = live.get(row["Id"])
            if record is None:
                results.append("missing")
            elif all(pd.isna(value) or record[name] == value for name, value in row.items()):
                results.append("unchanged")
            else:
                body = record | {name: value for name, value in row.items() if not pd.isna(value)}
                results.append(update(session, body))
                if given.throttled:
                    time.sleep(1)
    frame["Result"] = results
    frame.to_excel(given.report, index=False)


def read_list(session: httpx.Client) -> dict[int, dict[str, object]]:
    live = {}
    page = 1
    while True:
        answer = session.get("/content/coursesections", params={"page": page, "size": PAGE_SIZE, "orderBy": "Id"})
        answer.raise_for_status()
        found = answer.json()
        live.update({record["Id"]: record for record in found["Records"]})
        if not found["HasNextPage"]:
            return live
        page += 1


def update(session: httpx.Client, body: dict[str, object]) -> str:
    answer = session.put("/content/coursesections", json=body)
    if answer.is_success and answer.json()["WasSuccessful"]:
        return "updated"
    return answer.text


if __name__ == "__main__":
    main()
