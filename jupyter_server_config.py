"""Every setting of flownb with its default.

Uncomment what you change, and start the server with ``jupyter server --config=jupyter_server_config.py``, or put the
lines into the configuration you have (``jupyter --paths`` tells where it is looked for).
"""

from __future__ import annotations

c = get_config()  # noqa: F821 - Jupyter puts it there when it loads this file

# Folder for the database, the snapshots and the key; relative to the server's root folder.
# c.FlowNB.data_dir = ".flownb"

# Folder for the executed notebook of each execution; relative to the root folder, empty for none.
# c.FlowNB.runs_dir = "flownb-runs"

# The address under which others reach this server, with its base URL; empty for what the server knows.
# c.FlowNB.public_url = ""

# Port of a second listener that serves the public URLs alone, so that Jupyter need not be exposed; 0 for none.
# c.FlowNB.callback_port = 0

# Address that the second listener listens on.
# c.FlowNB.callback_ip = "localhost"

# Connections that the second listener has at the same time.
# c.FlowNB.callback_connections = 1000

# Of these, those from one address that is no trusted proxy's.
# c.FlowNB.callback_address_connections = 100

# Largest head of a request to the second listener, in bytes.
# c.FlowNB.callback_header_bytes = 16384

# Seconds within which the head of a request is there, from the connection or the answer before it.
# c.FlowNB.callback_header_seconds = 15.0

# Seconds within which the body is there.
# c.FlowNB.callback_body_seconds = 60.0

# Addresses and networks of proxies whose X-Forwarded-For and X-Forwarded-Proto count, such as ["127.0.0.1"].
# c.FlowNB.trusted_proxies = []

# Requests a second that one address may send to links, after ten seconds' worth at once; 0 for no limit.
# c.FlowNB.address_rate = 50.0

# Requests a second that may come to one link, after ten seconds' worth at once; 0 for no limit.
# c.FlowNB.link_rate = 20.0

# Executions that run at the same time; what is paused does not count.
# c.FlowNB.max_running = 8

# Seconds for which a paused execution keeps its kernel.
# c.FlowNB.warm_seconds = 30.0

# Seconds that steps have to end in when the server stops, before they are interrupted.
# c.FlowNB.shutdown_seconds = 5.0

# Kernels kept parked for each kernelspec and folder in use.
# c.FlowNB.pool_size = 1

# Fork kernels from a server that has imported what they need, where the platform can do that.
# c.FlowNB.fork_kernels = True

# Modules that a fork server imports for all kernels, where they are installed.
# c.FlowNB.preload = ["numpy", "pandas", "matplotlib", "matplotlib.pyplot"]

# Most memory that a kernel may allocate, in bytes; 0 for no limit.
# c.FlowNB.kernel_memory_bytes = 0

# Gateways that steps run on: a list of mappings with url, name, token or token_env, labels, weight, slots, ca_certs,
# client_cert, client_key, validate_cert. Empty for this machine.
# c.FlowNB.gateways = []

# Address under which kernels reach this server, with its base URL; empty for what the server knows of itself.
# c.FlowNB.kernel_url = ""

# Where snapshots are kept, as a URL of fsspec like s3://bucket/prefix (needs flownb[s3]); empty for the data folder.
# c.FlowNB.blobs = ""

# Options for that URL, like {"endpoint_url": "https://s3.example.org"}. Kernels are told them: credentials are better
# in the environment.
# c.FlowNB.blobs_options = {}

# The most that the variables of one checkpoint may take, in bytes; 0 for no limit.
# c.FlowNB.max_snapshot_bytes = 8589934592

# For so long after its end an execution keeps its snapshots, to be opened or replayed, in seconds.
# c.FlowNB.keep_snapshots_seconds = 604800.0

# Largest file with an execution from another machine that is taken, in bytes.
# c.FlowNB.max_import_bytes = 17179869184

# Days after its end after which an execution is removed; 0 for never.
# c.FlowNB.keep_executions_days = 0.0

# Executions of each workflow that are kept after their end, the latest; 0 for all.
# c.FlowNB.keep_executions = 0

# Bytes above which executions that are over are removed, the oldest first; 0 for no limit.
# c.FlowNB.keep_bytes = 0

# Largest body of a request that is taken, in bytes.
# c.FlowNB.max_body_bytes = 524288

# Largest value that a step may export, in bytes of JSON.
# c.FlowNB.max_export_bytes = 1048576

# A resume or cancel link that is merely opened (GET) asks for a confirmation first.
# c.FlowNB.confirm_links = False

# Longest time for one attempt of a step that sets none, and of a setup cell, such as "10m"; empty for no limit.
# c.FlowNB.default_timeout = ""

# Address of whoever runs this server: gets the mails of steps that name nobody.
# c.FlowNB.owner = ""

# The mail server; without one, mails stay in the outbox.
# c.FlowNB.smtp_host = ""

# Its port; 0 for the usual one: 587 with "starttls", 465 with "tls", 25 with "none".
# c.FlowNB.smtp_port = 0

# How the connection to the mail server is made secure: "starttls", "tls" or "none".
# c.FlowNB.smtp_security = "starttls"

# The name to log in to the mail server with; empty for no login.
# c.FlowNB.smtp_user = ""

# The password to it. Better in the environment of the server, as FLOWNB_SMTP_PASSWORD.
# c.FlowNB.smtp_password = ""

# Address that mails come from; empty for the owner's.
# c.FlowNB.mail_from = ""

# Apprise URLs of services that are told of new pauses, failures and reminders, such as "slack://...".
# c.FlowNB.notify = []

# URL of a Postgres database that holds the record (needs `flownb[postgres]`); better in the environment, as
# FLOWNB_STORE. Empty for SQLite in `data_dir`.
# c.FlowNB.store = ""

# File with the key of links, the same for all servers on one store; empty for key.json in `data_dir`.
# c.FlowNB.key_file = ""

# Seconds without a sign of life after which a server is taken for gone by the others on the same Postgres.
# c.FlowNB.lease_seconds = 10.0

# SQLite's journal mode; "DELETE" where the data folder is on a network file system.
# c.FlowNB.journal_mode = "WAL"
