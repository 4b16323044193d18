# SPDX-License-Identifier: BSD-3-Clause
"""Joy: packets into flows, flows into answers.

    import joy
    table = joy.read("capture.pcap", tls=True).read_all()

A stream is taken as it is by pyarrow, polars, pandas and DuckDB: doc/python.md.
"""

from joy._joy import VERSION as __version__
from joy.api import explain, live, read, read_json, schema
from joy.errors import (
    DamagedInputError,
    DamagedInputWarning,
    InputError,
    JoyError,
    UsageError,
)
from joy.keywords import Option, options
from joy.stream import Stream, Trouble

__all__ = [
    "DamagedInputError",
    "DamagedInputWarning",
    "InputError",
    "JoyError",
    "Option",
    "Stream",
    "Trouble",
    "UsageError",
    "__version__",
    "explain",
    "live",
    "options",
    "read",
    "read_json",
    "schema",
]
