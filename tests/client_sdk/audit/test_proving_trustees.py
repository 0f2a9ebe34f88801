"""Evidence against a trustee: guilty only when it signed and was wrong; whoever invents evidence gets nothing."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from support.audits import Case
from support.boards import EPOCH, STREAM
from tacit_client.cli import app
from tacit_protocol import answers, evidence, grants, merkle, messages, scalars, signing, wire
from tacit_protocol.answers import Question, WrongAnswerError
from tacit_protocol.dleq import Binding
from tacit_protocol.errors import ProofError
from tacit_protocol.messages import CeremonyCut, Round1
from tacit_protocol.threshold import evaluate_share
from tacit_protocol.trustee_evidence import Equivocation, WrongAnswer, wrong_answer

COUNT = grants.PADDING
LIAR = 1


@dataclass
class Scene:
    """A log with a grant, its batch, and a trustee that signs what a test has it sign."""

    case: Case
    blinded: bytes
    entry: int

    @classmethod
    def of(cls, case: Case) -> Scene:
        batch = cls.batch(case)
        return cls(case, batch, case.made.grant(case.members[0], batch))

    @staticmethod
    def batch(case: Case) -> bytes:
        return case.made.group.multiply_base(case.made.group.reduce_scalars(case.made.draw(64 * COUNT))).encode()

    def answer(self, blinded: bytes | None = None, key: bytes | None = None, index: int = LIAR) -> bytes:
        """Return proof || elements, right unless ``key`` is another than the trustee's share."""
        group, share = self.case.made.group, key or self.case.made.shares[index].secret
        elements = group.decode(blinded or self.blinded)
        binding = Binding(EPOCH, STREAM, index)
        answer = evaluate_share(group, share, group.multiply_base(share), elements, binding, secrets.token_bytes(64))
        return wire.encode_content(answer)

    def signed(self, content: bytes, **changes: object) -> bytes:
        """Sign as the liar, or as ``signer``, for the granted batch or what ``changes`` make of the question."""
        signer = int(str(changes.pop("signer", LIAR)))
        place: dict[str, object] = {
            "epoch": EPOCH, "stream": STREAM, "trustee": LIAR,
            "digest": grants.batch_digest(EPOCH, STREAM, self.blinded), **changes,
        }  # fmt: skip
        return answers.sign(self.case.made.trustees[signer], Question(**place), content)  # type: ignore[arg-type]

    def file(self, signed: bytes, **changes: object) -> WrongAnswer:
        self.case.write()
        made, tree = self.case.made, merkle.Tree()
        for entry in made.entries:
            tree.append(merkle.leaf_hash(messages.encode_leaf(entry)))
        error = WrongAnswerError(ProofError("as the finder says"), LIAR, signed)
        note, grant = self.case.note, made.entries[self.entry]
        file = wrong_answer(made.secretariat_key, note, tree, grant, self.blinded, error)
        return msgspec.structs.replace(file, **changes)

    def judge(self, file: msgspec.Struct, tmp_path: Path) -> tuple[int, str]:
        return judge(self.case, file, tmp_path)


def judge(case: Case, file: msgspec.Struct, tmp_path: Path, *, log: bool = True) -> tuple[int, str]:
    path = tmp_path / "evidence.json"
    path.write_bytes(messages.encode(file))
    keys = ["--trustee-keys", str(case.folder / "keys.json")]
    folder = ["--folder", str(case.folder)] if log else []
    result = CliRunner().invoke(app, ["audit", "evidence", str(path), *folder, *keys])
    return result.exit_code, " ".join(result.output.split())


@pytest.fixture
def scene(case: Case) -> Scene:
    return Scene.of(case)


def other_key() -> bytes:
    return scalars.reduce(secrets.token_bytes(64))


def swapped(content: bytes) -> bytes:
    return content[:64] + content[96:128] + content[64:96] + content[128:]


LIES: dict[str, Callable[[Scene], bytes]] = {
    "garbage": lambda scene: secrets.token_bytes(wire.content_bytes(COUNT)),
    "nothing at all": lambda scene: b"",
    "too short": lambda scene: scene.answer()[:-32],
    "too long": lambda scene: scene.answer() + bytes(32),
    "an element that does not decode": lambda scene: scene.answer()[:-32] + b"\xff" * 32,
    "two elements swapped": lambda scene: swapped(scene.answer()),
    "under another key, with a proof that holds for it": lambda scene: scene.answer(key=other_key()),
    "the right answer to another batch": lambda scene: scene.answer(scene.batch(scene.case)),
    "under another trustee's share": lambda scene: scene.answer(key=scene.case.made.shares[2].secret),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_trustee_that_signed_a_wrong_answer_is_guilty(scene: Scene, tmp_path: Path, lie: str) -> None:
    code, words = scene.judge(scene.file(scene.signed(LIES[lie](scene))), tmp_path)
    assert code == 1 and f"in entry {scene.entry}" in words and "(trustee 1)" in words


def wrong(scene: Scene, **changes: object) -> bytes:
    """Return a wrong answer of the right form."""
    return scene.signed(scene.answer(key=other_key()), **changes)


def another_batch(scene: Scene) -> WrongAnswer:
    """The member shows another batch than it was granted, to which the trustee's right answer is wrong."""
    return scene.file(scene.signed(scene.answer()), blinded=scene.batch(scene.case))


def an_answer_for_another_batch(scene: Scene) -> WrongAnswer:
    """A right answer of the trustee to another granted batch is shown as one to this."""
    other = scene.batch(scene.case)
    scene.case.made.grant(scene.case.members[0], other)
    digest = grants.batch_digest(EPOCH, STREAM, other)
    return scene.file(scene.signed(scene.answer(other), digest=digest))


def another_entry(scene: Scene) -> WrongAnswer:
    """The grant stands elsewhere on the log than the file says."""
    return scene.file(wrong(scene), entry=scene.entry - 1)


def no_grant(scene: Scene) -> WrongAnswer:
    """The entry is an enrolment."""
    scene.entry = scene.case.find("enrolment")
    return scene.file(wrong(scene))


def a_grant_that_is_not_on_the_log(scene: Scene) -> WrongAnswer:
    """The log's key signed a checkpoint with this grant, but the log that the auditor reads has something else there.

    That would be a fork, and is not the trustee's fault.
    """
    file = scene.file(wrong(scene))
    scene.case.made.entries[scene.entry] = msgspec.structs.replace(
        scene.case.made.entries[scene.entry], time=scene.case.made.entries[scene.entry].time + 1
    )
    scene.case.write()
    return file


def an_unsigned_checkpoint(scene: Scene) -> WrongAnswer:
    file = scene.file(wrong(scene))
    return msgspec.structs.replace(file, shown=file.shown.replace(f"\n{len(scene.case.made.entries)}\n", "\n7\n"))


def points_that_do_not_decode(scene: Scene) -> WrongAnswer:
    """The member had a batch granted that no honest trustee answers, and a trustee signed something."""
    scene.blinded = scene.blinded[:-32] + b"\xff" * 32
    scene.entry = scene.case.made.grant(scene.case.members[0], scene.blinded)
    return scene.file(scene.signed(b"I cannot"))


def changed_after_signing(scene: Scene) -> WrongAnswer:
    signed = scene.signed(scene.answer())
    return scene.file(signed[:-1] + bytes([signed[-1] ^ 1]))


INVENTED: dict[str, tuple[Callable[[Scene], WrongAnswer], str]] = {
    "a right answer": (lambda s: s.file(s.signed(s.answer())), "to this batch is right"),
    "changed after it was signed": (changed_after_signing, "not signed by it"),
    "a batch that is not the grant's": (another_batch, "not the one that the grant"),
    "an answer for another batch": (an_answer_for_another_batch, "not signed by it"),
    "signed for another epoch": (lambda s: s.file(wrong(s, epoch="2027-h1")), "not signed by it"),
    "signed for another stream": (lambda s: s.file(wrong(s, stream="ecovadis")), "not signed by it"),
    "signed for another trustee": (lambda s: s.file(wrong(s, trustee=2)), "not signed by it"),
    "signed by another trustee": (lambda s: s.file(wrong(s, signer=2)), "not signed by it"),
    "shown as another trustee's": (lambda s: s.file(wrong(s), trustee=2), "not signed by it"),
    "a trustee that there is not": (lambda s: s.file(wrong(s), trustee=9), "no key of trustee 9 is pinned"),
    "another entry": (another_entry, "nothing"),
    "an entry that is no grant": (no_grant, "is no grant"),
    "a grant that the log does not hold": (a_grant_that_is_not_on_the_log, "something else as entry"),
    "a checkpoint that the log did not sign": (an_unsigned_checkpoint, "nothing"),
    "another log": (lambda s: s.file(wrong(s), log_key=bytes(range(32))), "another secretariat"),
    "a batch of bad points": (points_that_do_not_decode, "none that a trustee may answer"),
}


@pytest.mark.parametrize("what", INVENTED)
def test_invented_evidence_proves_nothing(scene: Scene, tmp_path: Path, what: str) -> None:
    make, why = INVENTED[what]
    code, words = scene.judge(make(scene), tmp_path)
    assert code == 2 and why in words and "(trustee" not in words


def test_a_stranger_that_signs_as_a_trustee_is_not_believed(scene: Scene, tmp_path: Path) -> None:
    scene.case.made.trustees[LIAR], honest = scene.case.made.signing_key(), scene.case.made.trustees[LIAR]
    signed = wrong(scene)
    scene.case.made.trustees[LIAR] = honest
    assert scene.judge(scene.file(signed), tmp_path)[0] == 2


def test_without_the_trustees_pinned_key_or_without_the_log_nobody_is_blamed(scene: Scene, tmp_path: Path) -> None:
    """The secretariat names the trustees in its manifest, so its word alone says nothing about whose key it is."""
    file = scene.file(wrong(scene))
    keys = scene.case.folder / "keys.json"
    whole = keys.read_bytes()
    fields = msgspec.json.decode(whole)
    keys.write_bytes(msgspec.json.encode({**fields, "trustees": fields["trustees"][1:]}))
    code, words = scene.judge(file, tmp_path)
    assert code == 2 and "(trustee" not in words
    keys.write_bytes(whole)
    assert scene.judge(file, tmp_path)[0] == 1
    (tmp_path / "nothing").mkdir()
    path = ["audit", "evidence", str(tmp_path / "evidence.json"), "--folder", str(tmp_path / "nothing")]
    assert CliRunner().invoke(app, [*path, "--trustee-keys", str(keys)]).exit_code == 2


def test_on_a_log_that_breaks_rules_itself_nobody_is_found_guilty(scene: Scene, tmp_path: Path) -> None:
    """The exit code says what the file proves; what the log breaks, `tacit audit verify` says."""
    scene.case.made.grant_any(scene.case.made.signing_key())
    code, words = scene.judge(scene.file(wrong(scene)), tmp_path)
    assert code == 2 and "not enrolled" in words


def test_the_file_survives_its_encoding_and_names_no_kind_twice(scene: Scene) -> None:
    file = scene.file(wrong(scene))
    assert evidence.decode(messages.encode(file)) == file


# --- two messages in one step -------------------------------------------------------------------------------


def round1(attempt: int = 1, sender: int = LIAR, stream: str = STREAM, mark: int = 0) -> Round1:
    return Round1(EPOCH, stream, attempt, sender, bytes([mark]) * 64, bytes(32))


def two(case: Case, first: messages.Message, second: messages.Message, signer: int = LIAR) -> Equivocation:
    case.write()
    key = case.made.trustees[signer]
    return Equivocation(signing.public_bytes(key), case.made.sign(key, first), case.made.sign(key, second))


def test_two_messages_in_one_step_are_judged_by_their_signatures_alone(case: Case, tmp_path: Path) -> None:
    code, words = judge(case, two(case, round1(), round1(mark=1)), tmp_path, log=False)
    assert code == 1 and "two different messages in step ceremony-1 of attempt 1" in words and "(trustee 1)" in words


def forged(case: Case) -> Equivocation:
    file = two(case, round1(), round1(mark=1))
    other = msgspec.structs.replace(file.second, body=messages.encode(round1(mark=2)))
    return msgspec.structs.replace(file, second=other)


def other_form(case: Case) -> Equivocation:
    """The same message with a space in its JSON: another body, but no other message."""
    key = case.made.trustees[LIAR]
    file = two(case, round1(), round1())
    body = file.first.body.replace(b":", b": ", 1)
    return msgspec.structs.replace(file, second=signing.sign(key, "ceremony-1", body))


NO_EQUIVOCATION: dict[str, tuple[Callable[[Case], Equivocation], str]] = {
    "the same message twice": (lambda c: two(c, round1(), round1()), "say the same"),
    "a restarted attempt": (lambda c: two(c, round1(), round1(attempt=2, mark=1)), "not of one step"),
    "another stream": (lambda c: two(c, round1(), round1(stream="ecovadis", mark=1)), "not of one step"),
    "another step": (lambda c: two(c, round1(), messages.Round3(EPOCH, STREAM, 1, LIAR, ())), "not of one step"),
    "in the name of two trustees": (lambda c: two(c, round1(), round1(sender=2, mark=1)), "not of one step"),
    "in another trustee's name": (lambda c: two(c, round1(), round1(mark=1), signer=2), "not the one pinned"),
    "no messages of a ceremony": (
        lambda c: two(c, CeremonyCut(EPOCH, STREAM, 1, "ceremony-1"), CeremonyCut(EPOCH, STREAM, 1, "ceremony-2")),
        "no step of a ceremony",
    ),
    "one signature that does not hold": (forged, "does not verify"),
    "one message in two forms": (other_form, "canonical"),
    "a trustee that nobody has pinned": (lambda c: two(c, round1(sender=9), round1(sender=9, mark=1)), "itself"),
}


@pytest.mark.parametrize("what", NO_EQUIVOCATION)
def test_what_is_no_equivocation_proves_nothing(case: Case, tmp_path: Path, what: str) -> None:
    make, why = NO_EQUIVOCATION[what]
    code, words = judge(case, make(case), tmp_path, log=False)
    assert code == 2 and why in words and "(trustee" not in words
