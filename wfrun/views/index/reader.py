"""Asking the index, and reading the journals that it cannot answer for."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from heapq import merge
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from wfrun.views.index.rows import JOURNAL, Layout, Read, Row, fold_row, journal_size, size_at, stored_row
from wfrun.views.index.store import empty, is_of_this_boot, journals_in, open_reading, rows_in, shard_names
from wfrun.views.tasks import assignee_names

if TYPE_CHECKING:
    from wfrun.views.model import Summary, TaskView

Driven = Callable[[str], bool]
Keep: TypeAlias = "Callable[[Summary], bool]"
Answer = TypeVar("Answer")
# More rows than a database can have.
_ALL = 2**62
# Above every character that an id can have.
_AFTER_IDS = "\x7f"


class Index:
    """The executions of a state directory as they are now. Writes nothing. `read` gives an execution's records."""

    def __init__(self, home: Layout, read: Read) -> None:
        self._home = home
        self._read = read

    def summaries(
        self,
        *,
        status: str | None = None,
        workflow: str | None = None,
        limit: int | None = None,
        since: str | None = None,
        driven: Driven | None = None,
        keep: Keep | None = None,
    ) -> list[Summary]:
        """Newest first. `since` is an instant as journals write them; `driven` tells running from interrupted.

        `keep` chooses among those that fit all else.
        """
        wanted = {"status": "running" if status == "interrupted" else status, "workflow": workflow}
        most = None if limit is None else min(limit, _ALL)
        return self._ask(lambda now: now.summaries(wanted, since, status, most, driven, keep))

    def tasks(self, assignee: str | None = None) -> list[TaskView]:
        """Open tasks, oldest first, those of one person or group if `assignee` is given."""
        found = self._ask(lambda now: now.tasks())
        mine = (task for task in found if assignee is None or assignee in assignee_names(task["assignee"]))
        return sorted(mine, key=lambda task: (task["createdAt"], task["task"]))

    def ids(self, prefix: str, limit: int) -> list[str]:
        """Executions whose id begins with `prefix`, at most `limit`, in order."""
        return self._ask(lambda now: now.ids(prefix, limit))

    def _ask(self, question: Callable[[_Now], Answer]) -> Answer:
        """Ask the index; if it turns out to be damaged, ask the journals alone."""
        database = open_reading(self._home)
        try:
            return question(_Now(self._home, self._read, database))
        except sqlite3.DatabaseError:
            return question(_Now(self._home, self._read, empty()))
        finally:
            database.close()


class _Now:
    """The index with what has changed since: `fresh` rows replace stored ones, `gone` executions have no journal."""

    def __init__(self, home: Layout, read: Read, database: sqlite3.Connection) -> None:
        self._home = home
        self._read = read
        self._database = database
        self._fresh: dict[str, Row] = {}
        self._gone: set[str] = set()
        database.execute("BEGIN")  # one state of the index for all that is asked
        self._look_at_unfinished()
        self._look_at_shards()

    def summaries(
        self,
        wanted: dict[str, str | None],
        since: str | None,
        status: str | None,
        limit: int | None,
        driven: Driven | None,
        keep: Keep | None,
    ) -> list[Summary]:
        def fits(summary: Summary) -> bool:
            return status in (None, summary["status"]) and (keep is None or keep(summary))

        def shown(most: int | None) -> list[Summary]:
            found = (self._checked(row) for row in self._newest_first(wanted, since, most))
            all = (self._with_driver(row, driven) for row in found if row)
            return list(islice(filter(fits, all), limit))

        # Whether a running execution is driven is no part of a row, so a question for it can't be cut short in SQL.
        most = None if wanted["status"] == "running" or keep is not None else limit
        answer = shown(most)
        # A row that turned out to be wrong may have taken the place of another.
        return answer if most is None or len(answer) >= most else shown(None)

    def tasks(self) -> Iterator[TaskView]:
        stored = self._database.execute("SELECT summary, tasks, size FROM executions WHERE tasks IS NOT NULL")
        rows = [*self._current(stored), *self._fresh.values()]
        return iter([task for row in rows for task in row.tasks])

    def ids(self, prefix: str, limit: int) -> list[str]:
        query = "SELECT id FROM executions WHERE id >= ? AND id < ? ORDER BY id"
        stored = (id for (id,) in self._database.execute(query, (prefix, prefix + _AFTER_IDS)))
        fresh = sorted(id for id in self._fresh if id.startswith(prefix))
        there = (id for id, _ in groupby(merge(stored, fresh)) if id not in self._gone)
        return list(islice((id for id in there if journal_size(self._home, id) is not None), limit))

    def _newest_first(self, wanted: dict[str, str | None], since: str | None, most: int | None) -> Iterator[Row]:
        given = {column: value for column, value in wanted.items() if value is not None}
        where = " AND ".join([*(f"{column} = ?" for column in given), "started >= ?"])
        # Rows that turn out to be replaced or gone are taken from what was asked for, so that many more are asked for.
        limit = -1 if most is None else most + len(self._fresh) + len(self._gone)
        query = f"SELECT summary, tasks, size FROM executions WHERE {where} ORDER BY started DESC, id LIMIT ?"
        stored = self._current(self._database.execute(query, (*given.values(), since or "", limit)))
        rows = [*stored, *self._fresh.values()]
        matching = [row for row in rows if _matches(row.summary, given, since)]
        matching.sort(key=lambda row: row.summary["execution"])
        matching.sort(key=lambda row: row.summary["startedAt"], reverse=True)
        return iter(matching)

    def _current(self, stored: sqlite3.Cursor) -> list[Row]:
        """Stored rows, without those that are known not to hold any more."""
        rows = [stored_row(*columns) for columns in stored]
        return [row for row in rows if row.execution not in self._fresh and row.execution not in self._gone]

    def _checked(self, row: Row) -> Row | None:
        """A row that is about to be shown, read again if its journal has another size after all."""
        if row.damaged or journal_size(self._home, row.execution) == row.size:
            return row
        return fold_row(self._home, self._read, row.execution)

    def _with_driver(self, row: Row, driven: Driven | None) -> Summary:
        """A running execution that nobody drives is interrupted, unless it went on before its driver let go."""
        if row.summary["status"] != "running" or driven is None or driven(row.execution):
            return row.summary
        summary = (fold_row(self._home, self._read, row.execution) or row).summary
        return {**summary, "status": "interrupted"} if summary["status"] == "running" else summary

    def _look_at_unfinished(self) -> None:
        # There may be ten thousand of them: the path is made of the stored shard, since hashing each id costs as much
        # as looking at the file.
        stored = self._database.execute("SELECT id, shard, size FROM executions WHERE NOT ended")
        changed = [
            id for id, shard, size in stored if size_at(f"{self._home.executions}/{shard}/{id}{JOURNAL}") != size
        ]
        for id in changed:
            self._look_at(id)

    def _look_at_shards(self) -> None:
        known: dict[str, Any] = {}
        if is_of_this_boot(self._database):
            known = dict(self._database.execute("SELECT shard, modified FROM shards"))
        for shard, modified in shard_names(self._home):
            if known.get(shard) != modified:
                self._look_at_shard(shard)

    def _look_at_shard(self, shard: str) -> None:
        there, stored = journals_in(self._home, shard), rows_in(self._database, shard)
        self._gone |= stored - there
        for id in there - stored:
            self._look_at(id)

    def _look_at(self, id: str) -> None:
        row = fold_row(self._home, self._read, id)
        if row is None:
            self._gone.add(id)
        else:
            self._fresh[id] = row


def _matches(summary: Summary, given: dict[str, str], since: str | None) -> bool:
    alike = all(summary[column] == value for column, value in given.items())  # type: ignore[literal-required]
    return alike and summary["startedAt"] >= (since or "")
