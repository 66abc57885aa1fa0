"""The addresses of the console."""

from __future__ import annotations

from typing import Any

from flownb.server.console import acts, data, deployed
from flownb.server.console.errors import ErrorsHandler
from flownb.server.console.execution import ExecutionHandler, RenderedHandler
from flownb.server.console.handler import ConsoleHandler
from flownb.server.console.inbox import InboxHandler
from flownb.server.console.lists import ExecutionsHandler, OverviewHandler, WorkflowsHandler
from flownb.server.console.outbox import OutboxHandler, SendHandler
from flownb.server.console.schedules import RunNowHandler, SchedulesHandler
from flownb.server.console.usage import UsageHandler
from flownb.server.service import Service


def routes(service: Service, max_body_bytes: int) -> list[tuple[str, Any, Any]]:
    """Behind those of the API and of the links, which begin alike."""
    one = r"/flownb/executions/([^/]+)"
    workflow = r"/flownb/deployed/([^/]+)"
    table: list[tuple[str, type[ConsoleHandler]]] = [
        (r"/flownb/?", OverviewHandler),
        (r"/flownb/executions/?", ExecutionsHandler),
        (one, ExecutionHandler),
        (rf"{one}/rendered", RenderedHandler),
        (rf"{one}/decide", acts.DecideHandler),
        (rf"{one}/replay", acts.ReplayHandler),
        (rf"{one}/open", acts.OpenHandler),
        (r"/flownb/inbox/?", InboxHandler),
        (r"/flownb/workflows/?", WorkflowsHandler),
        (r"/flownb/workflows/start", acts.StartHandler),
        (r"/flownb/workflows/deploy", deployed.DeployHandler),
        (workflow, deployed.WorkflowHandler),
        (rf"{workflow}/versions/([^/]+)", deployed.VersionHandler),
        (rf"{workflow}/settings", deployed.SettingsHandler),
        (rf"{workflow}/(start|undeploy|rollback|hook)", deployed.ActHandler),
        (r"/flownb/usage/?", UsageHandler),
        (r"/flownb/schedules/?", SchedulesHandler),
        (r"/flownb/schedules/([^/]+)/run", RunNowHandler),
        (r"/flownb/errors/?", ErrorsHandler),
        (r"/flownb/data/?", data.StoresHandler),
        (r"/flownb/data/([^/]+)", data.StoreHandler),
        (r"/flownb/data/([^/]+)/put", data.PutHandler),
        (r"/flownb/data/([^/]+)/delete", data.DeleteHandler),
        (r"/flownb/outbox/?", OutboxHandler),
        (r"/flownb/outbox/([^/]+)/send", SendHandler),
    ]
    arguments = {"service": service, "max_body_bytes": max_body_bytes}
    return [(route, handler, arguments) for route, handler in table]
