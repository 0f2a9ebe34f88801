"""The one quota ledger: whoever follows the board counts the same; retries are free, nothing else is."""

from __future__ import annotations

import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from support.vectors import draw_from
from tacit_protocol import grants, messages, signing
from tacit_protocol.errors import GrantError, SignatureError
from tacit_protocol.grants import BLOCK, PADDING, Ledger, batch_digest, ledger_of
from tacit_protocol.messages import Enrolment, GrantRequest, Manifest, Message, Trustee
from tacit_protocol.signing import Signed, public_bytes

E, S, QUOTA = "2026-h2", "social-audit", 5 * PADDING
_draw = draw_from("grants")
SECRETARIAT, ONE, TWO = (Ed25519PrivateKey.from_private_bytes(_draw(32)) for _ in range(3))
NAMES = {key: signing.pseudonym(public_bytes(key)) for key in (ONE, TWO)}


def signed(key: Ed25519PrivateKey, message: Message) -> Signed:
    return signing.sign(key, messages.kind_of(message), messages.encode(message))


def opening() -> list[Signed]:
    own = public_bytes(SECRETARIAT)
    trustee = Trustee(1, own, bytes(32), "https://t.example")
    manifest = Manifest(E, (S, "ecovadis"), 1, (trustee,), 1, QUOTA, 1, own, bytes(32), 0, 10)
    return [
        signed(SECRETARIAT, manifest),
        *(signed(key, Enrolment(public_bytes(key), bytes(32))) for key in (ONE, TWO)),
    ]


def grant(batch: int, count: int = PADDING, key: Ed25519PrivateKey = ONE, stream: str = S, epoch: str = E) -> Signed:
    return signed(key, GrantRequest(epoch, stream, count, hashlib.sha512(b"%d" % batch).digest()))


@pytest.fixture
def ledger() -> Ledger:
    return ledger_of(opening())


def used(ledger: Ledger, key: Ed25519PrivateKey = ONE, stream: str = S) -> int:
    return ledger.used.get((E, stream, NAMES[key]), 0)


def test_grants_add_up_to_the_quota_and_not_beyond(ledger: Ledger) -> None:
    ledger.apply(grant(1, 2 * PADDING))
    ledger.apply(grant(2, 3 * PADDING))
    assert used(ledger) == QUOTA
    with pytest.raises(GrantError, match="used up") as caught:
        ledger.apply(grant(3))
    assert caught.value.party == NAMES[ONE]
    assert caught.value.evidence == {"used": QUOTA, "quota": QUOTA, "asked": PADDING}
    assert used(ledger) == QUOTA


def test_a_grant_again_costs_nothing_also_when_the_quota_is_used_up(ledger: Ledger) -> None:
    for _ in range(3):
        ledger.apply(grant(1, 4 * PADDING))
    ledger.apply(grant(2))
    ledger.apply(grant(1, 4 * PADDING))
    assert used(ledger) == QUOTA


def test_one_batch_is_not_granted_with_two_counts(ledger: Ledger) -> None:
    ledger.apply(grant(1))
    with pytest.raises(GrantError, match="granted with 2048"):
        ledger.apply(grant(1, 2 * PADDING))
    assert used(ledger) == PADDING


def test_members_and_streams_have_counts_of_their_own(ledger: Ledger) -> None:
    ledger.apply(grant(1, 4 * PADDING))
    ledger.apply(grant(1, 4 * PADDING, TWO))
    ledger.apply(grant(1, 4 * PADDING, stream="ecovadis"))
    assert [used(ledger), used(ledger, TWO), used(ledger, stream="ecovadis")] == [4 * PADDING] * 3


@pytest.mark.parametrize("count", [1, PADDING - 1, PADDING + 1, BLOCK - 1])
def test_a_count_that_is_not_padded_is_refused(ledger: Ledger, count: int) -> None:
    with pytest.raises(GrantError, match="multiple of 2048"):
        ledger.apply(grant(1, count))


def test_strangers_other_epochs_and_other_streams_are_refused(ledger: Ledger) -> None:
    for message, reason in (
        (grant(1, key=Ed25519PrivateKey.generate()), "not enrolled"),
        (grant(1, epoch="2027-h1"), "no epoch"),
        (grant(1, stream="human-rights"), "no stream"),
    ):
        with pytest.raises(GrantError, match=reason):
            ledger.apply(message)


def test_a_grant_in_anothers_name_is_refused(ledger: Ledger) -> None:
    mine = grant(1)
    forged = Signed(mine.kind, NAMES[TWO], mine.body, mine.signature)
    with pytest.raises(SignatureError):
        ledger.apply(forged)
    assert not ledger.granted


def test_the_first_key_under_a_name_counts(ledger: Ledger) -> None:
    before = dict(ledger.signing_keys)
    ledger.apply(signed(ONE, Enrolment(public_bytes(ONE), bytes(range(32)))))
    assert ledger.signing_keys == before


def test_a_grant_covers_one_batch_of_one_member_in_one_place(ledger: Ledger) -> None:
    ledger.apply(grant(1))
    digest = hashlib.sha512(b"1").digest()
    ledger.covers(NAMES[ONE], E, S, digest, PADDING)
    for member, epoch, stream, which, count in (
        (NAMES[TWO], E, S, digest, PADDING),
        (NAMES[ONE], "2027-h1", S, digest, PADDING),
        (NAMES[ONE], E, "ecovadis", digest, PADDING),
        (NAMES[ONE], E, S, digest[::-1], PADDING),
        (NAMES[ONE], E, S, digest, 2 * PADDING),
    ):
        with pytest.raises(GrantError, match="no grant"):
            ledger.covers(member, epoch, stream, which, count)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(1, 4), st.integers(1, 4), st.sampled_from([ONE, TWO]), st.sampled_from([S, "ecovadis"])),
        max_size=14,
    )
)
def test_no_order_of_requests_gets_past_the_quota(requests: list[tuple[int, int, Ed25519PrivateKey, str]]) -> None:
    ledger, accepted = ledger_of(opening()), []
    for batch, units, key, stream in requests:
        message = grant(batch, units * PADDING, key, stream)
        try:
            ledger.apply(message)
        except GrantError:
            continue
        accepted.append(message)
    assert all(count <= QUOTA for count in ledger.used.values())
    totals: dict[tuple[str, str, str], int] = {}
    for (epoch, stream, member, _), count in ledger.granted.items():
        totals[epoch, stream, member] = totals.get((epoch, stream, member), 0) + count
    assert totals == ledger.used
    # Whoever reads the same board later counts the same, however often a line is repeated.
    again = ledger_of([*opening(), *accepted, *accepted])
    assert (again.used, again.granted) == (ledger.used, ledger.granted)


def test_the_digest_is_bound_to_place_count_and_every_element() -> None:
    batch = bytes(range(64))
    digests = [
        batch_digest(E, S, batch), batch_digest("2027-h1", S, batch), batch_digest(E, "ecovadis", batch),
        batch_digest(E, S, batch[:32]), batch_digest(E, S, batch[32:] + batch[:32]), batch_digest(E, S, b""),
    ]  # fmt: skip
    assert len(set(digests)) == len(digests)


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(0, [2048]), (1, [2048]), (2048, [2048]), (2049, [4096]), (8192, [8192]), (8193, [8192, 2048])],
)
def test_padding_and_batches(count: int, sizes: list[int]) -> None:
    assert grants.batch_sizes(count) == sizes
    assert grants.padded_count(count) == sum(sizes)
