"""Real TLS: a certificate for `localhost` that is made for the test, and trusted where the test says so."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from tests.unit.adapters.http_support import echo_all
from tests.unit.adapters.support import ask
from wfrun.core.values import Json
from wfrun.errors import ServiceError

MAKE = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -addext"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl, which makes the certificate, is not installed")
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    command = [*MAKE.split(), "subjectAltName=DNS:localhost", "-keyout", str(file), "-out", f"{file}.crt"]
    subprocess.run(command, check=True, capture_output=True)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


@pytest.fixture
def secure(certificate: Path) -> Iterator[HTTPServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with HTTPServer(host="localhost", port=0, ssl_context=context) as server:
        yield echo_all(server)


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")


def get(server: HTTPServer, *, host: str = "localhost", from_data: bool = False) -> Json:
    base = "http://127.0.0.1:9" if from_data else f"https://{host}:{server.port}"
    action = {"method": "POST", **({"url": "$.url"} if from_data else {"path": "/api/x"}), "result": "$.headers.host"}
    settings = {"adapter": "http", "baseUrl": base, "allowPrivate": True, "actions": {"go": action}}
    return ask(settings, "go", {"url": f"https://{host}:{server.port}/api/x"})


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("from_data", [False, True])
def test_a_server_with_a_trusted_certificate_is_reached(secure: HTTPServer, from_data: bool) -> None:
    assert get(secure, from_data=from_data) == f"localhost:{secure.port}"


@pytest.mark.parametrize("from_data", [False, True])
def test_a_certificate_that_nobody_trusts_is_refused(secure: HTTPServer, from_data: bool) -> None:
    with pytest.raises(ServiceError) as caught:
        get(secure, from_data=from_data)
    assert caught.value.type == "http.connection"
    assert "certificate" in caught.value.message.lower()


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("from_data", [False, True])
def test_a_certificate_of_another_host_is_refused(secure: HTTPServer, from_data: bool) -> None:
    """Also where the connection goes to an address that was resolved before: the name is what counts."""
    with pytest.raises(ServiceError) as caught:
        get(secure, host="127.0.0.1", from_data=from_data)
    assert caught.value.type == "http.connection"
