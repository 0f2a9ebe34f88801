"""The key ceremony as the servers drive it: restarts in the middle, silent and cheating trustees, cuts."""

from __future__ import annotations

import time

import msgspec
import pytest

from server.running import EPOCH, GROUP, STREAM, World, wait_for
from tacit_protocol import keygen, messages, signing
from tacit_protocol.board import Board
from tacit_protocol.errors import CeremonyError
from tacit_protocol.messages import EncryptedShare, Round2
from tacit_protocol.threshold import interpolate_secret
from tacit_server.errors import ConfigurationError
from tacit_server.secretariat.keeper import Keeper
from tacit_server.secretariat.operator import operations
from tacit_server.trustee.ceremony import Ceremonies
from tacit_server.trustee.keystore import Keystore
from tacit_server.trustee.store import Store

KINDS = ("ceremony-1", "ceremony-2", "ceremony-3", "ceremony-3-answer", "ceremony-4")
PLACE = (EPOCH, STREAM)


class Bench:
    """Trustees without HTTP: what each is due to say is appended to the board directly, step by step."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.keeper: Keeper = world.keeper
        self.trustees = {index: self.trustee(index) for index in (1, 2, 3)}

    def trustee(self, index: int) -> Ceremonies:
        home = self.world.home(index)
        store = Store(home.database)
        return Ceremonies(index, home, GROUP, store, Keystore(store, home.sealer, GROUP))

    def restart(self, index: int) -> None:
        self.trustees[index].store.close()
        self.trustees[index] = self.trustee(index)

    def due(self, index: int) -> list[signing.Signed]:
        with self.keeper.view() as board:
            return self.trustees[index].due(board, int(time.time()))

    def say(self, *indices: int) -> list[str]:
        """Let trustees say what is due now; returns what kinds were said."""
        said = []
        for index in indices:
            for message in self.due(index):
                self.keeper.append(message, message.signer)
                said.append(message.kind)
        return said

    def finish(self, *indices: int) -> None:
        while self.say(*indices):
            pass

    def board(self) -> Board:
        with self.keeper.view() as board:
            return board


@pytest.fixture
def bench(tmp_path) -> Bench:
    world = World(tmp_path)
    world.open_epoch()
    return Bench(world)


def shares(bench: Bench, *indices: int) -> dict[int, bytes]:
    keys = bench.board().stream_keys(GROUP, *PLACE)
    found = {}
    for index in indices:
        share = bench.trustees[index].keystore.share(PLACE, keys.public_shares[index])
        assert share is not None
        found[index] = share.secret
    return found


def test_all_shares_fit_the_published_key(bench):
    bench.finish(1, 2, 3)
    keys = bench.board().stream_keys(GROUP, *PLACE)
    secret = interpolate_secret(shares(bench, 2, 3))
    assert GROUP.multiply_base(secret).encode() == keys.public_key


def test_a_trustee_restarted_before_every_step_says_the_same_and_ends_with_its_share(bench):
    while True:
        for index in (1, 2, 3):
            before = bench.due(index)
            bench.restart(index)
            assert bench.due(index) == before  # byte for byte: two different messages would name it a cheat
        if not bench.say(1, 2, 3):
            break
    assert set(shares(bench, 1, 2, 3)) == {1, 2, 3}
    for index in (1, 2, 3):
        assert bench.trustees[index].keystore.polynomial(PLACE, 1) is None  # dropped once it has served


def test_no_step_begins_before_the_one_before_is_over(bench):
    assert bench.say(1, 2) == ["ceremony-1", "ceremony-1"]
    assert bench.say(1, 2) == []  # trustee 3 has not committed yet: opening now would let it choose its polynomial
    assert bench.say(3) == ["ceremony-1"]
    assert bench.say(1, 2, 3) == ["ceremony-2"] * 3


def test_a_message_before_its_turn_is_refused_by_the_board(bench):
    bench.say(1)
    opening = opening_of(bench, 1)
    signed = signing.sign(bench.world.home(1).signing_key, "ceremony-2", messages.encode(opening))
    with pytest.raises(CeremonyError, match="before ceremony-1 is over"):
        bench.keeper.append(signed, signed.signer)


def test_a_silent_trustee_is_left_out_after_a_cut_and_cannot_come_back(bench):
    bench.finish(1, 2)
    assert "waits for trustee 3" in operations.stages(bench.keeper)[0].ceremony
    assert operations.cut_ceremony(bench.keeper, EPOCH, STREAM, None).step == "ceremony-1"
    bench.finish(1, 2)
    keys = bench.board().stream_keys(GROUP, *PLACE)
    assert set(keys.public_shares) == {1, 2}
    assert set(shares(bench, 1, 2)) == {1, 2}
    assert bench.say(3) == []
    with pytest.raises(ConfigurationError, match="complete"):
        operations.cut_ceremony(bench.keeper, EPOCH, STREAM, None)


def test_a_trustee_silent_in_a_later_step_is_cut_there(bench):
    bench.say(1, 2, 3)
    bench.finish(1, 2)
    assert operations.cut_ceremony(bench.keeper, EPOCH, STREAM, None).step == "ceremony-2"
    bench.finish(1, 2)
    assert set(bench.board().stream_keys(GROUP, *PLACE).public_shares) == {1, 2}


def test_a_trustee_that_sends_a_wrong_share_is_accused_and_answers(bench):
    """Trustee 3 encrypts rubbish for trustee 1: it is accused, reveals the right share, and all goes on."""
    bench.say(1, 2, 3)
    spoil_opening(bench, 3, recipient=1)
    bench.say(1, 2, 3)
    bench.finish(1, 2, 3)
    record = bench.board().attempt(*PLACE)
    assert record is not None
    assert record.accused() == {3}
    assert record.sent["ceremony-3-answer"].keys() == {3}
    assert set(shares(bench, 1, 2, 3)) == {1, 2, 3}


def test_an_accused_trustee_that_stays_silent_is_disqualified_by_name(bench):
    bench.say(1, 2, 3)
    spoil_opening(bench, 3, recipient=1)
    bench.say(1, 2, 3)
    bench.say(1, 2, 3)
    bench.finish(1, 2)
    assert operations.cut_ceremony(bench.keeper, EPOCH, STREAM, None).step == "ceremony-3-answer"
    bench.finish(1, 2)
    assert bench.say(3) == []
    keys = bench.board().stream_keys(GROUP, *PLACE)
    assert set(keys.public_shares) == {1, 2}
    assert "did not reveal" in keys.disqualified[3]
    assert bench.trustees[3].keystore.polynomial(PLACE, 1) is None  # dropped: it has no use any more


def test_nobody_answers_who_was_not_accused(bench):
    """Such a message, let in late, would change the transcript that the others agreed to."""
    for _ in range(3):
        bench.say(1, 2, 3)
    signed = signing.sign(
        bench.world.home(3).signing_key,
        "ceremony-3-answer",
        messages.encode(messages.Round3Answer(EPOCH, STREAM, 1, 3, ())),
    )
    with pytest.raises(CeremonyError, match="nothing is expected"):
        bench.keeper.append(signed, signed.signer)
    bench.finish(1, 2, 3)
    with pytest.raises(CeremonyError):
        bench.keeper.append(signed, signed.signer)


def test_a_restart_begins_another_attempt_with_another_key(bench):
    bench.say(1, 2, 3)
    assert operations.cut_ceremony(bench.keeper, EPOCH, STREAM, "restart").attempt == 1
    with pytest.raises(CeremonyError, match="given up"):
        opening = opening_of(bench, 1)
        signed = signing.sign(bench.world.home(1).signing_key, "ceremony-2", messages.encode(opening))
        bench.keeper.append(signed, signed.signer)
    bench.finish(1, 2, 3)
    assert bench.board().attempt_number(*PLACE) == 2
    assert set(shares(bench, 1, 2, 3)) == {1, 2, 3}


def test_a_restart_after_the_end_changes_no_key(bench):
    bench.finish(1, 2, 3)
    before = bench.board().stream_keys(GROUP, *PLACE)
    # The command refuses; a secretariat that posts it all the same changes nothing.
    with pytest.raises(ConfigurationError):
        operations.cut_ceremony(bench.keeper, EPOCH, STREAM, "restart")
    bench.keeper.publish(messages.CeremonyCut(EPOCH, STREAM, 1, "restart"))
    assert bench.say(1, 2, 3) == []
    fresh = Board(bench.world.home(0).public_key)
    with bench.keeper.store.reading() as session:
        for entry in bench.keeper.store.entries(session, 0):
            fresh.apply(entry)
    assert fresh.stream_keys(GROUP, *PLACE) == before


def test_a_manifest_with_other_keys_for_this_trustee_is_not_joined(bench):
    manifest = bench.board().manifest(EPOCH)
    assert bench.trustees[1].takes_part(manifest)
    other = messages.Manifest(
        **{name: getattr(manifest, name) for name in manifest.__struct_fields__}
        | {"trustees": tuple(messages.Trustee(t.index, bytes(32), bytes(32), t.url) for t in manifest.trustees)}
    )
    assert not bench.trustees[1].takes_part(other)


def test_real_servers_finish_although_each_is_stopped_in_the_middle(tmp_path):
    world = World(tmp_path)
    world.start(0, 1, 2)
    world.open_epoch()

    def said(kind: str) -> int:
        with world.keeper.view() as board:
            record = board.attempt(*PLACE)
            return len(record.sent[kind]) if record else 0

    wait_for(lambda: said("ceremony-1") == 2, "two commitments")
    world.stop(1, 2)
    world.start(3, 1)
    wait_for(lambda: said("ceremony-2") == 2, "two openings")
    world.stop(0, 1)  # now the secretariat is away as well
    world.start(2)
    world.start(0, 1)
    wait_for(world.ceremony_complete, "the ceremony is complete")
    member = world.member()
    batch = member.batch()
    member.grant(batch)
    for index in (1, 2, 3):
        assert member.evaluate(index, batch).status_code == 200
    world.stop()


def opening_of(bench: Bench, index: int) -> Round2:
    secret = bench.trustees[index].keystore.polynomial(PLACE, 1)
    assert secret is not None
    record = bench.board().ceremonies[(*PLACE, 1)]
    return keygen.round2(record.ceremony, secret, record.transcript())


def spoil_opening(bench: Bench, index: int, recipient: int) -> None:
    """Make a trustee's kept opening carry rubbish for one recipient: its hash commitment does not cover shares."""
    opening = opening_of(bench, index)
    shares = tuple(EncryptedShare(s.recipient, bytes(80)) if s.recipient == recipient else s for s in opening.shares)
    spoiled = msgspec.structs.replace(opening, shares=shares)
    signed = signing.sign(bench.world.home(index).signing_key, "ceremony-2", messages.encode(spoiled))
    bench.trustees[index].store.keep_message(PLACE, 1, signed)
