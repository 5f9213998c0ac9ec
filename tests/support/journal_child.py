"""A process that lives an execution's life on a real disk and says after each sync how many records are durable.

python -m tests.support.journal_child HOME     the life of `journals.live`, then one of two journals synced together
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import closing

from tests.support.journals import INFO, Ledger, completed, live, started
from wfrun.journal.commit import Committer
from wfrun.journal.home import Home
from wfrun.journal.journal import Journal


class SpokenLedger(Ledger):
    def told(self, journal: Journal) -> None:
        super().told(journal)
        print(journal.execution_id, len(journal.records), flush=True)


async def together(home: Home, ledger: SpokenLedger, *ids: str) -> None:
    committer = Committer(home.files)
    await asyncio.gather(*(drive(home, committer, ledger, id) for id in ids))
    await committer.close()


async def drive(home: Home, committer: Committer, ledger: SpokenLedger, execution_id: str) -> None:
    with closing(Journal.prepare(home, execution_id, started(execution_id))) as journal:
        journal.drive(INFO)
        for number in range(3):
            with journal.turn():
                journal.add(completed(number))
            await committer.sync(journal)
            ledger.told(journal)


def main(path: str) -> None:
    home, ledger = Home(path), SpokenLedger()
    live(home, ledger)
    asyncio.run(together(home, ledger, "left", "right"))


if __name__ == "__main__":
    main(sys.argv[1])
