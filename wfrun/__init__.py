"""wfrun: durable business processes from YAML, on the command line."""

from wfrun.errors import ServiceError

__version__ = "0.1.0"
__all__ = ["ServiceError", "__version__"]
