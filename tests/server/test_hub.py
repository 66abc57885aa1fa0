"""What a Hub tells its servers: under which address others reach them, and what operators are told of that."""

from __future__ import annotations

import pytest

from flownb.server.hub import Hub

ANN = {"JUPYTERHUB_API_URL": "http://10.0.0.1:8081/hub/api", "JUPYTERHUB_SERVICE_PREFIX": "/user/ann/"}
PUBLIC = {"JUPYTERHUB_PUBLIC_URL": "https://hub.example.org/user/ann/"}
ITS_OWN = {"JUPYTERHUB_HOST": "https://hub.example.org", "JUPYTERHUB_PUBLIC_URL": ""}


def test_a_server_without_a_hub_has_none() -> None:
    assert Hub.around({}) is None
    assert Hub.around({"JUPYTERHUB_SERVICE_PREFIX": "/user/ann/"}) is None


@pytest.mark.parametrize(
    ("said", "url"),
    [
        (PUBLIC, "https://hub.example.org/user/ann/"),
        (ITS_OWN, ""),
        ({}, ""),
    ],
)
def test_the_address_is_what_the_hub_says_as_far_as_it_says_it(said: dict[str, str], url: str) -> None:
    hub = Hub.around({**ANN, **said})
    assert hub is not None
    assert hub.public_url == url
    assert any("c.JupyterHub.public_url" in warning for warning in hub.warnings(addressed=False)) is (not url)
    assert not any("public_url" in warning for warning in hub.warnings(addressed=True))


def test_only_the_server_of_a_user_ends_with_its_user() -> None:
    service = Hub.around({**ANN, **PUBLIC, "JUPYTERHUB_SERVICE_NAME": "flownb"})
    user = Hub.around({**ANN, **PUBLIC})
    assert service is not None
    assert user is not None
    assert not service.warnings(addressed=False)
    assert "only while it runs" in user.warnings(addressed=False)[0]
