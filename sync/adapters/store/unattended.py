"""The tables of unattended work: who did what, what has been told, deliveries, approvals, what was purged.

They join the store in version 5 of its shape. The audit log can only be added to: the store itself refuses the rest.
"""

from typing import Any

from sqlalchemy import DDL, Column, Connection, Float, Index, Integer, String, Table, Text, event

from sync.adapters.store.schema import metadata

audit = Table(
    "audit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at_wall", Float, nullable=False),
    Column("at_boot", Float, nullable=False),
    Column("boot_id", String, nullable=False),
    Column("user", String, nullable=False),
    Column("host", String, nullable=False),
    Column("action", String, nullable=False),
    Column("run_id", String),
    Column("facts_json", Text, nullable=False),
    Column("chain", String),  # a digest of this entry and of the one before; entries before version 9 have none
    sqlite_autoincrement=True,
)

for _deed in ("UPDATE", "DELETE"):
    _guard: Any = DDL(  # type: ignore[no-untyped-call]  # SQLAlchemy has no types here
        f"CREATE TRIGGER IF NOT EXISTS audit_without_{_deed.lower()} BEFORE {_deed} ON audit"
        " BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END"
    )
    event.listen(audit, "after_create", _guard)

alert_states = Table(
    "alert_states",
    metadata,
    Column("subject", String, primary_key=True),
    Column("event", String),
    Column("mark", String, nullable=False),
    Column("since_wall", Float, nullable=False),
    Column("told", Integer, nullable=False),
)
"""How things stood when they were last looked at; `event` is NULL where all was well."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery", String, primary_key=True),
    Column("folder", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("sha256", String, nullable=False),
    Column("state", String, nullable=False),
    Column("place", String),
    Column("run_id", String),
    Column("exit_code", Integer),
    Column("plan_hash", String),
    Column("rails", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False, server_default=""),
    Column("starts", Integer, nullable=False, server_default="0"),
    Column("claimed_wall", Float, nullable=False),
    Column("ended_wall", Float),
)
"""Files that were taken from a drop folder, by the name of the folder that each has got."""
Index("deliveries_by_content", deliveries.c.sha256)

approvals = Table(
    "approvals",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("run_id", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("plan_hash", String, nullable=False),
    Column("profile", String, nullable=False),
    Column("rails", Text, nullable=False),
    Column("user", String, nullable=False),
    Column("at_wall", Float, nullable=False),
    Column("expires_wall", Float, nullable=False),
    Column("used_wall", Float),
)

purges = Table(
    "purges",
    metadata,
    Column("run_id", String, primary_key=True),
    Column("what", String, primary_key=True),
    Column("at_wall", Float, nullable=False),
)
"""What of a run's contents is gone, by whom it was asked for stands in the audit log."""

TABLES = (audit, alert_states, deliveries, approvals, purges)


def chain_the_audit_log(connection: Connection) -> None:
    """Version 9 chains each entry of the audit log to the one before it; what was written earlier stays as it is."""
    columns = connection.exec_driver_sql("SELECT name FROM pragma_table_info('audit')").scalars()
    if audit.c.chain.name not in set(columns):
        connection.exec_driver_sql("ALTER TABLE audit ADD COLUMN chain VARCHAR")


def know_unattended_work(connection: Connection) -> None:
    """Version 5 keeps what unattended work needs; what an earlier version left tells nothing of it."""
    for table in TABLES:
        table.create(connection, checkfirst=True)
