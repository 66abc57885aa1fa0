"""In place of a package that jsonschema uses where it is there, to check IRIs.

Its grammar takes a second to be made at each start of a server, of which the tests have hundreds; none needs it.
"""

from __future__ import annotations

raise ImportError("left out")
