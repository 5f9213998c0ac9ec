"""Three channels. Each takes two seconds for a message, until it is told otherwise: the rows of `faults` say so."""

from wfrun.sandbox import Sandbox

SCHEMA = """
CREATE TABLE messages (
  reference TEXT NOT NULL, channel TEXT NOT NULL, recipient TEXT NOT NULL, text TEXT NOT NULL, sent_at TEXT NOT NULL,
  PRIMARY KEY (reference, channel)
);
INSERT INTO faults (target, fault) VALUES ('email', 'slow:2000'), ('sms', 'slow:2000'), ('push', 'slow:2000');
"""

world = Sandbox("notifications", systems=("email", "sms", "push"), schema=SCHEMA)
