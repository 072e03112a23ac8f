"""Records of the room that says where and when."""

from __future__ import annotations

from typing import Literal

import msgspec

#: What stands in the table that ships with the program.
Body = Literal["sun", "moon"]


class Provenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the shipped table of sun and moon comes from, and how well it fits its source."""

    schema: int
    made_with: str
    source: str
    source_sha256: str
    table_sha256: str
    first_utc: str
    last_utc: str
    #: Up to here the Earth's rotation was measured; beyond, it is predicted.
    rotation_measured_to_utc: str
    #: Largest misfit between the nodes, degrees, of direction from the Earth's middle: {body: degrees}.
    largest_misfit_deg: dict[str, float]
