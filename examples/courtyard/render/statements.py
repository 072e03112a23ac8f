"""What the truth file says of articles and statements: records, conflicts, shared origins.

The statements themselves are in ``said_articles`` and ``said_statements``. Spans are verbatim
pieces of the committed files; offsets are found when the truth is written. Words for capacity,
stance, aspect and basis are those of the project's vocab.yaml.
"""

from __future__ import annotations

from dataclasses import dataclass

LEDGER = "articles/coast-ledger-2021-09-14.html"
POST = "articles/vara-evening-post-2021-09-15.html"
COUNCIL = "statements/01-harbour-council.txt"
COOP = "statements/02-northern-supply-cooperative.txt"
MONITOR = "statements/03-open-coast-monitor.txt"
TIDEWATER = "statements/04-tidewater-legal-desk.txt"
OMBUDSMAN = "statements/05-district-ombudsman.txt"
RESIDENTS = "statements/06-residents-of-ropewalk.txt"
BULLETIN = "statements/07-harbour-bulletin.html"
FILES = (LEDGER, POST, COUNCIL, COOP, MONITOR, TIDEWATER, OMBUDSMAN, RESIDENTS, BULLETIN)


@dataclass(frozen=True)
class Said:
    """One statement.

    Attributes:
        id: short id.
        file: path under input.
        speaker, organisation: who, as named there; None when not named.
        capacity, stance, aspects, basis: ids of vocab.yaml.
        verb: the reporting verb or verb of saying, as written; None when there is none.
        span: verbatim words.
        form: "direct" (quoted), "indirect", or "own" (the document speaks for itself).
        hedges: verbatim words within the span or its sentence.
        origin: id of the origin it rests on; None when unknown.
        copies: id of the statement whose wording it repeats.
    """

    id: str
    file: str
    speaker: str | None
    organisation: str | None
    capacity: str
    stance: str
    aspects: tuple[str, ...]
    basis: str
    verb: str | None
    span: str
    form: str
    hedges: tuple[str, ...] = ()
    origin: str | None = None
    copies: str | None = None


HC, NSC = "Lindvara Harbour Council", "Northern Supply Cooperative"
OCM, TLD = "Open Coast Monitor", "Tidewater Legal Desk"

CONTRADICTIONS: tuple[tuple[str, str, str], ...] = (
    ("council-denies", "coop-alleges", "whether relief goods were removed"),
    ("council-empty-crates", "coop-alleges", "what was carried"),
    ("monitor-handed", "tidewater-not-received", "whether the footage was handed over"),
    ("ledger-council", "ledger-coop", "whether relief goods were removed"),
)

ORIGINS: dict[str, str] = {
    "first-publication": "the footage itself, as first published by Lindvara Yard Watch",
    "coop-stock-count": "the cooperative's stock clerk; every form of its allegation rests on it",
    "council-account": "the council's own account",
    "residents": "two residents who say they stood at the window; independent of both parties",
    "monitor-account": "Open Coast Monitor's own account of the transfer",
    "tidewater-account": "Tidewater Legal Desk's own account of the transfer",
    "ombudsman": "the ombudsman's office; takes no position on the facts",
}

DEPENDENT_DOCUMENTS: tuple[tuple[str, str, str], ...] = (
    (BULLETIN, LEDGER, "repeats three paragraphs word for word and names the source"),
    (POST, LEDGER, "says that it relies on the Ledger's account of both parties"),
    (POST, OMBUDSMAN, "quotes the ombudsman's statement"),
    (LEDGER, COOP, "the cooperative's allegation, quoted from its spokesperson"),
)
