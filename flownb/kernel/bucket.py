"""The objects of an execution at a URL, by fsspec: in a bucket, most likely."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import IO, Any, TypeVar

from flownb.kernel.snapshot_errors import PlaceUnreachable

WAITS = (0.5, 2.0, 5.0)
"""Seconds before each further try; what fsspec stands on has tried several times itself by then."""

T = TypeVar("T")


class Bucket:
    """``Objects`` below a URL. fsspec is looked for only here: kernels need it only where snapshots are at a URL."""

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        """Raises ``PlaceUnreachable`` where the environment lacks what the URL needs."""
        self._url = url
        local = {"auto_mkdir": True} if url.startswith(("file:", "local:")) else {}
        try:
            url_to_fs = import_module("fsspec.core").url_to_fs
            self._files, self._root = url_to_fs(url, **{"use_listings_cache": False, **local, **options})
        except ImportError as error:
            scheme = url.partition("://")[0]
            needed = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "abfs": "adlfs", "az": "adlfs"}.get(scheme, "fsspec")
            raise PlaceUnreachable(
                f"snapshots are kept at {url}, and this kernel's environment cannot reach it ({error}): "
                f'run "python -m pip install {needed}" there'
            ) from None

    def has(self, name: str, size: int) -> bool:
        try:
            return bool(self._patiently(lambda: self._files.info(self._path(name)))["size"] == size)
        except FileNotFoundError:
            return False

    def put(self, name: str, content: bytes) -> None:
        self._patiently(lambda: self._files.pipe_file(self._path(name), content))

    def get(self, name: str, file: IO[bytes]) -> None:
        file.write(self._patiently(lambda: self._files.cat_file(self._path(name))))

    def __str__(self) -> str:
        return self._url

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _patiently(self, action: Callable[[], T]) -> T:
        """A piece is what is tried again: what came through before stays."""
        for wait in (*WAITS, None):
            try:
                return action()
            except FileNotFoundError:
                raise
            except Exception as error:  # of any library, by any name
                if wait is None or isinstance(error, PermissionError):
                    raise PlaceUnreachable(f"{self._url}: {type(error).__name__}: {error}") from None
                time.sleep(wait)
        raise AssertionError("the last try returns or raises")
