"""The data folder: everything flownb keeps, for its owner alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flownb.store.snapshots import Snapshots
from flownb.store.writer import StoreError


@dataclass(frozen=True)
class DataFolder:
    """Where things are in the data folder."""

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "flownb.db"

    @property
    def key(self) -> Path:
        return self.root / "key.json"

    @property
    def lease(self) -> Path:
        return self.root / "server.json"

    @property
    def port(self) -> Path:
        return self.root / "port"

    @property
    def kernels(self) -> Path:
        return self.root / "kernels"

    @property
    def backup(self) -> Path:
        return self.root / "backup"

    @property
    def snapshots(self) -> Snapshots:
        return Snapshots(self.root / "snapshots")

    def make(self) -> None:
        """Make the folder with mode 0700 where it is missing; raises ``StoreError`` where it cannot be written."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self.root.chmod(0o700)
            for inner in ("snapshots", "kernels"):
                (self.root / inner).mkdir(mode=0o700, exist_ok=True)
            (self.root / ".gitignore").write_text("*\n")
        except OSError as error:
            raise StoreError(
                f"the data folder {self.root} cannot be written ({error.strerror}): "
                "make it writable or set c.FlowNB.data_dir to a folder that is"
            ) from None
