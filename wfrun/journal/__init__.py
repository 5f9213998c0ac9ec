"""Bytes on disk: one append-only, hash-chained JSON Lines file for each execution. docs/journal.md tells the format."""
