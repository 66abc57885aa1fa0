"""The API's calls about the record: whether it was altered."""

from __future__ import annotations

from jupyter_server.auth.decorator import authorized
from tornado import web

from flownb.core.errors import InvalidValue
from flownb.server.handler import FlowHandler
from flownb.server.verifying import report
from flownb.store.verify import Head


class VerifyHandler(FlowHandler):
    """Whether anybody without the key has altered the record of an execution, and where."""

    @web.authenticated
    @authorized
    async def get(self, execution_id: str) -> None:
        active, expected = self.active, self._expected()
        found = await report(active.store, active.links.key, self._service.config.runs_dir, execution_id, expected)
        await self.answer_large(200, found)

    def _expected(self) -> Head | None:
        said = self.get_query_argument("expect", None)
        try:
            return Head.read(said) if said is not None else None
        except ValueError as error:
            raise InvalidValue(f"expect is a head of the journal, as this call gives it: {error}") from None


ROUTES: list[tuple[str, type[FlowHandler]]] = [(r"/flownb/api/executions/([^/]+)/verify", VerifyHandler)]
