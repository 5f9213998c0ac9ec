"""A cache of one-line summaries, so that `list` and `tasks` needn't open every journal.

The journals are the truth, and the index is never believed further than it can be checked cheaply:

- A row of an execution that *ended* stays right for ever, for nothing is appended to its journal; one that needs
  attention has not ended in that sense, as it can be resumed. Rows that are shown have their journal's size compared
  all the same. What keeps its size is not seen: verifying the chain is for those who read the journal.
- A row of one that has *not ended* is right as long as the journal has the size that the row was made from. The size is
  taken before the journal is read, so that whatever is appended meanwhile makes a difference, never a match.
- A *shard's* rows are complete if its directory has the modification time that was seen when all its journals had rows.
  A directory that was changed within the clock's tick (`RACY_NS`) is not trusted: a later change could look the same.

So a writer that was killed before it wrote costs time and no correctness: its shards are listed again, and its journals
read. Readers never write: they open the database read-only, and where they can't (none there, damaged, a killed
writer's rollback due) they read all journals. The database is in rollback mode, since readers of a WAL make files.
Writers don't sync; after another boot of the machine the shard times are forgotten, because rows may have been lost.
"""
