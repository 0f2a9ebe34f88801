"""The key ceremony: honest in several sizes, then every way of cheating, with the cheater named and the rest done."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.ceremonies import EPOCH, STREAM, Table
from support.vectors import draw_from
from tacit_protocol import hpke, keygen, messages, polynomial, scalars, threshold, voprf
from tacit_protocol.errors import CeremonyError, TacitError
from tacit_protocol.group import ORDER, Backend
from tacit_protocol.keygen import Ceremony, Outcome, Transcript
from tacit_protocol.messages import EncryptedShare, RevealedShare, Round2, Round3, Round3Answer, Round4

replace = msgspec.structs.replace


def shares_fit(table: Table, outcome: Outcome) -> dict[int, bytes]:
    """Let everybody finish: each share fits its public share, every t of them the public key. Returns the shares."""
    shares = {}
    for index in outcome.public_shares:
        share, seen, confirmation = table.finish(index)
        assert seen == outcome
        assert confirmation.transcript == outcome.transcript
        assert share.public == table.group.multiply_base(share.secret).encode() == outcome.public_shares[index]
        shares[index] = share.secret
    for subset in combinations(shares, table.ceremony.threshold):
        secret = threshold.interpolate_secret({i: shares[i] for i in subset})
        assert table.group.multiply_base(secret).encode() == outcome.public_key
    return shares


def disqualified(table: Table, change: Callable[[Table], None] | None, cheater: int, reason: str) -> Outcome:
    """Run with ``change``; the cheater alone falls out, by name, and the others hold a working key."""
    outcome = table.run(change)
    assert list(outcome.disqualified) == [cheater]
    assert reason in outcome.disqualified[cheater]
    assert cheater not in outcome.public_shares
    shares_fit(table, outcome)
    if cheater in table.round2:
        with pytest.raises(CeremonyError, match="this trustee was disqualified") as caught:
            table.finish(cheater)
        assert caught.value.party == f"trustee {cheater}"
    return outcome


# --- honest --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "needed"), [(1, 1), (2, 2), (3, 2), (4, 1), (5, 3), (7, 7)])
def test_an_honest_ceremony_gives_everybody_the_same_keys(group: Backend, count: int, needed: int) -> None:
    table = Table.opened(group, count, needed)
    outcome = table.run()
    assert outcome.disqualified == {}
    assert list(outcome.public_shares) == list(range(1, count + 1))
    assert all(message.accused == () for message in table.round3.values())
    shares_fit(table, outcome)


def test_no_message_or_share_of_fewer_than_t_gives_the_key(group: Backend) -> None:
    table = Table.opened(group, 5, 3)
    outcome = table.run()
    shares = shares_fit(table, outcome)
    for pair in combinations(shares, 2):
        guess = threshold.interpolate_secret({i: shares[i] for i in pair})
        assert group.multiply_base(guess).encode() != outcome.public_key


def test_outputs_under_the_ceremonys_key_are_rfc_9497_outputs_for_any_quorum(group: Backend) -> None:
    table = Table.opened(group, 5, 3)
    outcome = table.run()
    shares = shares_fit(table, outcome)
    inputs, blinds = [b"one", b"two"], scalars.from_int(17) + scalars.from_int(19)
    blinded = voprf.blind(group, inputs, blinds)
    whole_key = threshold.interpolate_secret({i: shares[i] for i in (1, 2, 3)})
    expected = voprf.finalize(group, inputs, blinds, group.multiply(whole_key, blinded))
    answers = {}
    for i, share in shares.items():
        public = group.decode(outcome.public_shares[i])
        binding = threshold.Binding(EPOCH, STREAM, i)
        answers[i] = threshold.evaluate_share(group, share, public, blinded, binding, bytes([i]) * 64)
        threshold.verify_answer(group, EPOCH, STREAM, public, blinded, answers[i])
    for subset in combinations(answers, 3):
        assert threshold.combine(group, 3, [answers[i] for i in subset], inputs, blinds) == expected


def test_an_outsider_with_the_messages_alone_concludes_the_same(group: Backend) -> None:
    table = Table.opened(group, 4, 2)
    wrong_share_to(3, 1)(table)
    table.complain()
    table.answer()
    # What an auditor has: JSON off the board, read anew, and the keys in the manifest.
    read = Transcript(
        *(
            [messages.decode(messages.encode(message), type(message)) for message in step.values()]
            for step in (table.round1, table.round2, table.round3, table.answers)
        )
    )
    theirs = Ceremony(EPOCH, STREAM, 1, 2, dict(table.ceremony.signing_keys))
    assert keygen.conclude(group, theirs, read) == table.finish(1)[1] == table.finish(4)[1]


def test_ceremonies_of_two_streams_give_unrelated_keys(group: Backend) -> None:
    keys = {Table.opened(group, 3, 2, seed=s, stream=s).run().public_key for s in ("social-audit", "ecovadis")}
    assert len(keys) == 2


def test_the_same_polynomial_in_another_ceremony_commits_differently(group: Backend) -> None:
    random = draw_from("repeat")(64 * 3 + 32)
    keys = Table.opened(group, 3, 2).ceremony.signing_keys
    others = {**keys, 3: keys[1]}
    ceremonies = [
        Ceremony(EPOCH, STREAM, 1, 2, keys),
        Ceremony(EPOCH, STREAM, 2, 2, keys),
        Ceremony(EPOCH, "ecovadis", 1, 2, keys),
        Ceremony("2027-h1", STREAM, 1, 2, keys),
        Ceremony(EPOCH, STREAM, 1, 2, others),
    ]
    drawn = [keygen.round1(group, ceremony, 1, random) for ceremony in ceremonies]
    assert len({message.commitment for _, message in drawn}) == len(ceremonies)
    assert len({secret.opening.possession for secret, _ in drawn}) == len(ceremonies)
    assert len({secret.opening.commitments for secret, _ in drawn}) == 1


# --- cheating in steps 1 and 2 -------------------------------------------------------------------------------


def silent_in_round1(table: Table) -> None:
    del table.round1[2], table.round2[2]
    table.open()


def opening_without_commitment(table: Table) -> None:
    del table.round1[2]
    table.open()


def silent_in_round2(table: Table) -> None:
    del table.round2[2]


def other_opening(table: Table) -> None:
    other = Table.opened(table.group, 4, 2, seed="another polynomial")
    table.round2[2] = replace(table.round2[2], commitments=other.round2[2].commitments)


def altered_possession(table: Table) -> None:
    opening = table.round2[2]
    table.round2[2] = replace(opening, possession=opening.possession[:-1] + b"\x01")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (silent_in_round1, "sent no commitment"),
        (opening_without_commitment, "sent no commitment"),
        (silent_in_round2, "did not open its commitment"),
        (other_opening, "opened something else"),
        (altered_possession, "opened something else"),
    ],
)
def test_messages_missing_or_not_as_committed(group: Backend, change: Callable[[Table], None], reason: str) -> None:
    disqualified(Table.opened(group, 4, 2), change, 2, reason)


def forged(**fields: Any) -> Callable[[Table], None]:
    """The cheater commits to a forged opening from the start, so that only what is in it can give it away."""

    def change(table: Table) -> None:
        opening = table.round2[2]
        made = {name: value(table, opening) if callable(value) else value for name, value in fields.items()}
        table.recommit(2, replace(opening, **made))

    return change


def first_commitment(encoding: bytes) -> Callable[[Table, Round2], bytes]:
    return lambda table, opening: encoding + opening.commitments[32:]


def last_commitment(encoding: bytes) -> Callable[[Table, Round2], bytes]:
    return lambda table, opening: opening.commitments[:-32] + encoding


NO_ELEMENTS = "no group elements"
NO_POSSESSION = "does not prove that it knows"
NOT_ONE_EACH = "did not send one share to each"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"commitments": lambda _, o: o.commitments[:32]}, "for another threshold than 2"),
        ({"commitments": lambda _, o: o.commitments * 2}, "for another threshold than 2"),
        ({"commitments": lambda _, o: o.commitments[:-1]}, "for another threshold than 2"),
        ({"commitments": first_commitment(bytes(32))}, NO_ELEMENTS),
        ({"commitments": last_commitment(bytes(32))}, NO_ELEMENTS),
        ({"commitments": last_commitment(b"\xff" * 32)}, NO_ELEMENTS),
        ({"possession": bytes(64)}, NO_POSSESSION),
        ({"possession": lambda _, o: bytes(32) + o.possession[32:]}, NO_POSSESSION),
        ({"possession": lambda _, o: o.possession[:32] + bytes(32)}, NO_POSSESSION),
        ({"possession": lambda _, o: o.possession[:32] + b"\xff" * 32}, NO_POSSESSION),
        ({"possession": lambda _, o: non_canonical(o.possession)}, NO_POSSESSION),
        ({"possession": b""}, NO_POSSESSION),
        ({"possession": lambda t, _: t.round2[1].possession}, NO_POSSESSION),
        ({"shares": ()}, NOT_ONE_EACH),
        ({"shares": lambda _, o: o.shares[:-1]}, NOT_ONE_EACH),
        ({"shares": lambda _, o: (*o.shares[:-1], o.shares[0])}, NOT_ONE_EACH),
        ({"shares": lambda _, o: (*o.shares, o.shares[0])}, NOT_ONE_EACH),
        ({"shares": lambda _, o: (*o.shares, EncryptedShare(9, b""))}, NOT_ONE_EACH),
    ],
)  # fmt: skip
def test_a_malformed_opening_disqualifies_its_sender(group: Backend, fields: dict[str, Any], reason: str) -> None:
    disqualified(Table.opened(group, 4, 2), forged(**fields), 2, reason)


def non_canonical(possession: bytes) -> bytes:
    response = int.from_bytes(possession[32:], "little") + ORDER
    return possession[:32] + response.to_bytes(32, "little")


def test_a_rogue_key_is_refused_for_lack_of_possession(group: Backend) -> None:
    # Trustee 2 wants the sum of all constants to be a point of its choice, X: its own must be X minus the others'.
    table = Table.opened(group, 3, 2)
    constants = [group.decode(table.round2[i].commitments[:32]) for i in (1, 3)]
    chosen = group.multiply_base(scalars.from_int(4711))
    minus = group.multiply(scalars.from_int(-1), group.add(*constants))
    rogue = group.decode(group.add(chosen, minus).encode())
    total = group.add(group.add(*constants), rogue)
    assert total.encode() == chosen.encode()  # without the proof, trustee 2 would know the key: 4711
    disqualified(table, forged(commitments=first_commitment(rogue.encode())), 2, NO_POSSESSION)


def test_copying_another_trustees_messages_gains_nothing(group: Backend) -> None:
    def copy(table: Table) -> None:
        table.recommit(2, replace(table.round2[1], sender=2))

    disqualified(Table.opened(group, 4, 2), copy, 2, NO_POSSESSION)


# --- cheating with shares ------------------------------------------------------------------------------------


def wrong_share_to(cheater: int, *victims: int, content: bytes | None = None) -> Callable[[Table], None]:
    def change(table: Table) -> None:
        opening, ceremony = table.round2[cheater], table.ceremony
        forged_shares = []
        for share in opening.shares:
            if share.recipient in victims:
                wrong = scalars.from_int(666) if content is None else content
                info = keygen._share_info(ceremony, cheater, share.recipient)
                share = EncryptedShare(  # noqa: PLW2901
                    share.recipient, hpke.seal(table.round1[share.recipient].agreement_key, wrong, info)
                )
            forged_shares.append(share)
        table.round2[cheater] = replace(opening, shares=tuple(forged_shares))

    return change


@pytest.mark.parametrize("content", [None, bytes(32), b"\xff" * 32, b"", bytes(31), bytes(33)], ids=str)
def test_a_wrong_share_is_disputed_and_the_right_one_revealed(group: Backend, content: bytes | None) -> None:
    # The accused may stay when it reveals the right share; the victim then uses that one.
    table = Table.opened(group, 4, 2)
    wrong_share_to(3, 1, content=content)(table)
    table.complain()
    assert {i: m.accused for i, m in table.round3.items()} == {1: (3,), 2: (), 3: (), 4: ()}
    table.answer()
    outcome = table.conclude()
    assert outcome.disqualified == {}
    shares_fit(table, outcome)


def test_a_share_that_does_not_decrypt_is_disputed(group: Backend) -> None:
    table = Table.opened(group, 4, 2)
    garbage = tuple(EncryptedShare(s.recipient, s.ciphertext[:-1] + b"x") for s in table.round2[3].shares)
    table.round2[3] = replace(table.round2[3], shares=garbage)
    table.complain()
    assert all(m.accused == (3,) for m in table.round3.values())


def test_a_wrong_share_and_silence_disqualify(group: Backend) -> None:
    table = Table.opened(group, 4, 2)
    wrong_share_to(3, 1)(table)
    table.complain()
    table.answer(3)
    outcome = table.conclude()
    assert outcome.disqualified == {3: "did not reveal the share that trustee 1 disputes"}
    shares_fit(table, outcome)


@pytest.mark.parametrize("share", [scalars.from_int(666), bytes(32), b"\xff" * 32])
def test_a_wrong_share_and_a_wrong_reveal_disqualify(group: Backend, share: bytes) -> None:
    table = Table.opened(group, 4, 2)
    wrong_share_to(3, 1)(table)
    table.complain()
    table.answers[3] = Round3Answer(EPOCH, STREAM, 1, 3, (RevealedShare(1, share),))
    outcome = table.conclude()
    assert outcome.disqualified == {3: "revealed a wrong share for trustee 1"}
    shares_fit(table, outcome)


def test_revealing_to_another_than_the_accuser_does_not_count(group: Backend) -> None:
    table = Table.opened(group, 4, 2)
    wrong_share_to(3, 1)(table)
    table.complain()
    right_for_2 = polynomial.evaluate(table.secrets[3].coefficients, 2)
    table.answers[3] = Round3Answer(EPOCH, STREAM, 1, 3, (RevealedShare(2, right_for_2),))
    assert table.conclude().disqualified == {3: "did not reveal the share that trustee 1 disputes"}


def test_an_undisputed_share_in_an_answer_is_not_used(group: Backend) -> None:
    # Two work together: 4 accuses 3 falsely, and 3 reveals the right share for 4 and a wrong one for honest 1.
    table = Table.opened(group, 4, 2)
    table.complain()
    table.round3[4] = replace(table.round3[4], accused=(3,))
    right = polynomial.evaluate(table.secrets[3].coefficients, 4)
    revealed = (RevealedShare(1, scalars.from_int(666)), RevealedShare(4, right))
    table.answers[3] = Round3Answer(EPOCH, STREAM, 1, 3, revealed)
    outcome = table.conclude()
    assert outcome.disqualified == {}
    shares_fit(table, outcome)


def test_the_first_of_two_reveals_counts(group: Backend) -> None:
    table = Table.opened(group, 4, 2)
    wrong_share_to(3, 1)(table)
    table.complain()
    right = RevealedShare(1, polynomial.evaluate(table.secrets[3].coefficients, 1))
    wrong = RevealedShare(1, scalars.from_int(666))
    table.answers[3] = Round3Answer(EPOCH, STREAM, 1, 3, (right, wrong))
    outcome = table.conclude()
    assert outcome.disqualified == {}
    shares_fit(table, outcome)
    table.answers[3] = Round3Answer(EPOCH, STREAM, 1, 3, (wrong, right))
    assert table.conclude().disqualified == {3: "revealed a wrong share for trustee 1"}


def test_a_false_accusation_gets_the_accuser_nothing(group: Backend) -> None:
    table = Table.opened(group, 4, 2)
    table.complain()
    table.round3[4] = replace(table.round3[4], accused=(1, 2, 3, 4, 9))
    table.answer()
    for accused in (1, 2, 3):
        # Only the accuser's own share comes out, which it had already.
        assert [reveal.recipient for reveal in table.answers[accused].revealed] == [4]
        known = keygen._open_share(group, table.ceremony, table.round2[accused], table.secrets[4])
        assert table.answers[accused].revealed[0].share == known
    outcome = table.conclude()
    assert outcome.disqualified == {}
    shares_fit(table, outcome)


def test_answers_to_nobody_reveal_nothing(group: Backend) -> None:
    table = Table.opened(group, 4, 2)
    table.complain()
    assert keygen.answer(table.ceremony, table.secrets[1], list(table.round3.values())).revealed == ()


def test_an_accusation_by_a_stranger_is_ignored(group: Backend) -> None:
    table = Table.opened(group, 4, 2)
    table.complain()
    table.round3[9] = Round3(EPOCH, STREAM, 1, 9, (1, 2, 3, 4))
    assert table.conclude().disqualified == {}


def test_a_victim_whose_complaint_came_too_late_names_the_sender(group: Backend) -> None:
    table = Table.opened(group, 4, 2)
    wrong_share_to(3, 1)(table)
    table.complain(1)  # the wait was cut before trustee 1 spoke
    assert table.conclude().disqualified == {}
    with pytest.raises(CeremonyError, match="does not fit its commitments") as caught:
        table.finish(1)
    assert caught.value.party == "trustee 3"


def test_two_contradicting_messages_the_first_counts(group: Backend) -> None:
    table = Table.opened(group, 4, 2)
    table.complain()
    outcome = table.conclude()
    other = Table.opened(group, 4, 2, seed="second thoughts")
    accusing = replace(table.round3[2], accused=(1,))
    equivocating = Transcript(
        [*table.round1.values(), other.round1[2]],
        [*table.round2.values(), other.round2[2]],
        [*table.round3.values(), accusing],
        [],
    )
    assert keygen.conclude(group, table.ceremony, equivocating) == outcome


# --- too few remain ------------------------------------------------------------------------------------------


def test_below_the_threshold_the_ceremony_ends_and_names_all_guilty(group: Backend) -> None:
    table = Table.opened(group, 4, 3)
    del table.round2[2]
    table.recommit(3, replace(table.round2[3], possession=bytes(64)))
    table.complain()
    with pytest.raises(CeremonyError, match="only 2 of 3 needed trustees remain") as caught:
        table.conclude()
    assert caught.value.party == "trustee 2, trustee 3"
    assert caught.value.evidence == {
        "trustee 2": "did not open its commitment",
        "trustee 3": "does not prove that it knows its polynomial",
    }


def test_exactly_the_threshold_is_enough(group: Backend) -> None:
    table = Table.opened(group, 4, 3)
    del table.round2[2]
    outcome = table.run()
    assert list(outcome.public_shares) == [1, 3, 4]
    shares_fit(table, outcome)


def test_nobody_at_all_is_an_error(group: Backend) -> None:
    ceremony = Table.opened(group, 2, 1).ceremony
    with pytest.raises(CeremonyError, match="only 0 of 1"):
        keygen.conclude(group, ceremony, Transcript([], []))


@pytest.mark.parametrize(("needed", "indices"), [(0, [1]), (3, [1, 2]), (1, [0, 1]), (1, [256])])
def test_impossible_ceremonies_are_refused(needed: int, indices: list[int]) -> None:
    with pytest.raises(CeremonyError):
        Ceremony(EPOCH, STREAM, 1, needed, dict.fromkeys(indices, bytes(32)))


@pytest.mark.parametrize("key", [bytes(32), (1).to_bytes(32, "little"), (2**255 - 20).to_bytes(32, "little")], ids=str)
def test_an_unusable_agreement_key_disqualifies_its_sender(group: Backend, key: bytes) -> None:
    table = Table.opened(group, 4, 2)
    table.round1[2] = replace(table.round1[2], agreement_key=key)
    table.open()  # the others encrypt nothing to it and are not held up
    table.complain(2)
    outcome = table.conclude()
    assert outcome.disqualified == {2: "sent an agreement key that cannot be used"}
    shares_fit(table, outcome)


# --- shares are for those alone who have spoken in step 1 ----------------------------------------------------


def test_a_trustee_silent_in_step_1_gets_no_share(group: Backend) -> None:
    """Else a secretariat could name a key of its own for it in the manifest and read every share meant for it."""
    table = Table.opened(group, 3, 2)
    del table.round1[2], table.round2[2]
    table.open()
    assert [share.recipient for share in table.round2[1].shares] == [1, 3]
    outcome = table.run()
    assert list(outcome.public_shares) == [1, 3]
    shares_fit(table, outcome)


def test_shares_open_with_the_key_of_their_attempt_alone(group: Backend) -> None:
    """What a trustee has after it dropped that key, also from a later attempt, does not bring an erased share back."""
    table, later = Table.opened(group, 3, 2), Table.opened(group, 3, 2, attempt=2, seed="later")
    keys = {message.agreement_key for each in (table, later) for message in each.round1.values()}
    assert len(keys) == 6
    assert keygen._open_share(group, table.ceremony, table.round2[1], table.secrets[2])
    with pytest.raises(CeremonyError, match="does not decrypt"):
        keygen._open_share(group, table.ceremony, table.round2[1], later.secrets[2])


def test_randomness_of_another_size_is_refused(group: Backend) -> None:
    ceremony = Table.opened(group, 2, 2).ceremony
    with pytest.raises(ValueError, match="224 random bytes"):
        keygen.round1(group, ceremony, 1, bytes(223))


# --- messages that do not belong, agreement ------------------------------------------------------------------


@pytest.mark.parametrize("step", ["round1", "round2", "round3", "answers"])
@pytest.mark.parametrize("field", [{"epoch": "2027-h1"}, {"stream": "ecovadis"}, {"attempt": 2}], ids=str)
def test_messages_of_another_ceremony_are_refused(group: Backend, step: str, field: dict[str, Any]) -> None:
    table = Table.opened(group, 3, 2)
    table.complain()
    table.answers[2] = Round3Answer(EPOCH, STREAM, 1, 2, ())
    getattr(table, step)[2] = replace(getattr(table, step)[2], **field)
    with pytest.raises(CeremonyError, match="belongs to another ceremony") as caught:
        table.conclude()
    assert caught.value.party == "trustee 2"


def test_agreement_of_all_is_needed(group: Backend) -> None:
    table = Table.opened(group, 3, 2)
    outcome = table.run()
    confirmations = [table.finish(i)[2] for i in (1, 2, 3)]
    keygen.verify_agreement(table.ceremony, outcome, confirmations)
    with pytest.raises(CeremonyError, match="trustee 3 has not agreed") as caught:
        keygen.verify_agreement(table.ceremony, outcome, confirmations[:2])
    assert caught.value.party == "trustee 3"


def test_agreement_to_another_transcript_is_shown_with_both_digests(group: Backend) -> None:
    table = Table.opened(group, 3, 2)
    outcome = table.run()
    confirmations = [table.finish(i)[2] for i in (1, 2, 3)]
    other = Round4(EPOCH, STREAM, 1, 2, bytes(64))
    with pytest.raises(CeremonyError, match="trustee 2 agreed to another transcript") as caught:
        keygen.verify_agreement(table.ceremony, outcome, [confirmations[0], other, confirmations[2]])
    assert caught.value.party == "trustee 2"
    assert caught.value.evidence == {"expected": outcome.transcript.hex(), "signed": bytes(64).hex()}
    with pytest.raises(CeremonyError, match="trustee 2 agreed to another"):  # the first of two counts
        keygen.verify_agreement(table.ceremony, outcome, [other, *confirmations])
    keygen.verify_agreement(table.ceremony, outcome, [*confirmations, other])


def test_agreement_in_another_attempt_does_not_count(group: Backend) -> None:
    table = Table.opened(group, 3, 2)
    outcome = table.run()
    confirmations = [replace(table.finish(i)[2], attempt=2) for i in (1, 2, 3)]
    with pytest.raises(CeremonyError, match="another ceremony"):
        keygen.verify_agreement(table.ceremony, outcome, confirmations)


def test_agreement_of_the_disqualified_is_not_needed(group: Backend) -> None:
    table = Table.opened(group, 4, 2)
    outcome = disqualified(table, silent_in_round2, 2, "did not open")
    keygen.verify_agreement(table.ceremony, outcome, [table.finish(i)[2] for i in (1, 3, 4)])


def test_the_transcript_hash_covers_every_message(group: Backend) -> None:
    table = Table.opened(group, 4, 2)
    wrong_share_to(3, 1)(table)
    table.complain()
    table.answer()
    seen = {table.conclude().transcript}
    ciphertexts = Table.opened(group, 4, 2).round2[1].shares  # the same polynomial, sealed anew
    for step, message in (
        ("round2", replace(table.round2[1], shares=ciphertexts)),
        ("round3", replace(table.round3[2], accused=(3,))),
        ("answers", replace(table.answers[3], revealed=(*table.answers[3].revealed, RevealedShare(2, bytes(32))))),
    ):
        kept = getattr(table, step)[message.sender]
        getattr(table, step)[message.sender] = message
        seen.add(keygen._transcript_hash(table.ceremony, table.transcript))
        getattr(table, step)[message.sender] = kept
    assert len(seen) == 4


# --- nothing but a TacitError gets out -----------------------------------------------------------------------

index = st.integers(min_value=1, max_value=255)
some_bytes = st.one_of(st.binary(max_size=100), st.sampled_from([bytes(32), bytes(64), b"\xff" * 64]))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_a_trustee_sends_only_it_is_harmed(group: Backend, data: st.DataObject) -> None:
    table = Table.opened(group, 3, 2)
    opening = table.round2[3]
    table.recommit(
        3,
        replace(
            opening,
            commitments=data.draw(st.one_of(st.just(opening.commitments), some_bytes)),
            possession=data.draw(st.one_of(st.just(opening.possession), some_bytes)),
            shares=data.draw(
                st.one_of(
                    st.just(opening.shares),
                    st.lists(st.builds(EncryptedShare, index, some_bytes), max_size=4).map(tuple),
                    st.lists(some_bytes, min_size=3, max_size=3).map(
                        lambda texts: tuple(EncryptedShare(i + 1, text) for i, text in enumerate(texts))
                    ),
                )
            ),
        ),
    )
    table.complain(3)
    table.round3[3] = Round3(EPOCH, STREAM, 1, 3, tuple(data.draw(st.lists(index, max_size=5))))
    table.answer(3)
    revealed = data.draw(st.lists(st.builds(RevealedShare, index, some_bytes), max_size=4))
    table.answers[3] = Round3Answer(EPOCH, STREAM, 1, 3, tuple(revealed))
    try:
        outcome = table.conclude()
        assert set(outcome.disqualified) <= {3}
        for i in (1, 2):
            table.finish(i)
    except TacitError as error:
        pytest.fail(f"honest trustees were stopped: {error.message}")
