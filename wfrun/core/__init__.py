"""The pure core: definition, expressions, plan, events, effects, interpreter. No file, clock, randomness or thread."""
