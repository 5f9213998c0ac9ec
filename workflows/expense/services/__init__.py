"""The two systems that an expense claim touches."""

from wfrun.sandbox import Sandbox

SCHEMA = """
CREATE TABLE policy (category TEXT PRIMARY KEY, limit_cents INTEGER NOT NULL);
INSERT INTO policy VALUES ('travel', 500000), ('meals', 20000), ('equipment', 300000), ('training', 250000);

CREATE TABLE payments (
  reference TEXT NOT NULL, employee TEXT NOT NULL, amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
  paid_at TEXT NOT NULL, reversed_at TEXT
);
CREATE UNIQUE INDEX paid ON payments (reference) WHERE reversed_at IS NULL;
"""

world = Sandbox("expense", systems=("policy", "payments"), schema=SCHEMA)
