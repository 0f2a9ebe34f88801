"""Servers that are down, slow or lie: the member's error names the party, nothing is half done, and it can go on."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable

import pytest

from support.world import World, audited, meddle, planned
from tacit_client import Member
from tacit_client.configuration import read_invitation
from tacit_client.errors import PartyUnavailable, Refused
from tacit_client.parties import TrusteeServer
from tacit_protocol import dleq, scalars
from tacit_protocol.errors import IndexFileError, QuorumError, TacitError, UploadError
from tacit_protocol.group import load_backend

GROUP = load_backend("auto")
PROOF = dleq.PROOF_BYTES


def _another_key(body: bytes) -> bytes:
    """Evaluate the same elements once more under a key of the trustee's own; the proof stays what it was."""
    key = scalars.reduce(secrets.token_bytes(64))
    return body[:PROOF] + GROUP.multiply(key, GROUP.decode(body[PROOF:])).encode()


LIES: dict[str, Callable[[bytes], bytes]] = {
    "answers garbage of the right size": lambda body: secrets.token_bytes(len(body)),
    "answers too little": lambda body: body[:-32],
    "answers too much": lambda body: body + bytes(32),
    "answers nothing": lambda body: b"",
    "answers a web page": lambda body: b"<html>502</html>",
    "answers a non-canonical point": lambda body: body[:-32] + b"\xff" * 32,
    "answers a point with bit 255 set": lambda body: body[:-1] + bytes([body[-1] | 0x80]),
    "answers the identity": lambda body: body[:PROOF] + bytes(32) + body[PROOF + 32 :],
    "answers with a wrong proof": lambda body: secrets.token_bytes(31) + b"\x00" + body[32:],
    "answers with a proof scalar above the order": lambda body: b"\xff" * 32 + body[32:],
    "swaps two answers": lambda body: (
        body[:PROOF] + body[PROOF + 32 : PROOF + 64] + body[PROOF : PROOF + 32] + body[PROOF + 64 :]
    ),
    "repeats one answer": lambda body: body[:PROOF] + body[PROOF : PROOF + 32] * ((len(body) - PROOF) // 32),
    "evaluates under another key": _another_key,
}


@pytest.fixture(scope="module")
def published(world: World) -> World:
    contributor = world.member("contributor")
    contributor.contribute([audited(n) for n in range(5)])
    world.close_window(contributor)
    return world


@pytest.mark.parametrize("lie", LIES)
def test_one_trustee_that_lies_is_replaced_and_named(published: World, lie: str) -> None:
    member = published.member(f"lied-to-{list(LIES).index(lie)}")
    first: list[str] = []

    def change(party: str, url: str, body: bytes) -> bytes:
        if not url.endswith("/evaluations"):
            return body
        first.append(party)
        return LIES[lie](body) if party == first[0] else body

    meddle(member).change = change
    number = 1000 + list(LIES).index(lie)
    report = member.check(planned(3, number))
    assert [row.status for row in report.rows] == ["assessed", "not found"]
    assert any(warning.startswith(first[0]) for warning in member.warnings)


@pytest.mark.parametrize("lie", ["answers garbage of the right size", "evaluates under another key"])
def test_too_many_liars_are_all_named_and_the_check_goes_on_later(published: World, lie: str) -> None:
    member = _shared(published)
    meddler = meddle(member)
    meddler.change = lambda party, url, body: (
        LIES[lie](body) if url.endswith("/evaluations") and party != "trustee 2" else body
    )
    plans = planned(4, 2000 + list(LIES).index(lie))
    with pytest.raises(QuorumError) as caught:
        member.check(plans)
    assert "trustee 1" in str(caught.value.party) and "trustee 3" in str(caught.value.party)
    spent = member.status()[0].used
    meddler.change = lambda party, url, body: body
    assert member.check(plans).rows[0].status == "assessed"
    assert member.status()[0].used == spent


def test_a_log_that_goes_backwards_is_noticed(published: World) -> None:
    member = _shared(published)
    meddler = meddle(member)
    shown: list[bytes] = []

    def the_first_one(party: str, url: str, body: bytes) -> bytes:
        if not url.endswith("/log/checkpoint"):
            return body
        shown.append(body)
        return shown[0]

    meddler.change = the_first_one
    before = member.board().size
    meddler.change = lambda party, url, body: body
    published.member("newcomer")

    def grown() -> None:  # the witnesses take a moment to cosign what is new
        if member.board().size <= before:
            raise TacitError("not yet")

    published.wait(grown)
    meddler.change = the_first_one
    with pytest.raises(TacitError, match="were seen before") as caught:
        member.board()
    assert caught.value.party == "secretariat"
    meddler.change = lambda party, url, body: body
    member.board()  # an old copy on the way proves nothing: it is not held against the secretariat


def test_a_forged_entry_is_refused(published: World) -> None:
    member = published.member("skeptic")
    for name in ("board.jsonl", "checkpoint"):
        (member.home / name).unlink()
    meddler = meddle(member)

    def forge(party: str, url: str, body: bytes) -> bytes:
        if "/v1/board?" not in url:
            return body
        page = json.loads(body)
        manifest = next(e for e in page["entries"] if e["message"]["kind"] == "manifest")
        manifest["message"]["signature"] = page["entries"][-1]["message"]["signature"]
        return json.dumps(page).encode()

    meddler.change = forge
    with pytest.raises(TacitError, match="does not lead from the 0 entries") as caught:
        member.board()
    assert caught.value.party == "secretariat"
    assert not list((member.home / "evidence").glob("*"))  # what came on the way was not signed: it proves nothing


def test_a_damaged_index_is_fetched_again_and_then_refused(published: World) -> None:
    member = _shared(published)
    for cached in (member.home / "cache").rglob("*.index"):
        cached.unlink()
    meddler = meddle(member)
    meddler.change = lambda party, url, body: body[:-1] + b"\x00" if "/v1/indexes/" in url else body
    with pytest.raises(IndexFileError, match="not the one announced") as caught:
        member.check(planned(3))
    assert caught.value.party == "secretariat"
    assert sum("/v1/indexes/" in url for _, _, url in meddler.requests) >= 2
    meddler.change = lambda party, url, body: body
    assert member.check(planned(3)).rows[0].status == "assessed"


def test_a_short_index_is_refused(published: World) -> None:
    member = _shared(published)
    for cached in (member.home / "cache").rglob("*.index"):
        cached.unlink()
    meddle(member).change = lambda party, url, body: body[:100] if "/v1/indexes/" in url else body
    with pytest.raises(IndexFileError, match="asked for"):
        member.check(planned(3))


def test_an_interrupted_upload_goes_on_with_the_pages_that_are_missing(published: World) -> None:
    member = published.member("slow-line")
    meddler = meddle(member)
    sites = [audited(n, city="Füssen") for n in range(500, 520)]

    def cut(party: str, method: str, url: str) -> None:
        if url.endswith("/complete"):
            raise PartyUnavailable("the line is cut", party=party)

    meddler.before = cut
    with pytest.raises(PartyUnavailable):
        member.contribute(sites)
    used = member.status()[0].used
    meddler.before = lambda party, method, url: None
    meddler.requests.clear()
    assert member.contribute(sites).records == 20
    assert not any(method == "PUT" for _, method, _ in meddler.requests)  # the shuffler had the page already
    assert member.status()[0].used == used
    entries = [c for m, c in member.board().uploads.values() if m == member.pseudonym]
    assert len(entries) == 1


def test_a_receipt_for_something_else_is_refused(published: World, monkeypatch: pytest.MonkeyPatch) -> None:
    member = published.member("careful")
    complete = TrusteeServer.complete_upload

    def count_one_more(self: TrusteeServer, *arguments: object) -> object:
        *rest, count = arguments
        return complete(self, *rest, count + 64)  # type: ignore[arg-type, operator]

    monkeypatch.setattr(TrusteeServer, "complete_upload", count_one_more)
    with pytest.raises(UploadError, match="something else") as caught:
        member.contribute([audited(n, city="Isny") for n in range(600, 603)])
    assert caught.value.party == "trustee 3"


def test_a_member_without_invitation_is_refused(published: World) -> None:
    used = next(path for path in (published.folder / "invitations").glob("*.json") if path not in published.invitations)
    stranger = Member.create(published.folder / "stranger")
    with pytest.raises(Refused, match="invitation"):
        stranger.enrol(read_invitation(used))


def test_a_quota_that_is_used_up_is_a_clear_refusal(tmp_path_factory: pytest.TempPathFactory) -> None:
    small = World.start(tmp_path_factory.mktemp("small"), quota=2048, invitations=1)
    try:
        member = small.member("big")
        member.contribute([audited(n) for n in range(10)])
        with pytest.raises(Refused, match="quota") as caught:
            member.contribute([audited(n) for n in range(10, 20)])
        assert caught.value.evidence["quota"] == 2048
        with pytest.raises(Refused, match="quota"):
            member.contribute([audited(n) for n in range(10, 20)])
        # What was evaluated before stays usable.
        assert member.status()[0].used == 2048
    finally:
        small.stop()


def _shared(world: World) -> Member:
    home = world.folder / "shared-member"
    if home.exists():
        return Member.open(home)
    return world.member("shared-member")
