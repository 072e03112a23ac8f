"""Which folders hold a case, and in which none is made."""

from __future__ import annotations

from muniment.case.collecting import Request
from muniment.custody.scan import may_be_opened
from muniment.errors import UsageError
from muniment.store.layout import EVIDENCE, NOT_EVIDENCE, CaseFolder


def is_case(folder: CaseFolder) -> bool:
    """Whether a sealed case lies here, also one that lost its checkpoint; an `init` that was
    interrupted before its first checkpoint is none yet."""
    if not folder.root.exists():
        return False
    return folder.checkpoint.exists() or not may_be_opened(folder)


def refuse_foreign_folder(folder: CaseFolder) -> None:
    """Nothing, when the folder is new, empty or an interrupted case of ours.

    Raises:
        UsageError: if something else is in it, or it is a file.
    """
    # An interrupted `init` leaves its skeleton: that is ours and may be gone on from.
    ours = {*EVIDENCE, *NOT_EVIDENCE}
    if folder.path.is_dir() and any(path.name not in ours for path in folder.path.iterdir()):
        raise UsageError(
            "the folder is not empty and holds no case",
            subject=str(folder.path),
            remedy="Give --case a new or empty folder.",
        )
    if folder.path.exists() and not folder.path.is_dir():
        raise UsageError(
            "is not a folder", subject=str(folder.path), remedy="Give --case a new folder."
        )


def refuse_cases_as_sources(requests: list[Request]) -> None:
    """Nothing, when no source is a case: its log and objects, taken for files, would be evidence of
    nothing.

    Raises:
        UsageError: naming the first that is one.
    """
    for one in requests:
        if CaseFolder(one.source).looks_like_case():
            raise UsageError(
                "is a case of its own, no source",
                subject=str(one.source),
                remedy="Name it with --case to go on with it; to keep it as evidence, pack it into"
                " one file and collect that.",
            )


def refuse_inside_source(folder: CaseFolder, requests: list[Request]) -> None:
    """Nothing, when a case is there or the folder lies outside of what is collected, which is
    somebody's evidence.

    Raises:
        UsageError: if it lies inside.
    """
    if is_case(folder):
        return
    here = folder.path.resolve()
    for one in requests:
        if one.source.is_dir() and here.is_relative_to(one.source.resolve()):
            raise UsageError(
                f"lies inside the source {one.source}, so no case was made",
                subject=str(folder.path),
                remedy="Give --case a folder outside of what is collected.",
            )
