"""The server extension: its settings, and what they are made into."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any, cast

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_events import EventLogger
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from tornado.web import Application
from traitlets import Bool, Dict, Enum, Float, Int, List, TraitError, Type, Unicode, default, validate

from flownb.bridge.forkservers import PRELOAD
from flownb.bridge.gateway import Access
from flownb.bridge.gateways import Gateways
from flownb.bridge.local import LocalKernels
from flownb.bridge.pool import Pool
from flownb.core.durations import duration
from flownb.core.errors import InvalidValue
from flownb.core.mail import address
from flownb.core.proxies import Proxies
from flownb.server import api, hooks, kernel_data, kernel_snapshots, public
from flownb.server.blobs import Blobs
from flownb.server.clock import Clock
from flownb.server.config import Config
from flownb.server.console.routes import routes as console_routes
from flownb.server.exposure import Exposure
from flownb.server.gate import Gate
from flownb.server.gateways import accesses, jupyters_own
from flownb.server.giving import Address, fingerprint
from flownb.server.hub import Hub
from flownb.server.jupyter import JupyterKernels
from flownb.server.limits import Limits
from flownb.server.listener import Allowed, Listener, NothingHandler
from flownb.server.notebooks import Notebooks
from flownb.server.observing.telling import emitter
from flownb.server.pages import Pages
from flownb.server.ports import is_free, read_port
from flownb.server.secrets import take_out
from flownb.server.service import Service
from flownb.server.smtp import Smtp
from flownb.server.templating import STATIC
from flownb.store.folder import DataFolder
from flownb.store.prunable import Keep

PASSWORD = "FLOWNB_SMTP_PASSWORD"  # noqa: S105 - a name
"""Where in the environment the password to the mail server is looked for."""

STORE = "FLOWNB_STORE"
"""Where in the environment the URL of the database is looked for: it may hold a password."""

STOP_SECONDS = 8.0
"""The longest that stopping may take, besides `shutdown_seconds`: Jupyter waits for us before it ends."""


class FlowNB(Blobs, Exposure, ExtensionApp):
    """Durable workflows that are notebooks."""

    name = "flownb"
    extension_url = "/flownb/"
    static_paths = List(Unicode(), [str(STATIC)])
    load_other_extensions = True

    data_dir = Unicode(
        ".flownb", help="Folder for the database, snapshots and the key; relative to the server's root folder."
    ).tag(config=True)
    runs_dir = Unicode(
        "flownb-runs",
        help="Folder for the executed notebook of each execution; relative to the root folder, empty for none.",
    ).tag(config=True)
    max_running = Int(8, min=1, help="Executions that run at the same time; what is paused does not count.").tag(
        config=True
    )
    warm_seconds = Float(30.0, min=0.0, help="Seconds for which a paused execution keeps its kernel.").tag(config=True)
    shutdown_seconds = Float(
        5.0, min=0.0, help="Seconds that steps have to end in when the server stops, before they are interrupted."
    ).tag(config=True)
    pool_size = Int(1, min=0, help="Kernels kept parked for each kernelspec and folder in use.").tag(config=True)
    fork_kernels = Bool(
        True, help="Fork kernels from a server that has imported what they need, where the platform can do that."
    ).tag(config=True)
    preload = List(
        Unicode(), [*PRELOAD], help="Modules that a fork server imports for all kernels, where they are installed."
    ).tag(config=True)
    kernel_memory_bytes = Int(0, min=0, help="Most memory that a kernel may allocate, in bytes; 0 for no limit.").tag(
        config=True
    )
    gateways = List(
        Dict(),
        [],
        help="Gateways that steps run on, each a mapping of `url`, `token`, `slots`, ...; none for this machine.",
    ).tag(config=True)
    kernel_url = Unicode(
        "", help="Address under which kernels reach this server, with its base URL; empty for what the server knows."
    ).tag(config=True)
    max_snapshot_bytes = Int(
        8 * 1024**3, min=0, help="Most that the variables of a checkpoint may take, in bytes; 0 for no limit."
    ).tag(config=True)
    keep_snapshots_seconds = Float(
        7 * 86_400.0,
        min=0.0,
        help="Seconds for which the snapshots of an execution that is over are kept, to open or replay it.",
    ).tag(config=True)
    keep_executions_days = Float(
        0.0, min=0.0, help="Days after its end after which an execution is removed; 0 for never."
    ).tag(config=True)
    keep_executions = Int(
        0, min=0, help="Executions of each workflow that are kept after their end, the latest; 0 for all."
    ).tag(config=True)
    keep_bytes = Int(
        0, min=0, help="Bytes above which executions that are over are removed, the oldest first; 0 for no limit."
    ).tag(config=True)
    max_body_bytes = Int(512 * 1024, min=1, help="Largest body of a request that is taken, in bytes.").tag(config=True)
    max_import_bytes = Int(
        16 * 1024**3, min=1, help="Largest file with an execution from another machine that is taken, in bytes."
    ).tag(config=True)
    max_export_bytes = Int(1024 * 1024, min=1, help="Largest value that a step may export, in bytes of JSON.").tag(
        config=True
    )
    default_timeout = Unicode(
        "",
        help='Time limit of one attempt of a step that sets none, and of a setup cell, like "10m"; empty for none.',
    ).tag(config=True)
    owner = Unicode("", help="Address of whoever runs this server: gets the mails of steps that name nobody.").tag(
        config=True
    )
    smtp_host = Unicode("", help="The mail server; without one, mails stay in the outbox.").tag(config=True)
    smtp_port = Int(0, min=0, max=65535, help="Its port; 0 for the usual one of `smtp_security`.").tag(config=True)
    smtp_security = Enum(
        ["starttls", "tls", "none"], "starttls", help="How the connection to the mail server is made secure."
    ).tag(config=True)
    smtp_user = Unicode("", help="The name to log in to the mail server with; empty for no login.").tag(config=True)
    smtp_password = Unicode("", help=f"The password to it; better in the environment, as {PASSWORD}.").tag(config=True)
    mail_from = Unicode("", help="Address that mails come from; empty for `owner`.").tag(config=True)
    notify = List(
        Unicode(),
        [],
        help="Apprise URLs of services that are told of new pauses, failures and reminders (needs `flownb[notify]`).",
    ).tag(config=True)
    journal_mode = Enum(
        ["WAL", "DELETE"], "WAL", help="SQLite's journal mode; WAL does not work on network file systems."
    ).tag(config=True)
    store = Unicode(
        "",
        help=f"URL of a Postgres database that holds the record (needs `flownb[postgres]`), also in the environment, "
        f"as {STORE}; empty for SQLite in `data_dir`.",
    ).tag(config=True)
    key_file = Unicode(
        "",
        help="File with the key of links, the same for all servers on one store; empty for `key.json` in `data_dir`.",
    ).tag(config=True)
    lease_seconds = Float(
        10.0,
        min=0.5,
        help="Seconds without a sign of life after which a server is taken for gone by others on the same Postgres.",
    ).tag(config=True)
    clock_class = Type(Clock, klass=Clock, help="Where the time comes from; tests set their own.").tag(config=True)

    _service: Service
    _gate: Gate
    _callbacks: Listener | None = None
    _hub: Hub | None = None
    _accesses: list[Access]

    @default("smtp_password")
    def _password(self) -> str:
        return os.environ.pop(PASSWORD, "")  # no kernel inherits it

    @default("store")
    def _store(self) -> str:
        return os.environ.get(STORE, "")

    @validate("store")
    def _a_database(self, proposal: Any) -> str:
        value = str(proposal["value"])
        if value and not value.startswith(("postgresql://", "postgres://")):
            raise TraitError("FlowNB.store is the URL of a Postgres database, postgresql://..., or empty")
        return value

    @validate("owner", "mail_from")
    def _an_address(self, proposal: Any) -> str:
        value = str(proposal["value"])
        try:
            address(value, f"FlowNB.{proposal['trait'].name}") if value else None
        except InvalidValue as error:
            raise TraitError(str(error)) from None
        return value

    @validate("default_timeout")
    def _a_duration(self, proposal: Any) -> str:
        value = str(proposal["value"])
        try:
            duration(value, "FlowNB.default_timeout") if value else None
        except InvalidValue as error:
            raise TraitError(str(error)) from None
        return value

    @property
    def _jupyter(self) -> ServerApp:
        assert self.serverapp is not None
        return self.serverapp

    @property
    def _root(self) -> Path:
        return Path(self._jupyter.root_dir)

    def initialize_settings(self) -> None:
        """Make the service; it starts with the server."""
        take_out(os.environ)
        self._hub = Hub.around(os.environ)
        self._accesses = accesses(self.gateways, os.environ) or jupyters_own()
        # Where Jupyter has its own kernels behind a gateway, what it knows of kernelspecs is the gateway's.
        known = self._jupyter.kernel_spec_manager
        specs = known if isinstance(known, KernelSpecManager) and not jupyters_own() else KernelSpecManager()
        timeout = duration(self.default_timeout, "FlowNB.default_timeout") if self.default_timeout else None
        store = self.store
        os.environ.pop(STORE, None)  # no kernel inherits it, used or not
        config = Config(
            data_dir=self._root / self.data_dir,
            root=self._root,
            runs_dir=self._root / self.runs_dir if self.runs_dir else None,
            journal_mode=self.journal_mode,
            store=store,
            lease_seconds=self.lease_seconds,
            key_file=self._root / self.key_file if self.key_file else self._root / self.data_dir / "key.json",
            max_running=self.max_running,
            warm_seconds=self.warm_seconds,
            shutdown_seconds=self.shutdown_seconds,
            kernel_memory=self.kernel_memory_bytes or None,
            max_snapshot_bytes=self.max_snapshot_bytes,
            bucket=self._bucket(self._root / self.data_dir),
            keep_snapshots_seconds=self.keep_snapshots_seconds,
            max_import_bytes=self.max_import_bytes,
            keep=Keep(self.keep_executions_days, self.keep_executions, self.keep_bytes),
            limits=Limits(timeout, self.max_export_bytes),
            smtp=self._smtp(),
            notify=tuple(self.notify),
            proxies=self._proxies(),
        )
        clock = self.clock_class()
        self._gate = Gate(clock, self.address_rate, self.link_rate)
        self._keep_port(DataFolder(config.data_dir))
        self._service = Service(
            config,
            kernels=lambda folder: Pool(self._kernels(specs, folder.kernels), self.pool_size),
            notebooks=Notebooks(self._root, specs),
            clock=clock,
            root_url=self._root_url,
            jupyter=JupyterKernels(self._jupyter),
            address=self._address,
            owner=self._owner,
            emit=emitter(cast(EventLogger, self._jupyter.event_logger)),
            log=self.log,
        )

    @validate("gateways")
    def _known_gateways(self, proposal: Any) -> list[dict[str, Any]]:
        value: list[dict[str, Any]] = proposal["value"]
        try:
            accesses(value)
        except InvalidValue as error:
            raise TraitError(str(error)) from None
        return value

    def _kernels(self, specs: KernelSpecManager, folder: Path) -> LocalKernels | Gateways:
        local = LocalKernels(specs, folder, self._preload())
        behind = self._accesses
        return Gateways(behind, folder, local, self.log) if behind else local

    def _preload(self) -> list[str] | None:
        return self.preload if self.fork_kernels else None

    def _smtp(self) -> Smtp:
        return Smtp(
            host=self.smtp_host,
            port=self.smtp_port,
            security=self.smtp_security,
            user=self.smtp_user,
            password=self.smtp_password,
            sender=self.mail_from,
            owner=self.owner,
        )

    def initialize_handlers(self) -> None:
        self.handlers.extend(self._public_routes())
        self.handlers.extend(kernel_data.routes(self._service, self.max_export_bytes))
        self.handlers.extend(kernel_snapshots.routes(self._service, self.max_snapshot_bytes))
        self.handlers.extend(api.routes(self._service, self.max_body_bytes))
        self.handlers.extend(console_routes(self._service, self.max_body_bytes))

    def _public_routes(self) -> list[tuple[str, Any, Any]]:
        arguments = {
            "service": self._service,
            "pages": Pages(),
            "gate": self._gate,
            "max_body_bytes": self.max_body_bytes,
        }
        return [*public.routes(arguments, self.confirm_links), *hooks.routes(arguments)]

    def _proxies(self) -> Proxies:
        """Unless some are named, Jupyter's own setting says whether any is believed."""
        return Proxies.of(self.trusted_proxies, whoever=self._jupyter.trust_xheaders and not self.trusted_proxies)

    def _listener(self, base: str) -> Listener:
        routes = [(base + route, handler, arguments) for route, handler, arguments in self._public_routes()]
        others = {"default_handler_class": NothingHandler, "default_handler_args": routes[-1][2]}
        allowed = Allowed(
            self.callback_connections,
            self.callback_address_connections,
            self.callback_header_bytes,
            self.callback_header_seconds,
            self.callback_body_seconds,
        )
        return Listener(Application(routes, **others), allowed, self._service.config.proxies)

    async def _start_jupyter_server_extension(self, serverapp: Any) -> None:
        if self.callback_port:
            self._callbacks = self._listener(serverapp.base_url.rstrip("/"))
            self._callbacks.listen(self.callback_port, self.callback_ip)
        if self._hub is not None:
            for warning in self._hub.warnings(addressed=bool(self.public_url or self.callback_port)):
                self.log.warning("flownb: %s", warning)
        self._service.start()

    async def stop_extension(self) -> None:
        """Never raises, and takes seconds at most: Jupyter would not end otherwise."""
        try:
            if self._callbacks is not None:
                self._callbacks.stop()
            await asyncio.wait_for(self._service.stop(), STOP_SECONDS + self.shutdown_seconds)
        except Exception:
            self.log.exception("flownb: stopping went wrong; the next start recovers")

    def current_activity(self) -> bool:
        """Whether the server should not be stopped for want of activity."""
        return self._service.busy

    def _owner(self) -> dict[str, Any]:
        return {"pid": os.getpid(), "url": self._jupyter.connection_url}

    def _address(self) -> Address:
        if self.kernel_url:
            return Address(f"{self.kernel_url.rstrip('/')}/flownb/")
        certfile = self._jupyter.certfile
        url = f"{self._jupyter.connection_url.rstrip('/')}/flownb/"
        return Address(url, fingerprint(certfile) if certfile else None)

    def _keep_port(self, folder: DataFolder) -> None:
        """Listen where links that were sent before point to, unless a port or a public address is set."""
        chosen = self._jupyter.config.get("ServerApp", {}).get("port")
        port = read_port(folder)
        if (
            port is None
            or chosen
            or self._hub
            or self.store
            or self.public_url
            or self.callback_port
            or self._jupyter.sock
        ):
            return
        if is_free(port, self._jupyter.ip):
            self._jupyter.port = port

    def _root_url(self, folder: DataFolder) -> str:
        """The address that links begin with; says so where links that were sent before have become useless."""
        if self.public_url:
            return f"{self.public_url.rstrip('/')}/flownb/"
        url: str = self._jupyter.connection_url
        if self.callback_port:
            base = self._jupyter.base_url.strip("/")
            return f"http://{self.callback_ip}:{self.callback_port}/{base + '/' if base else ''}flownb/"
        if self._hub is not None:
            return f"{(self._hub.public_url or url).rstrip('/')}/flownb/"
        if self.store:
            return f"{url.rstrip('/')}/flownb/"  # the folder may be that of several servers
        before, port = read_port(folder), self._jupyter.port
        if before is not None and before != port:
            self.log.critical(
                "flownb: links that were sent before point to port %d, and this server listens on %d: they do not "
                "work. Free port %d and start again, or set c.FlowNB.public_url to an address that stays.",
                before,
                port,
                before,
            )
        folder.port.touch(mode=0o600)
        folder.port.write_text(str(port))
        return f"{url.rstrip('/')}/flownb/"


main = FlowNB.launch_instance
