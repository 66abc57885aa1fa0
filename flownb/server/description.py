"""The API's own description, in OpenAPI."""

from __future__ import annotations

from importlib.resources import files

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.server.handler import FlowHandler

DESCRIPTION = files("flownb").joinpath("openapi.yaml")


class DescriptionHandler(FlowHandler):
    """``openapi.yaml``, with the base URL of this server in it."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        base = f"{self.request.protocol}://{self.request.host}{self.base_url.rstrip('/')}"
        text = DESCRIPTION.read_text(encoding="utf-8").replace("http://localhost:8888", base)
        self.finish(text, set_content_type="application/yaml")
