"""The use cases: the one place where the rooms are put together.

reading     status, tasks, executions, records       light: imports no engine, writes nothing
authoring   validate, init
drawing     outline
driving     run, resume, decide, cancel, batch
"""
