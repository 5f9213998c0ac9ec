"""What each kind of step does: coroutines that take the interpreter, the step of the plan, and the scope it runs in."""
