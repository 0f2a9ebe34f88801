"""What the log takes in about tallies: no roster, input or release that would let one member be read."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from support.boards import EPOCH, MadeBoard
from tacit_protocol import signing
from tacit_protocol.errors import EncodingError, SignatureError, TacitError, TallyError
from tacit_protocol.messages import MINIMUM_ROSTER, TallyAnnouncement, TallyInput, TallyRelease

DIGEST = bytes(range(64))
TRUSTEE = 2


class Scene:
    """Six members; five of them are announced as the roster."""

    def __init__(self) -> None:
        self.made = MadeBoard("tallies").open()
        self.members = sorted((self.made.member() for _ in range(MINIMUM_ROSTER + 1)), key=name)
        self.roster, self.outsider = self.members[:-1], self.members[-1]
        self.entry = self.announce()

    def announcement(self, *members: Ed25519PrivateKey) -> TallyAnnouncement:
        return TallyAnnouncement("avoided-audits", EPOCH, TRUSTEE, tuple(map(name, members or self.roster)))

    def announce(self, *members: Ed25519PrivateKey) -> int:
        return self.made.add(self.made.secretariat, self.announcement(*members))

    def submit(self, *members: Ed25519PrivateKey, entry: int | None = None, digest: bytes = DIGEST) -> None:
        for member in members:
            self.made.add(member, TallyInput(self.entry if entry is None else entry, digest))

    def release(self, trustee: int = TRUSTEE, digest: bytes = DIGEST) -> int:
        return self.made.add(self.made.trustees[trustee], TallyRelease(self.entry, digest))


def name(key: Ed25519PrivateKey) -> str:
    return signing.pseudonym(signing.public_bytes(key))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_from_the_roster_to_the_release(scene: Scene) -> None:
    scene.submit(*scene.roster[:-1])
    tallies = scene.made.board().tallies
    assert tallies.announced[scene.entry].missing == (name(scene.roster[-1]),)
    scene.submit(*scene.roster)  # again, and the last one for the first time
    scene.release()
    scene.release()  # the same once more changes nothing
    tally = scene.made.board().tallies.announced[scene.entry]
    assert tally.missing == () and tally.release == TallyRelease(scene.entry, DIGEST)


def test_a_roster_is_replaced_while_somebody_is_missing(scene: Scene) -> None:
    scene.submit(*scene.roster[1:])
    replaced = scene.entry
    scene.entry = scene.announce(*scene.members[1:])
    scene.submit(*scene.members[1:])
    scene.release()
    tallies = scene.made.board().tallies
    assert tallies.latest == {(EPOCH, "avoided-audits"): scene.entry}
    assert tallies.announced[replaced].release is None


def replaces_a_whole_roster(scene: Scene) -> None:
    scene.submit(*scene.roster)
    scene.announce(*scene.members[1:])


def changes_its_input(scene: Scene) -> None:
    scene.submit(scene.roster[0])
    scene.submit(scene.roster[0], digest=bytes(64))


def submits_to_a_replaced_roster(scene: Scene) -> None:
    scene.announce()
    scene.submit(scene.roster[0])


def releases_too_early(scene: Scene) -> None:
    scene.submit(*scene.roster[1:])
    scene.release()


def another_trustee_releases(scene: Scene) -> None:
    scene.submit(*scene.roster)
    scene.release(trustee=1)


def releases_two_sums(scene: Scene) -> None:
    scene.submit(*scene.roster)
    scene.release()
    scene.release(digest=bytes(64))


def announces_to_a_stranger(scene: Scene) -> None:
    scene.announce(*sorted((*scene.roster[1:], Ed25519PrivateKey.generate()), key=name))


BROKEN: dict[str, tuple[Callable[[Scene], object], type[TacitError], str, str]] = {
    "a roster replaced that can be summed": (replaces_a_whole_roster, TallyError, "it stays", "secretariat"),
    "a member twice": (
        lambda s: s.announce(*sorted((*s.roster, s.roster[0]), key=name)), TallyError, "once and in order",
        "secretariat",
    ),
    "a roster out of order": (lambda s: s.announce(*s.roster[::-1]), TallyError, "once and in order", "secretariat"),
    "a stranger on the roster": (announces_to_a_stranger, TallyError, "enrolled members", "secretariat"),
    "an unknown trustee": (
        lambda s: s.made.add(s.made.secretariat, msgspec.structs.replace(s.announcement(), trustee=9)),
        TallyError, "has no trustee 9", "secretariat",
    ),
    "an epoch that was not opened": (
        lambda s: s.made.add(s.made.secretariat, msgspec.structs.replace(s.announcement(), epoch="2031-h1")),
        TallyError, "was not opened", "secretariat",
    ),
    "not announced by the secretariat": (
        lambda s: s.made.add(s.outsider, s.announcement()), SignatureError, "is signed in the name of", "outsider",
    ),
    "an input of somebody else": (lambda s: s.submit(s.outsider), TallyError, "is not on the roster", "outsider"),
    "an input to nothing": (lambda s: s.submit(s.roster[0], entry=1), TallyError, "announces no tally", "roster"),
    "an input that changes": (changes_its_input, TallyError, "already", "roster"),
    "an input to a replaced roster": (submits_to_a_replaced_roster, TallyError, "was replaced", "roster"),
    "a release without the whole roster": (releases_too_early, TallyError, "without 1 of its roster", "trustee 2"),
    "a release by another trustee": (another_trustee_releases, TallyError, "only trustee 2 releases", "secretariat"),
    "a second, different release": (releases_two_sums, TallyError, "twice", "trustee 2"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_a_rule_forbids_is_refused_and_blamed(scene: Scene, case: str) -> None:
    act, error, words, party = BROKEN[case]
    act(scene)
    with pytest.raises(error, match=words) as caught:
        scene.made.board()
    named = {"outsider": name(scene.outsider), "roster": name(scene.roster[0])}
    assert caught.value.party == named.get(party, party)


FORGED: dict[str, tuple[int, int]] = {  # the announcement named, and the place in the scene's members
    "to nothing": (1, 0),
    "by somebody who is not on the roster": (-1, 5),
    "to the roster": (-1, 0),
}


@pytest.mark.parametrize("case", FORGED)
def test_an_input_in_a_members_name_that_it_did_not_sign_is_not_held_against_its_tally(scene: Scene, case: str) -> None:
    """A secretariat could otherwise have an auditor report a member for breaking a rule of a tally."""
    entry, place = FORGED[case]
    member = scene.members[place]
    scene.submit(member, entry=scene.entry if entry < 0 else entry)
    signed = scene.made.entries[-1]
    forged = msgspec.structs.replace(signed.message, signature=bytes(64))
    scene.made.entries[-1] = msgspec.structs.replace(signed, message=forged)
    with pytest.raises(SignatureError, match="does not verify"):
        scene.made.board()


def test_a_release_of_nothing_is_held_against_nobody_but_the_secretariat(scene: Scene) -> None:
    """Nobody knows whose signature to look for, so the one that it names may not have signed."""
    scene.made.add(scene.roster[0], TallyRelease(1, DIGEST))
    with pytest.raises(TallyError, match="announces no tally") as caught:
        scene.made.board()
    assert caught.value.party == "secretariat"


def test_a_roster_of_fewer_than_five_does_not_even_decode(scene: Scene) -> None:
    scene.announce(*scene.roster[1:])
    with pytest.raises(EncodingError, match="roster"):
        scene.made.board()
