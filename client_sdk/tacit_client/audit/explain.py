"""A log entry in plain words."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from tacit_protocol import messages, signing
from tacit_protocol.board import RESTART
from tacit_protocol.errors import EncodingError
from tacit_protocol.messages import (
    AccessRules,
    AuditorAppointment,
    BoardEntry,
    CeremonyCut,
    Eligibility,
    Enrolment,
    Erasure,
    GrantRequest,
    Handover,
    IndexRoot,
    Manifest,
    QueryAuditAnswer,
    QueryAuditOrder,
    QueryAuditResult,
    Receipt,
    Round1,
    Round2,
    Round3,
    Round3Answer,
    Round4,
    StatementSignature,
    TallyAnnouncement,
    TallyInput,
    TallyRelease,
    UploadCommitment,
    WindowClose,
)


def explain(entry: BoardEntry) -> list[str]:
    """Return what an entry says, as sentences; first when it was taken in and who signed it."""
    message = entry.message
    head = f"Entry {entry.sequence}, taken in {when(entry.time)}, signed by {message.signer}."
    kind = messages.KINDS.get(message.kind)
    if kind is None:
        return [head, "It is of a kind that this program does not know: update it."]
    try:
        body = messages.body_of(message, kind)
    except EncodingError as error:
        return [head, f"It cannot be read: {error.message}"]
    return [head, *_WORDS[kind](body, message.signer)]


def when(seconds: int) -> str:
    """Return a time as people read it, in UTC."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")


def _manifest(m: Manifest, _signer: str) -> list[str]:
    names = ", ".join(f"{t.index} ({signing.pseudonym(t.signing_key)} at {t.url})" for t in m.trustees)
    return [
        f"The secretariat opens epoch {m.epoch} from {when(m.opens)} to {when(m.closes)} with the streams "
        f"{', '.join(m.streams)}.",
        f"{m.threshold} of the trustees {names} must answer together; trustee {m.shuffler} shuffles.",
        f"Each member may have {m.quota:,} elements evaluated per stream; a window needs {m.minimum_contributors} new "
        "contributors.",
    ]


def _enrolment(_m: Enrolment, signer: str) -> list[str]:
    return [f"Member {signer} joins and shows that it holds its signing key."]


def _ceremony(text: str) -> Callable[[Any, str], list[str]]:
    def words(m: Round1 | Round2 | Round3 | Round3Answer | Round4, _signer: str) -> list[str]:
        number = "" if m.attempt == 1 else f", attempt {m.attempt}"
        return [f"Trustee {m.sender} {text} (key ceremony of {m.epoch}/{m.stream}{number})."]

    return words


def _complaint(m: Round3, signer: str) -> list[str]:
    accused = ", ".join(map(str, m.accused))
    text = f"accuses trustee {accused}: its share did not fit" if accused else "found all shares in order"
    return _ceremony(text)(m, signer)


def _cut(m: CeremonyCut, _signer: str) -> list[str]:
    if m.step == RESTART:
        return [f"The secretariat gives attempt {m.attempt} of the key ceremony of {m.epoch}/{m.stream} up."]
    return [f"The secretariat waits no longer for silent trustees in step {m.step} of {m.epoch}/{m.stream}."]


def _grant(m: GrantRequest, signer: str) -> list[str]:
    return [
        f"Member {signer} may have one batch of {m.count:,} blinded elements evaluated in {m.epoch}/{m.stream}; they "
        "count against its quota.",
        "The digest binds the batch. What is in it nobody can tell from this.",
    ]


def _upload(m: UploadCommitment, signer: str) -> list[str]:
    return [
        f"Member {signer} commits to {m.count:,} sealed records for window {m.window} of {m.epoch}/{m.stream}, padding "
        "included."
    ]


def _receipt(m: Receipt, signer: str) -> list[str]:
    return [f"The shuffler {signer} confirms the upload of entry {m.entry}: {m.count:,} records."]


def _close(m: WindowClose, _signer: str) -> list[str]:
    return [f"The secretariat closes window {m.window} of {m.epoch}/{m.stream}; the shuffler hands over."]


def _handover(m: Handover, _signer: str) -> list[str]:
    if not m.entries:
        return [f"Too few members contributed to window {m.window} of {m.epoch}/{m.stream}: their records wait."]
    return [
        f"The shuffler hands over {m.count:,} records of window {m.window} of {m.epoch}/{m.stream}, mixed, from the "
        f"{len(m.entries)} uploads in entries {', '.join(map(str, m.entries))}. The secretariat publishes the list of "
        "their hashes: what is not in it the shuffler dropped, what is in it and not in the index the secretariat did."
    ]


def _index(m: IndexRoot, _signer: str) -> list[str]:
    return [
        f"The secretariat publishes the index of window {m.window} of {m.epoch}/{m.stream}: {m.records:,} records, "
        f"{m.size:,} bytes, root {m.root.hex()}."
    ]


def _erasure(m: Erasure, _signer: str) -> list[str]:
    return [f"Trustee {m.sender} says that it has erased its shares of epoch {m.epoch}: nothing more comes from it."]


def _rules(m: AccessRules, _signer: str) -> list[str]:
    streams = ", ".join(m.restricted) or "none"
    signs = "Every member signs a statement first, which stands here." if m.statement else "There is nothing to sign."
    return [f"The secretariat sets the rules of epoch {m.epoch}; streams for members let in by name: {streams}.", signs]


def _eligibility(m: Eligibility, _signer: str) -> list[str]:
    does = "lets" if m.eligible else "no longer lets"
    return [f"The secretariat {does} member {m.member} into {m.epoch}/{m.stream}."]


def _statement(m: StatementSignature, signer: str) -> list[str]:
    return [f"Member {signer} signs the statement of epoch {m.epoch} (digest {m.statement.hex()})."]


def _auditor(m: AuditorAppointment, _signer: str) -> list[str]:
    return [
        f"The secretariat appoints auditor {signing.pseudonym(m.signing_key)} until {when(m.until)}.",
        "Answers to its query audits are encrypted to its key: members compare this pseudonym with what the auditor "
        "itself told them.",
    ]


def _order(m: QueryAuditOrder, signer: str) -> list[str]:
    return [
        f"Auditor {signer} orders a query audit of member {m.member}: {m.positions} elements of each batch granted in "
        f"entries {', '.join(map(str, m.grants))} ({m.epoch}/{m.stream}).",
        f"Which elements follows from the log as it was at {m.checkpoint} entries and from the auditor's nonce.",
    ]


def _answer(m: QueryAuditAnswer, signer: str) -> list[str]:
    return [
        f"Member {signer} has answered the query audit of entry {m.order}.",
        "The digest binds the sealed file that only the auditor can read.",
    ]


def _result(m: QueryAuditResult, signer: str) -> list[str]:
    outcome = {
        "plausible": "plausible",
        "not-plausible": "not plausible: it looks as if a directory was trawled",
        "false": "false: the member opened other inputs than it had blinded",
        "refused": "refused: no usable answer came in time",
    }[m.outcome]
    counts = f"{m.plausible} plausible, {m.implausible} not plausible, {m.padding} padding"
    return [f"Auditor {signer} concludes the query audit of entry {m.order}: {outcome} ({counts})."]


def _tally(m: TallyAnnouncement, _signer: str) -> list[str]:
    return [
        f"The secretariat announces tally {m.tally} of epoch {m.epoch} among {len(m.roster)} members: "
        f"{', '.join(m.roster)}.",
        f"Trustee {m.trustee} decrypts their sum, and only when all of them have submitted.",
    ]


def _tally_input(m: TallyInput, signer: str) -> list[str]:
    return [
        f"Member {signer} has submitted to the tally of entry {m.announcement}.",
        "The digest binds its masked and encrypted counts, which nobody can read alone.",
    ]


def _tally_release(m: TallyRelease, signer: str) -> list[str]:
    return [f"Tally trustee {signer} releases the sum of the tally of entry {m.announcement}."]


_WORDS: dict[type[messages.Message], Callable[[Any, str], list[str]]] = {
    Manifest: _manifest,
    Enrolment: _enrolment,
    Round1: _ceremony("commits to its part of the key"),
    Round2: _ceremony("opens its part and sends an encrypted share to each trustee"),
    Round3: _complaint,
    Round3Answer: _ceremony("answers an accusation by revealing the disputed share"),
    Round4: _ceremony("agrees to the transcript and the public key that follows from it"),
    CeremonyCut: _cut,
    GrantRequest: _grant,
    UploadCommitment: _upload,
    Receipt: _receipt,
    WindowClose: _close,
    Handover: _handover,
    IndexRoot: _index,
    Erasure: _erasure,
    AccessRules: _rules,
    Eligibility: _eligibility,
    StatementSignature: _statement,
    AuditorAppointment: _auditor,
    QueryAuditOrder: _order,
    QueryAuditAnswer: _answer,
    QueryAuditResult: _result,
    TallyAnnouncement: _tally,
    TallyInput: _tally_input,
    TallyRelease: _tally_release,
}
