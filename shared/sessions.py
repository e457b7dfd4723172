"""The session of everybody but bots: mapped rows and the plain statements of shared/store see one and the same store."""

from __future__ import annotations

from typing import Any

from sqlalchemy import TableClause, inspect
from sqlalchemy.sql.dml import ValuesBase
from sqlmodel import Session


class DeskSession(Session):
    """A plain statement sees what was added before it, and rows loaded before it show what it has changed."""

    def execute(self, statement: Any, *args: Any, **more: Any) -> Any:
        self.flush()
        result = super().execute(statement, *args, **more)
        if isinstance(statement, ValuesBase) and type(statement.table) is TableClause:
            for row in list(self):
                if inspect(row).mapper.local_table.name == statement.table.name:
                    self.refresh(row)
        return result


class LookingSession(DeskSession):
    """For reads: what would be written is a fault of ours, told at once."""

    def flush(self, objects: Any = None) -> None:
        if self.new or self.deleted or self.dirty:
            raise AssertionError("a session for reads was given something to write: use shared.db.writing")
