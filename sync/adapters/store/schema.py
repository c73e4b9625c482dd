"""The tables of the store, and the version of their shape.

Rows of a run are keyed by the run and the number of the row in its sheet; what was sent is keyed by the run and the
section, so that a sheet sorted anew changes nothing. Texts that end in `_json` are written by `rowtext.py`.
"""

from sqlalchemy import Column, Float, Index, Integer, MetaData, String, Table, Text

SCHEMA_VERSION = 9

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("command", String, nullable=False),
    Column("profile", String, nullable=False),
    Column("base_url", String, nullable=False),
    Column("account", String, nullable=False),
    Column("input_path", Text, nullable=False),
    Column("input_sha256", String, nullable=False),
    Column("input_copy", Text, nullable=False),
    Column("input_format", String, nullable=False),
    Column("sheet", Text, nullable=False),
    Column("header_row", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("plan_hash", String),
    Column("state", String, nullable=False),
    Column("started_wall", Float, nullable=False),
    Column("finished_wall", Float),
    Column("exit_code", Integer),
    Column("pid", Integer, nullable=False),
    Column("user", String, nullable=False),
    Column("issues_json", Text, nullable=False),
    Column("stop_json", Text),
    Column("quota_json", Text),
    Column("reads", Integer, nullable=False, server_default="0"),
    Column("writes", Integer, nullable=False, server_default="0"),
    Column("throttled", Integer, nullable=False, server_default="0"),
    Column("retried", Integer, nullable=False, server_default="0"),
    Column("reported_wall", Float),  # when the report of its latest end was written whole; new in version 4
)

rows = Table(
    "rows",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("section_id", Integer),
    Column("status", String, nullable=False),
    Column("plan_json", Text),
    Column("edit_json", Text),
    Column("outcome_json", Text, nullable=False),
)
Index("rows_by_section", rows.c.run_id, rows.c.section_id)
rows_by_status = Index("rows_by_status", rows.c.run_id, rows.c.status, rows.c.row)
"""By itself it says how a run stands, however long its rows are; new in version 8, as the two of the intents."""

intents = Table(
    "intents",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("run_id", String, nullable=False),
    Column("section_id", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("changes_json", Text, nullable=False),
    Column("before_json", Text, nullable=False),
    Column("at_wall", Float, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("heard_wall", Float),
    Column("unheard", Text),
    Column("answer", String),
    Column("http_status", Integer),
    Column("boot_id", String),  # with the two below, the same moments on the boot clock; new in version 4
    Column("at_boot", Float),
    Column("heard_boot", Float),
)
Index("intents_by_section", intents.c.run_id, intents.c.section_id)
intents_by_time = Index("intents_by_time", intents.c.run_id, intents.c.at_wall)
intents_open = Index(
    "intents_open", intents.c.run_id, intents.c.answer, intents.c.section_id, sqlite_where=intents.c.answer.is_(None)
)

slots = Table(
    "slots",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("scope", String, nullable=False),
    Column("boot_id", String, nullable=False),
    Column("sent_boot", Float, nullable=False),
    Column("sent_wall", Float, nullable=False),
    Column("answered_boot", Float),
    Column("answered_wall", Float),
    Column("owner", String, nullable=False),
    sqlite_autoincrement=True,  # a number that was forgotten never comes again: others read on from the last they saw
)
Index("slots_by_wall", slots.c.sent_wall)

pauses = Table(
    "pauses",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("boot_id", String, nullable=False),
    Column("until_boot", Float, nullable=False),
    Column("until_wall", Float, nullable=False),
    Column("asked_s", Float),  # what the server asked for; new in version 4
    sqlite_autoincrement=True,
)

desired = Table(
    "desired",
    metadata,
    Column("section_id", Integer, primary_key=True),
    Column("field", String, primary_key=True),
    Column("sent", String, nullable=False),
    Column("stored", String, nullable=False),
    Column("updated_on", String),
    Column("run_id", String, nullable=False),
    Column("value_json", Text),
)
"""What runs made so, by section and field; the value itself is kept since version 3, to be put back after drift."""

rewritings = Table(
    "rewritings",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("section_id", Integer, primary_key=True),
    Column("field", String, primary_key=True),
    Column("stored", String, nullable=False),
)
"""What the server made of a value that a run sent, where that is not the same: an undo knows it as ours; version 3."""

shown = Table(
    "shown",
    metadata,
    Column("section_id", Integer, primary_key=True),
    Column("field", String, primary_key=True),
    Column("live", String, nullable=False),
    Column("by", String, nullable=False),
    Column("at_wall", Float, nullable=False),
    Column("input_sha256", String),  # the sheet that was answered with it; new in version 7
)
"""What was live when a conflict was last reported; new in version 2."""
