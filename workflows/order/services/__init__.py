"""The seven systems that an order touches. They share one SQLite file: the whole story can be seen in one place."""

from wfrun.sandbox import Sandbox

SCHEMA = """
CREATE TABLE stock (sku TEXT PRIMARY KEY, name TEXT NOT NULL, available INTEGER NOT NULL CHECK (available >= 0));
INSERT INTO stock VALUES ('TV-SAM-55', 'Samsung 55" TV', 5000), ('HDMI-2M', 'HDMI cable, 2 m', 20000);

-- What has been taken back may be done once more: of one reference, only one may stand.
CREATE TABLE reservations (
  reference TEXT NOT NULL, sku TEXT NOT NULL, quantity INTEGER NOT NULL, reserved_at TEXT NOT NULL, released_at TEXT
);
CREATE UNIQUE INDEX reserved ON reservations (reference, sku) WHERE released_at IS NULL;
CREATE TABLE charges (
  reference TEXT NOT NULL, customer TEXT NOT NULL, amount_cents INTEGER NOT NULL CHECK (amount_cents > 0),
  charged_at TEXT NOT NULL, refunded_at TEXT
);
CREATE UNIQUE INDEX charged ON charges (reference) WHERE refunded_at IS NULL;
CREATE TABLE shipments (
  reference TEXT NOT NULL, tracking TEXT NOT NULL, city TEXT NOT NULL, created_at TEXT NOT NULL, cancelled_at TEXT
);
CREATE UNIQUE INDEX booked ON shipments (reference) WHERE cancelled_at IS NULL;
CREATE TABLE purchases (
  reference TEXT NOT NULL, customer TEXT NOT NULL, total_cents INTEGER NOT NULL,
  recorded_at TEXT NOT NULL, retracted_at TEXT
);
CREATE UNIQUE INDEX recorded ON purchases (reference) WHERE retracted_at IS NULL;
CREATE TABLE outbox (reference TEXT PRIMARY KEY, recipient TEXT NOT NULL, subject TEXT NOT NULL, sent_at TEXT NOT NULL);
"""

world = Sandbox(
    "order",
    systems=("orders", "inventory", "warehouse", "payment", "shipping", "crm", "email"),
    schema=SCHEMA,
)
