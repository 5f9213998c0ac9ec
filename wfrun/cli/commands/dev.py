from typing import Annotated

from wfrun.cli.declare import Home, Opt, Services

EXAMPLE = "wfrun dev --services services.yaml"


def command(
    port: Annotated[int, Opt(("--port",), "Where the server listens.", "N")] = 7233,
    ui_port: Annotated[int, Opt(("--ui-port",), "Where its pages are.", "N")] = 8233,
    services: Services = None,
    home: Home = None,
) -> int:
    """Start a Temporal server for trying things, on this machine alone, with a worker. It keeps what it knows."""
    from wfrun.app.working import try_out

    return try_out(home, services, port=port, ui_port=ui_port)
