"""A real small service: what the gallery's examples and rehearsals of your own workflows call instead of the world.

A service is a plain function and some SQL. The sandbox gives it what a good service has: state that outlives the
process (SQLite), idempotency keys, refusal of calls that arrive after they were undone, a ledger of every call, faults
on demand, and two faces: the function itself (the `python` adapter) and HTTP (the `http` adapter).

    world = Sandbox("shop", systems=["payment"], schema="CREATE TABLE charges (reference TEXT, amount_cents INTEGER)")
    payment = world.system("payment")

    @payment.action("POST /charges")
    def charge(input: Fields, call: Call) -> Fields:
        call.db.execute("INSERT INTO charges VALUES (?, ?)", (input["reference"], cents(input["amount"])))
        return {"charged": input["amount"]}
"""

from wfrun.sandbox.call import Call, Caller, Fields
from wfrun.sandbox.money import amount, cents
from wfrun.sandbox.sandbox import Sandbox, System

__all__ = ["Call", "Caller", "Fields", "Sandbox", "System", "amount", "cents"]
