"""One module for each command: its declaration, and what it asks of the facade."""
