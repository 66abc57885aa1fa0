"""Why variables cannot be saved or had back. The server knows these by their names."""

from __future__ import annotations

from flownb.core.errors import FlowNBError


class CheckpointMissing(FlowNBError):
    """The file is not there."""

    reason = "checkpoint_missing"


class SnapshotDamaged(FlowNBError):
    """What is there is not what was written."""

    reason = "snapshot_damaged"


class SnapshotIncompatible(FlowNBError):
    """All is sound, but this kernel cannot make sense of it."""

    reason = "snapshot_incompatible"


class SnapshotTooLarge(FlowNBError):
    """The variables take more room than a checkpoint may."""

    reason = "snapshot_too_large"


class PlaceUnreachable(FlowNBError):
    """What keeps the snapshots cannot be reached from this kernel, or does not do what it is asked."""

    reason = "place_unreachable"
