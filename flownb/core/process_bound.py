"""What makes things that live in one process only, as a text that calls it names it; see ``flownb/kernel/bound.py``."""

from __future__ import annotations

import re

MAKES_IT = re.compile(
    r"""
    open | (io|codecs|gzip|bz2|lzma|tarfile|pathlib\.Path)\.open | os\.(fdopen|popen|scandir) | h5py\.File
    | (gzip|bz2|lzma)\.\w+File | zipfile\.ZipFile(\.open)? | tarfile\.TarFile(\.open)?
    | tempfile\.(\w*TemporaryFile|TemporaryDirectory) | urllib\.request\.urlopen
    | socket\.(socket|socketpair|create_connection|create_server) | socket\.[\w.]+\.makefile
    | ssl\.(create_default_context|SSLContext) | selectors\.\w+Selector | select\.epoll | zmq\.Context(\.socket)?
    | (socketserver|http\.server)\.\w+Server | httpx\.(Client|AsyncClient) | aiohttp\.ClientSession
    | smtplib\.SMTP(_SSL)? | ftplib\.FTP(_TLS)? | imaplib\.IMAP4\w*
    | (await\ )?\w[\w.]*\.connect(\.(cursor|execute))? | await\ asyncpg\.create_pool
    | pyspark\.(sql\.SparkSession[\w.]*|SparkContext)\.getOrCreate
    | threading\.(Thread|Timer) | concurrent\.futures\.\w+Executor(\.submit)?
    | subprocess\.Popen | multiprocessing\.([a-z]\w*\.)?[A-Z]\w*
    | asyncio\.(create_task|ensure_future|gather|(new|get)_event_loop|get_running_loop) | asyncio\.\w+loop\.create_\w+
    | await\ asyncio\.(open_\w+|start_\w+|create_subprocess_\w+)
    | mmap\.mmap | ctypes\.(CDLL|pointer) | contextvars\.ContextVar | weakref\.finalize | ipywidgets\.[A-Z]\w*
    """,
    re.VERBOSE,
)
"""The calls that make what lives in one process only, by the full name of what is called."""

MAKES_SEVERAL = re.compile(r".*\.(socketpair|Pipe|open_\w+)")
"""Those that make several such things at once."""
