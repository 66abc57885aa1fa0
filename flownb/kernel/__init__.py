"""What runs inside a kernel: ``pd``, the protocol of a step, and snapshots of the author's namespace.

Imports only the standard library, IPython, cloudpickle and ``flownb.core``, so that any kernel can load it, from a
zip archive too.
"""

from __future__ import annotations
