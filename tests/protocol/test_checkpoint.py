from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tacit_protocol import checkpoint as notes
from tacit_protocol import signing
from tacit_protocol.checkpoint import Checkpoint, Note
from tacit_protocol.errors import EncodingError, SignatureError

LOG, WITNESS, OTHER = (Ed25519PrivateKey.from_private_bytes(bytes([i]) * 32) for i in (1, 2, 3))
LOG_KEY, WITNESS_KEY, OTHER_KEY = map(signing.public_bytes, (LOG, WITNESS, OTHER))
ORIGIN, NAME = notes.log_origin(LOG_KEY), notes.witness_name(WITNESS_KEY)
HEAD = Checkpoint(ORIGIN, 7, bytes(range(32)))
# The example of C2SP tlog-cosignature: its form is checked, its keys are not given there.
EXAMPLE = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+"
    "xeMcTOAYQ8=\n"
    "— witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+"
    "mbIUBkBIfZ+qnA==\n"
)


def cosigned(timestamp: int = 1_800_000_000) -> Note:
    note = notes.sign_checkpoint(LOG, HEAD)
    return note.with_signatures([notes.cosign(WITNESS, NAME, note.text, timestamp)])


def test_the_published_example_is_read_and_written_again() -> None:
    note = notes.decode_note(EXAMPLE.encode())
    assert note.encode() == EXAMPLE.encode()
    head = notes.decode_checkpoint(note.text)
    assert (head.origin, head.size, head.text()) == ("example.com/behind-the-sofa", 20852163, note.text)
    witness = note.signatures[1]
    assert witness.name == "witness.example.com/w1"
    assert int.from_bytes(witness.signature[:8], "big") == 1679315147
    assert len(witness.signature) == 8 + 64


def test_a_checkpoint_is_signed_cosigned_read_and_verified() -> None:
    note = notes.decode_note(cosigned(1_800_000_123).encode())
    assert notes.verify_log(note, ORIGIN, LOG_KEY) == HEAD
    assert notes.verify_cosignature(note, NAME, WITNESS_KEY) == 1_800_000_123
    assert notes.verify_cosignature(note, notes.witness_name(OTHER_KEY), OTHER_KEY) is None


def test_the_signed_bytes_are_those_of_the_specification() -> None:
    note = cosigned(5)
    LOG.public_key().verify(note.signatures[0].signature, note.text.encode())
    message = b"cosignature/v1\ntime 5\n" + note.text.encode()
    WITNESS.public_key().verify(note.signatures[1].signature[8:], message)


def test_a_verifier_key_has_name_id_and_key() -> None:
    name, digest, coded = notes.verifier_key(NAME, notes.COSIGNATURE_V1, WITNESS_KEY).split("+", 2)
    assert name == NAME and digest == notes.key_id(NAME, 4, WITNESS_KEY).hex()
    assert base64.b64decode(coded) == b"\x04" + WITNESS_KEY


@given(st.data())
def test_no_changed_byte_is_let_pass(data: st.DataObject) -> None:
    whole = bytearray(cosigned().encode())
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises((EncodingError, SignatureError)):
        note = notes.decode_note(bytes(whole))
        notes.verify_log(note, ORIGIN, LOG_KEY)
        if notes.verify_cosignature(note, NAME, WITNESS_KEY) is None:
            raise SignatureError("it is a line of somebody unknown now, which is not believed")


def test_a_line_under_the_known_key_must_verify_even_beside_a_good_one() -> None:
    good = cosigned()
    bad = notes.sign_checkpoint(LOG, Checkpoint(ORIGIN, 8, HEAD.root)).signatures[0]
    with pytest.raises(SignatureError, match="does not verify"):
        notes.verify_log(good.with_signatures([bad]), ORIGIN, LOG_KEY)
    late = notes.cosign(WITNESS, NAME, "another text\n", 9)
    with pytest.raises(SignatureError, match="does not verify"):
        notes.verify_cosignature(good.with_signatures([late]), NAME, WITNESS_KEY)


def test_signatures_of_strangers_are_ignored() -> None:
    stranger = notes.sign_checkpoint(OTHER, HEAD).signatures[0]  # the same name, another key
    assert notes.verify_log(cosigned().with_signatures([stranger]), ORIGIN, LOG_KEY) == HEAD
    with pytest.raises(SignatureError, match="not signed with the log's key"):
        notes.verify_log(Note(HEAD.text(), (stranger,)), ORIGIN, LOG_KEY)


def test_another_log_is_refused() -> None:
    note = notes.sign_checkpoint(OTHER, Checkpoint(notes.log_origin(OTHER_KEY), 7, HEAD.root))
    with pytest.raises(SignatureError, match="another log"):
        notes.verify_log(note, ORIGIN, LOG_KEY)


def test_the_latest_of_several_cosignatures_counts() -> None:
    note = cosigned(5)
    note = note.with_signatures([notes.cosign(WITNESS, NAME, note.text, 50)])
    assert notes.verify_cosignature(note, NAME, WITNESS_KEY) == 50


def test_extension_lines_are_kept_and_signed() -> None:
    text = HEAD.text() + "more\n"
    assert notes.decode_checkpoint(text) == HEAD
    line = notes.cosign(WITNESS, NAME, text, 3)
    assert notes.verify_cosignature(Note(text, (line,)), NAME, WITNESS_KEY) == 3
    with pytest.raises(SignatureError):
        notes.verify_cosignature(Note(HEAD.text(), (line,)), NAME, WITNESS_KEY)


@pytest.mark.parametrize(
    "text",
    [
        "log\n7\n", "log\n07\nAAAA\n", "log\n-1\nAAAA\n", "log\n7\nAAAA\n", "\n7\n" + "A" * 43 + "=\n",
        "log\n7\n" + "A" * 43 + "=\n\nmore\n", f"log\n{2**63}\n" + "A" * 43 + "=\n", "log\n7\n" + "A" * 42 + "B=\n",
        "log\n٣\n" + "A" * 43 + "=\n",
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(EncodingError):
        notes.decode_checkpoint(text)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"text\n", b"text\n\n", b"text\n\n\xe2\x80\x94 name\n", b"text\n\n\xe2\x80\x94 name AAAAAAAA",
        b"text\n\n- name AAAAAAAA\n", b"text\n\n\xe2\x80\x94 na+me AAAAAAAA\n", b"text\n\n\xe2\x80\x94 name AAAAAA\n",
        b"text\n\n\xe2\x80\x94 name AAAAAAAB=\n", b"te\x01xt\n\n\xe2\x80\x94 name AAAAAAAA\n",
        b"\xff\n\n\xe2\x80\x94 name AAAAAAAA\n", b"text\r\n\n\xe2\x80\x94 name AAAAAAAA\n",
        b"text\n\n\xe2\x80\x94 na\xc2\xa0me AAAAAAAA\n", b"text\n\n" + b"\xe2\x80\x94 name AAAAAAAA\n" * 101,
        b"text\n\n\xe2\x80\x94 name AAAAAAAA\n" + b"x" * 70_000,
    ],
)  # fmt: skip
def test_what_is_no_note_is_refused(data: bytes) -> None:
    with pytest.raises(EncodingError):
        notes.decode_note(data)


def test_the_text_ends_at_the_last_empty_line() -> None:
    note = notes.decode_note("one\n\ntwo\n\n— name AAAAAAAA\n".encode())
    assert note.text == "one\n\ntwo\n"
