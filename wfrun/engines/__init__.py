"""Engines perform the effects that the interpreter asks for, and feed it what came of them."""
