"""The local engine: many executions in one asyncio loop, one journal file each, one sync for all that gathered."""
