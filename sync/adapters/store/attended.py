"""The tables of attended work: people and their sessions, what they ordered, what they ask of a run.

They join the store in version 6 of its shape.
"""

from sqlalchemy import Column, Connection, Float, Index, Integer, String, Table, Text

from sync.adapters.store.schema import metadata

people = Table(
    "people",
    metadata,
    Column("name", String, primary_key=True),
    Column("role", String, nullable=False),
    Column("password", Text, nullable=False),  # a hash of argon2, never the password
    Column("added_wall", Float, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_sha256", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("began_wall", Float, nullable=False),
    Column("seen_wall", Float, nullable=False),
)
"""Who is signed in; the token itself is nowhere but in the browser."""

orders = Table(
    "orders",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),
    Column("plan", String, nullable=False),
    Column("run_id", String),
    Column("allowed", Text, nullable=False, server_default=""),
    Column("name", String, nullable=False),
    Column("at_wall", Float, nullable=False),
    Column("state", String, nullable=False),
    Column("process", String),
    Column("began_wall", Float),
    Column("ended_wall", Float),
    Column("exit_code", Integer),
    Column("said", Text, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)
"""What was approved and is to be carried out, one after the other, by processes of their own."""
Index("orders_by_plan", orders.c.plan)

requests = Table(
    "requests",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("run_id", String, nullable=False),
    Column("what", String, nullable=False),
    Column("name", String, nullable=False),
    Column("at_wall", Float, nullable=False),
    Column("taken_wall", Float),
    sqlite_autoincrement=True,
)
"""What the page asks of a run that is at work; the run looks here about once a second."""
Index("requests_by_run", requests.c.run_id)

TABLES = (people, sessions, orders, requests)


def know_attended_work(connection: Connection) -> None:
    """Version 6 keeps what the page needs; nothing of it was there before."""
    for table in TABLES:
        table.create(connection, checkfirst=True)
