"""What may happen to an original, in the words of vocab.yaml, each with its PREMIS code.

A test holds these against the vocabulary shipped with the program. The codes are the last part of
http://id.loc.gov/vocabulary/preservation/eventType/CODE.
"""

from __future__ import annotations

from typing import Final

#: Event -> (PREMIS code, PREMIS label). Only those that an entry of ours stands for.
PREMIS: Final[dict[str, tuple[str, str]]] = {
    "identified": ("app", "appraisal"),
    "captured": ("cap", "capture"),
    "received": ("acc", "accession"),
    "ingested": ("ing", "ingestion"),
    "time_stamped": ("dsg", "digital signature generation"),
    "fixity_checked": ("fix", "fixity check"),
    "working_copy_made": ("rep", "replication"),
    "replicated": ("rep", "replication"),
    "transcoded": ("nor", "normalization"),
    "migrated": ("mig", "migration"),
    "media_refreshed": ("ref", "refreshment"),
    "extracted_part": ("ext", "extraction"),
    "metadata_changed": ("mem", "metadata modification"),
    "examined": ("ffa", "forensic feature analysis"),
    "viewed": ("dsp", "displaying"),
    "assessed": ("app", "appraisal"),
    "transferred": ("tra", "transfer"),
    "exported": ("exp", "exporting"),
    "deleted": ("del", "deletion"),
}

#: Entry kind -> the event it stands for; a custody.recorded names its own.
OF_KIND: Final[dict[str, str]] = {
    "acquisition.started": "captured",
    "acquisition.finished": "captured",
    "item.acquired": "ingested",
    "observation.made": "examined",
    "object.viewed": "viewed",
    "match.decided": "assessed",
    "object.erased": "deleted",
    "copy.made": "replicated",
    "checkpoint.stamped": "time_stamped",
}

#: What can be told of the time before intake.
TOLD: Final = (
    "identified",
    "captured",
    "received",
    "working_copy_made",
    "transcoded",
    "migrated",
    "media_refreshed",
    "extracted_part",
    "metadata_changed",
    "viewed",
    "transferred",
)


def code(event: str) -> str:
    """The PREMIS code of an event.

    Raises:
        KeyError: if it is none of ours.
    """
    return PREMIS[event][0]
