"""Everybody a loan application meets. They share one SQLite file: the whole story can be seen in one place."""

from wfrun.sandbox import Sandbox

SCHEMA = """
CREATE TABLE credit_files (ssn TEXT PRIMARY KEY, name TEXT NOT NULL, score INTEGER NOT NULL);
INSERT INTO credit_files VALUES
  ('123-45-6789', 'Ana Silva', 742), ('555-44-3333', 'Cora Lind', 680), ('987-65-4321', 'Ben Okoye', 611);

CREATE TABLE documents (
  reference TEXT PRIMARY KEY, applicant TEXT NOT NULL, amount_cents INTEGER NOT NULL, made_at TEXT NOT NULL
);
CREATE TABLE signatures (
  reference TEXT PRIMARY KEY, signer TEXT NOT NULL, document TEXT NOT NULL, signed_at TEXT NOT NULL
);
CREATE TABLE disbursements (
  reference TEXT NOT NULL, amount_cents INTEGER NOT NULL CHECK (amount_cents > 0), rate REAL NOT NULL,
  disbursed_at TEXT NOT NULL, reversed_at TEXT
);
CREATE UNIQUE INDEX disbursed ON disbursements (reference) WHERE reversed_at IS NULL;
CREATE TABLE outbox (reference TEXT PRIMARY KEY, recipient TEXT NOT NULL, subject TEXT NOT NULL, sent_at TEXT NOT NULL);
"""

world = Sandbox(
    "loan",
    systems=(
        "credit-bureau",
        "verification-service",
        "appraisal-service",
        "underwriting-service",
        "document-service",
        "signature-service",
        "funding-service",
        "email-service",
    ),
    schema=SCHEMA,
)
