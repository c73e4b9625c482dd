"""Statements that are carried out for many rows at once: put into words once, and given their values as they lie."""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Delete, Insert, Update
from sqlalchemy.dialects import sqlite


class Many:
    """One statement in the words of SQLite: row by row, an object of SQLAlchemy costs more than the writing does."""

    def __init__(self, statement: Insert | Update | Delete, *columns: str) -> None:
        """`columns` names what an insert is given, two at least; another statement names its values itself."""
        self._statement = statement
        self._columns = columns

    def run(self, connection: Connection, rows: Sequence[Mapping[str, object]]) -> None:
        """Carry it out for each of `rows` in their order; each of them has a value for every name."""
        if rows:
            words, values = self._made
            connection.exec_driver_sql(words, list(map(values, rows)))

    @cached_property
    def _made(self) -> tuple[str, Callable[[Mapping[str, object]], Any]]:
        made = self._statement.compile(dialect=sqlite.dialect(), column_keys=self._columns or None)
        return str(made), itemgetter(*(made.positiontup or ()))
