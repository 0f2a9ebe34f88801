"""What each party can see, looked for: on the wire, on every disk, and in what an opened record tells.

protocol/THREAT_MODEL.md names these tests beside the claims (C1, C2, C4, C5), and the limits that it admits.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from benchmarks.attack import word
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from server.running import EPOCH, STREAM, World, wait_for
from support.trustees import Trustees
from support.world import audited, planned, site
from tacit_client import Member, configuration, session
from tacit_client.transport import HttpTransport, Transport
from tacit_matcher.keys import match_keys
from tacit_matcher.records import PlannedAudit
from tacit_matcher.sketch import compare, make_sketch
from tacit_protocol import grants, hpke, sealed_index, shuffle, wire
from tacit_protocol.errors import EncodingError
from tacit_protocol.index_file import IndexFile
from tacit_protocol.signing import public_bytes
from tacit_server.observing import configure_logging
from tacit_server.secretariat.operator import operations

configure_logging("error")
pytestmark = pytest.mark.xdist_group("who-learns-what")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("who"))
    world.start()
    world.open_epoch(minimum_contributors=2)
    wait_for(world.ceremony_complete, "the ceremony is complete")
    yield world
    world.stop()


def join(world: World, name: str) -> Member:
    """Return an enrolled member that uses the SDK."""
    card = configuration.SecretariatCard(world.url(0), world.keeper.home.public_key)
    pins = tuple(configuration.PinnedTrustee(i, public_bytes(world.home(i).signing_key)) for i in (1, 2, 3))
    member = Member.create(world.folder / "members" / name, back_end="libsodium")
    member.enrol(configuration.Invitation(1, card, world.invitation(), pins))
    return member


class Wiretap:
    """Writes down what somebody on the network or at a server sees of a request: who, where to, how much."""

    def __init__(self, inner: Transport) -> None:
        self.inner = inner
        self.seen: Counter[tuple[str, str, str, int, int]] = Counter()
        self.bodies: list[bytes] = []

    def request(
        self, party: str, method: str, url: str, body: bytes = b"", *, headers: Mapping[str, str] | None = None,
        limit: int = 2**24,
    ) -> bytes:  # fmt: skip
        answer = self.inner.request(party, method, url, body, headers=headers, limit=limit)
        where = re.sub(r"\d+", "N", urlsplit(url).path)
        # Which trustees a member asks depends on its own key; how often it looks at the log, on when others cosign it.
        follows = where.endswith("/board") or where.startswith("/log/")
        if method == "GET" and follows:
            self.seen[party, method, where, 0, 0] = 1
        else:
            self.seen[re.sub(r"\d+", "N", party), method, where, len(body), len(answer)] += 1
        self.bodies.append(body)
        return answer


def tap(member: Member) -> Wiretap:
    assert isinstance(member.transport, HttpTransport)
    member.transport = wiretap = Wiretap(member.transport)
    return wiretap


@pytest.fixture(scope="module")
def contributed(world: World) -> dict[str, Member]:
    """Two members have contributed ten sites each, one of them the same; the window is still open."""
    members = {"one": join(world, "one"), "two": join(world, "two")}
    members["one"].contribute([audited(n) for n in range(10)])
    members["two"].contribute([audited(n) for n in range(9, 19)])
    return members


def tags_of(member: Member, numbers: range) -> set[bytes]:
    """Return the tags of a member's sites, computed from the outputs in its own vault."""
    board = member.board()
    manifest, context = member._stream(board, STREAM, EPOCH)
    inputs = [key.encode() for n in numbers for key in match_keys(site(n))]
    evaluator = member._evaluator(manifest, context)
    keys = context.entry_keys(evaluator.group, inputs, evaluator.outputs(inputs))
    return {key.tag for key in keys.values()}


def holding(folder: Path, needles: set[bytes]) -> list[str]:
    """Return the files below ``folder`` that hold one of ``needles``."""
    contents = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return [path.name for path, content in contents.items() if any(needle in content for needle in needles)]


def test_before_the_shuffle_nobody_holds_a_tag_a_commitment_or_a_name(
    world: World, contributed: dict[str, Member]
) -> None:
    """C4: what the shuffler has is for the secretariat's key, and the secretariat does not have it."""
    one = contributed["one"]
    own = one._vault.get(f"own/{EPOCH}/{STREAM}")
    needles = tags_of(one, range(10)) | {own[i : i + 32] for i in range(0, len(own), 32)}
    needles |= {site(n).name.encode() for n in range(19)}
    assert len(needles) > 50
    for index in range(4):
        assert holding(world.folder / str(index), needles) == []
    uploads = list((world.folder / "3" / "uploads").rglob("*.page"))
    assert len(uploads) == 2
    assert not list((world.folder / "0").rglob("*.page"))
    page = uploads[0].read_bytes()
    for index in (1, 2, 3):
        with pytest.raises(EncodingError):
            shuffle.open_at_secretariat(world.home(index).agreement_key, EPOCH, STREAM, page[: shuffle.UPLOAD_BYTES])


def test_after_the_shuffle_the_secretariat_has_records_and_no_way_back_to_members(
    world: World, contributed: dict[str, Member]
) -> None:
    """C4: records stand in the order of their tags and commitments; nothing of an upload is left with its sender."""
    uploaded = [path.read_bytes() for path in (world.folder / "3" / "uploads").rglob("*.page")]
    pieces = {page[i : i + 64] for page in uploaded for i in range(0, len(page), shuffle.UPLOAD_BYTES)}
    operations.close_window(world.keeper, EPOCH, STREAM)
    world.wait_for_index(1)
    wait_for(lambda: not list((world.folder / "0").rglob("*.page")), "the pages are deleted")
    assert holding(world.folder / "0", pieces) == []
    (published,) = (world.folder / "0" / "indexes").rglob("*.tacit-index")
    data = published.read_bytes()
    index = IndexFile(data)
    assert index.header.records == 128
    entries = [data[i : i + 52] for i in range(index._entries_at, index._records_at, 52)]
    records = [data[i : i + 272] for i in range(index._records_at, len(data), 272)]
    assert entries == sorted(entries)
    assert records == sorted(records)
    names = {member.pseudonym.encode() for member in contributed.values()}
    assert holding(published.parent, names) == []
    assert holding(published.parent, tags_of(contributed["one"], range(10)))  # the search above would have found them


def test_two_checks_of_one_size_look_alike_whatever_is_asked_and_found(
    world: World, contributed: dict[str, Member]
) -> None:
    """C1: same requests, same sizes, whether few sites are asked about and found, or many and none; no byte recurs."""
    seen = []
    elsewhere = [
        PlannedAudit(f"P{n}", site(n, name=f"Werft {word(n)} AG", city="Bremen", postcode=f"{28000 + n}"))
        for n in range(1000, 1060)
    ]
    for name, plans, expected in (("few", planned(3, 4), "assessed"), ("many", elsewhere, "not found")):
        member = join(world, name)
        wiretap = tap(member)
        assert {row.status for row in member.check(plans).rows} == {expected}
        seen.append(wiretap)
    assert seen[0].seen == seen[1].seen
    where = f"/vN/{re.sub(r'[0-9]+', 'N', EPOCH)}/{STREAM}/evaluations"
    size = 32 * grants.PADDING
    assert seen[0].seen["trustee N", "POST", where, size, wire.answer_bytes(grants.PADDING)] == 2
    batches = [{b[i : i + 32] for b in w.bodies if len(b) > 60_000 for i in range(0, len(b), 32)} for w in seen]
    assert len(batches[0]) == len(batches[1]) == grants.PADDING
    assert not batches[0] & batches[1]


def test_one_upload_sealed_twice_shares_no_bytes_and_only_the_secretariat_opens_it() -> None:
    """C4: the shuffler cannot tell equal records of two members."""
    secretariat, other = X25519PrivateKey.generate(), X25519PrivateKey.generate()
    sealed = sealed_index.dummy_record(secrets.token_bytes(sealed_index.SEALED_BYTES))
    public = secretariat.public_key().public_bytes_raw()
    uploads = [shuffle.seal_for_secretariat(public, EPOCH, STREAM, sealed) for _ in range(2)]
    assert not {uploads[0][i : i + 16] for i in range(0, 1048, 8)} & {uploads[1][i : i + 16] for i in range(0, 1048, 8)}
    assert all(shuffle.open_at_secretariat(secretariat, EPOCH, STREAM, one) == sealed for one in uploads)
    with pytest.raises(EncodingError):
        shuffle.open_at_secretariat(other, EPOCH, STREAM, uploads[0])
    with pytest.raises(EncodingError):
        shuffle.open_at_secretariat(secretariat, EPOCH, "ecovadis", uploads[0])
    assert len(uploads[0]) == sealed_index.SEALED_BYTES + hpke.OVERHEAD


def test_asking_all_trustees_brings_no_more_than_the_quota(world: World) -> None:
    """C5: with counts of its own at each trustee, a member of 2-of-3 would get 3/2 of its quota."""
    world.open_epoch("2026-small", quota=2 * grants.PADDING)
    wait_for(lambda: world.ceremony_complete("2026-small"), "the ceremony is complete")
    member = world.member()
    batches = [member.batch() for _ in range(3)]
    granted = [member.grant(batch, "2026-small").status_code for batch in batches]
    assert granted == [201, 201, 403]
    answered = {
        (number, index): member.evaluate(index, batch, "2026-small").status_code
        for number, batch in enumerate(batches)
        for index in (1, 2, 3)
    }
    assert {status for (number, _), status in answered.items() if number < 2} == {200}
    assert {status for (number, _), status in answered.items() if number == 2} == {403}
    # One changed element makes another batch, and nobody else's grant covers it.
    changed = batches[0][:-32] + member.batch()[:32]
    other = world.member()
    for index in (1, 2, 3):
        assert member.evaluate(index, changed, "2026-small").status_code == 403
        assert other.evaluate(index, batches[0], "2026-small").status_code == 403


# --- what is admitted ------------------------------------------------------------------------------------------


def test_who_opens_records_sees_which_of_them_share_a_key() -> None:
    """Admitted: the secretariat sees that two anonymous records are of one site, and how many such there are."""
    trustees = Trustees.after_ceremony()
    inputs = [[key.encode() for key in match_keys(site(n))] for n in (1, 2)]
    (batch,) = session.plan_batches(trustees.group, [v for each in inputs for v in each], {}, secrets.token_bytes)
    blinded = batch.blinded(trustees.group)
    answers = [trustees.answer(i, blinded) for i in (1, 2)]
    outputs = session.finish_batch(trustees.group, trustees.context, batch, answers, {})
    secretariat = X25519PrivateKey.generate()

    def tags(keys: list[bytes]) -> set[bytes]:
        """Return the tags that the secretariat sees in one member's only record of these keys."""
        records = session.UnsealedRecords([keys], lambda number, sketch_key: bytes(sealed_index.PAYLOAD_BYTES))
        public = secretariat.public_key().public_bytes_raw()
        (page,) = session.seal_contribution(
            trustees.group, trustees.context, public, records, outputs, secrets.token_bytes
        )
        uploads = shuffle.split_page(page.uploads)
        opened = [shuffle.open_at_secretariat(secretariat, EPOCH, STREAM, one) for one in uploads]
        return {one[i : i + 12] for one in opened for i in range(272, 1000, 52)}

    first, second, other = tags(inputs[0]), tags(inputs[0]), tags(inputs[1])
    assert len(first & second) == len(inputs[0])  # two members, one site
    shared = set(inputs[0]) & set(inputs[1])
    assert len(first & other) == len(shared) < len(inputs[0])


def test_whoever_opened_a_record_can_find_its_name_and_address_by_guessing() -> None:
    """Admitted: the sketch's key comes out of the record, so guesses are tested offline and cost nothing."""
    key, right = secrets.token_bytes(32), site(217)
    sketch = make_sketch(key, right)
    scores = {}
    for number in range(400):
        features = compare(key, sketch, site(number))
        scores[number] = sum(value for feature, value in features.items() if not feature.endswith("differ"))
    best = max(scores, key=scores.__getitem__)
    assert best == 217
    assert sorted(scores.values())[-2] < scores[217]
    # Without the record's key nothing of it can be tested.
    wrong = compare(secrets.token_bytes(32), sketch, right)
    assert sum(value for feature, value in wrong.items() if feature.endswith("agree")) < 1
