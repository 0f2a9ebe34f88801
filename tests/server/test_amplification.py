"""Claim C5: a member tests at most its quota, however many trustees it asks and whichever it asks for what.

The attack: n trustees that each counted for themselves would let a member collect n/t times its quota, by giving
different batches to different groups of t. And the same attack with a secretariat that helps: a log for each trustee.
"""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from server.running import EPOCH, SECRET, STREAM, World, wait_for
from tacit_protocol import checkpoint as notes
from tacit_protocol import evidence, grants, merkle, messages, signing
from tacit_protocol.board import BoardError
from tacit_protocol.checkpoint import Checkpoint, Note
from tacit_protocol.errors import GrantError, SignatureError, TacitError
from tacit_protocol.messages import BoardEntry, BoardPage, Enrolment, GrantRequest, Manifest, Trustee
from tacit_protocol.witnessing import AddCheckpoint
from tacit_server.home import SecretariatCard, create_home
from tacit_server.settings import ServerSettings
from tacit_server.trustee import policy
from tacit_server.trustee.app import TrusteeOptions, TrusteeParts, assemble

QUOTA = 2 * grants.PADDING
NOW = 1_800_000_000


# --- a member alone ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("small"))
    world.start()
    world.open_epoch(quota=QUOTA)
    wait_for(world.ceremony_complete, "the ceremony is complete")
    yield world
    world.stop()


def test_different_batches_to_different_groups_of_trustees_gain_nothing(small: World) -> None:
    member, pairs = small.member(), list(combinations((1, 2, 3), 2))
    batches = {pair: member.batch() for pair in pairs}
    granted = [pair for pair in pairs if member.grant(batches[pair]).status_code == 201]
    assert len(granted) == QUOTA // grants.PADDING  # the third batch would be n/t times the quota
    answered = {pair: [member.evaluate(index, batches[pair]).status_code for index in pair] for pair in pairs}
    assert [pair for pair in pairs if 200 in answered[pair]] == granted
    for pair in set(pairs) - set(granted):
        assert answered[pair] == [403, 403]


def test_without_a_grant_no_trustee_answers(small: World) -> None:
    member = small.member()
    batch = member.batch()
    for index in (1, 2, 3):
        answer = member.evaluate(index, batch)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:tacit:grant")


def test_a_granted_batch_is_free_to_ask_again_everywhere_and_nothing_else_is(small: World) -> None:
    member = small.member()
    batch = member.batch()
    assert member.grant(batch).status_code == 201
    first = [member.evaluate(index, batch) for index in (1, 2, 3)]
    again = [member.evaluate(index, batch) for index in (1, 2, 3)]
    assert [answer.content for answer in first] == [answer.content for answer in again]
    assert member.grant(batch).status_code == 200  # the entry that is there
    assert small.servers[1].app.state.parts.follower.board.ledger.used[EPOCH, STREAM, member.name] == grants.PADDING
    for changed in (batch[32:] + batch[:32], batch[:-32] + member.batch()[:32], batch + batch):
        assert member.evaluate(1, changed).status_code == 403
    other = small.member()
    assert other.evaluate(1, batch).status_code == 403  # somebody else's grant


def test_a_grant_that_is_on_the_board_but_not_witnessed_is_not_enough(small: World) -> None:
    member, parts = small.member(), small.servers[1].app.state.parts
    batch = member.batch()
    assert member.grant(batch).status_code == 201
    wait_for(lambda: member.evaluate(1, batch).status_code == 200, "it is witnessed and answered")
    board, digest = parts.follower.board, grants.batch_digest(EPOCH, STREAM, batch)
    entry = board.granted_at[EPOCH, STREAM, member.name, digest]
    policy.allow_evaluation(board, entry + 1, member.name, EPOCH, STREAM, digest, grants.PADDING)
    with pytest.raises(GrantError, match="not cosigned yet"):
        policy.allow_evaluation(board, entry, member.name, EPOCH, STREAM, digest, grants.PADDING)


# --- with the secretariat's help -----------------------------------------------------------------------------


class ForkingSecretariat:
    """Keeps a log for each of three trustees: the same up to the manifest, then other grants in each."""

    def __init__(self, folder: Path) -> None:
        self.key, self.member = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
        self.public, self.name = signing.public_bytes(self.key), signing.pseudonym(signing.public_bytes(self.member))
        card, settings = SecretariatCard("http://127.0.0.1:1", self.public), ServerSettings(secret=SECRET)
        homes = [
            create_home(folder / str(i), settings, url=f"http://127.0.0.1:{i}", index=i, secretariat=card)
            for i in (1, 2, 3)
        ]
        options = TrusteeOptions(back_end="libsodium", threads=1, clock=lambda: NOW)
        self.trustees = [assemble(home, settings, options) for home in homes]
        cards = [home.card() for home in homes]
        self.manifest = Manifest(
            EPOCH, (STREAM,), 2, tuple(Trustee(c.index, c.signing_key, c.agreement_key, c.url) for c in cards), 3,
            QUOTA, 3, self.public, X25519PrivateKey.generate().public_key().public_bytes_raw(), NOW - 10, NOW + 1000,
        )  # fmt: skip
        common = [self._entry(0, self.key, self.manifest), self._entry(1, self.member, self._enrolment())]
        self.logs = {parts.index: list(common) for parts in self.trustees}
        self.digests = {pair: bytes([10 * pair[0] + pair[1]]) * 64 for pair in combinations((1, 2, 3), 2)}
        for pair, digest in self.digests.items():  # each batch is granted in the two logs where it will be asked for
            for index in pair:
                log = self.logs[index]
                log.append(self._entry(len(log), self.member, GrantRequest(EPOCH, STREAM, grants.PADDING, digest)))

    def note(self, index: int, witnesses: list[TrusteeParts] | None = None) -> Note:
        """Return the checkpoint of the log for one trustee with every cosignature that can be had for it."""
        log = self.logs[index]
        head = Checkpoint(notes.log_origin(self.public), len(log), merkle.tree_hash(map(messages.encode_leaf, log)))
        note = notes.sign_checkpoint(self.key, head)
        for parts in self.trustees if witnesses is None else witnesses:
            try:
                line = parts.witness.add_checkpoint(AddCheckpoint(0, (), note))
            except TacitError:
                continue
            note = note.with_signatures(notes.decode_signatures(line))
        return note

    def show(self, parts: TrusteeParts, note: Note) -> None:
        """Let a trustee follow its own log."""
        log = self.logs[parts.index]
        parts.follower._upstream = type(
            "Upstream", (), {
                "checkpoint": lambda _: note.encode(),
                "board": lambda _, start, limit: BoardPage(start, len(log), tuple(log[start : start + limit])),
            },
        )()  # fmt: skip
        parts.follower.refresh()

    def allowed(self, parts: TrusteeParts) -> int:
        """Return how many evaluations a trustee would do."""
        follower, total = parts.follower, 0
        for digest in self.digests.values():
            covered = follower.cosigned_size(self.manifest)
            try:
                policy.allow_evaluation(follower.board, covered, self.name, EPOCH, STREAM, digest, grants.PADDING)
            except TacitError:
                continue
            total += grants.PADDING
        return total

    def _enrolment(self) -> Enrolment:
        return Enrolment(signing.public_bytes(self.member), bytes(32))

    def _entry(self, sequence: int, key: Ed25519PrivateKey, message: messages.Message) -> BoardEntry:
        signed = signing.sign(key, messages.kind_of(message), messages.encode(message))
        return BoardEntry(sequence, NOW, signed)


def test_a_log_for_each_trustee_finds_no_majority_of_witnesses(tmp_path: Path) -> None:
    forger = ForkingSecretariat(tmp_path)
    # Counting its own log alone, each trustee would say yes to two batches: three batches, 3/2 of the quota.
    shown = {parts.index: forger.note(parts.index) for parts in forger.trustees}
    first, *others = forger.trustees
    forger.show(first, shown[1])
    assert first.follower.board.ledger.used[EPOCH, STREAM, forger.name] == QUOTA
    # All three have cosigned the first history. Whoever reads another one now sees that it cosigned something else.
    for parts in others:
        with pytest.raises(BoardError, match="does not lead from") as caught:
            forger.show(parts, shown[parts.index])
        assert caught.value.party == "secretariat"
        (path,) = (parts.home.folder / "evidence").iterdir()
        assert evidence.verify_fork(evidence.decode(path.read_bytes())) == (
            "the log signed two different trees of 4 entries"
        )
    assert [forger.allowed(parts) for parts in forger.trustees] == [QUOTA, 0, 0]


def test_a_trustee_that_lies_along_is_found_out_when_the_honest_ones_compare(tmp_path: Path) -> None:
    """Trustee 3 cosigns whatever it is asked to: then each of the others has a majority for a log of its own."""
    forger = ForkingSecretariat(tmp_path)
    one, two, liar = forger.trustees
    for parts in (one, two):
        note = forger.note(parts.index, [parts])
        lines = [notes.cosign(liar.home.signing_key, notes.witness_name(liar.home.public_key), note.text, NOW)]
        forger.show(parts, note.with_signatures(lines))
    assert [forger.allowed(parts) for parts in (one, two)] == [QUOTA, QUOTA]  # until they compare
    first, second, _ = forger.manifest.trustees
    one.peers.compare(second, two.follower.note.encode())
    two.peers.compare(first, one.follower.note.encode())
    for parts in (one, two):
        assert parts.follower.broken is not None and parts.follower.broken.party == "secretariat"
        (path,) = (parts.home.folder / "evidence").iterdir()
        assert "two different trees of 4 entries" in evidence.verify_fork(evidence.decode(path.read_bytes()))


def test_a_checkpoint_further_on_is_compared_once_it_is_reached(tmp_path: Path) -> None:
    forger = ForkingSecretariat(tmp_path)
    one, two, _ = forger.trustees
    forger.show(two, forger.note(2, [two]))
    whole, forger.logs[1] = forger.logs[1], forger.logs[1][:3]
    forger.show(one, forger.note(1, [one]))
    second = forger.manifest.trustees[1]
    one.peers.compare(second, two.follower.note.encode())
    assert one.follower.broken is None  # it has not read that far
    forger.logs[1] = whole
    forger.show(one, forger.note(1, []))
    one.peers.compare(second, two.follower.note.encode())
    assert one.follower.broken is not None
    stranger = notes.sign_checkpoint(
        Ed25519PrivateKey.generate(), Checkpoint(notes.log_origin(forger.public), 4, bytes(32))
    )
    fresh = forger.trustees[2]
    with pytest.raises(SignatureError):  # only what the log signed counts, or anybody could stop everybody
        fresh.peers.compare(second, stranger.encode())
    assert fresh.follower.broken is None


def test_without_a_majority_of_witnesses_no_grant_counts(tmp_path: Path) -> None:
    """The forger asks nobody twice: each trustee cosigns the log it reads, and is alone with it."""
    forger = ForkingSecretariat(tmp_path)
    for parts in forger.trustees:
        forger.show(parts, forger.note(parts.index, [parts]))
        assert parts.follower.board.ledger.used[EPOCH, STREAM, forger.name] == QUOTA
    assert [forger.allowed(parts) for parts in forger.trustees] == [0, 0, 0]
