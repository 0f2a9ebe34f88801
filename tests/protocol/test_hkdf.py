from __future__ import annotations

import hmac

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from hypothesis import given
from hypothesis import strategies as st

from support.vectors import load
from tacit_protocol import hkdf


@pytest.mark.parametrize("case", load("rfc5869")["cases"], ids=["basic", "longer", "empty salt and info"])
def test_vectors_of_rfc_5869(case: dict[str, str]) -> None:
    fields = {name: bytes.fromhex(text) for name, text in case.items()}
    prk = hkdf.extract(fields["salt"], fields["key_material"])
    assert prk == fields["prk"]
    assert hkdf.expand(prk, fields["info"]) == fields["okm"][:32]  # its first block: longer outputs are not offered


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=40), st.integers(min_value=1, max_value=32))
def test_expand_agrees_with_another_implementation(prk: bytes, info: bytes, length: int) -> None:
    assert hkdf.expand(prk, info, length) == HKDFExpand(SHA256(), length, info).derive(prk)


@given(st.binary(max_size=90), st.binary(max_size=90))
def test_extract_is_hmac(salt: bytes, material: bytes) -> None:
    assert hkdf.extract(salt, material) == hmac.digest(salt, material, "sha256")


@given(st.binary(min_size=32, max_size=32), st.lists(st.binary(max_size=90), max_size=4))
def test_expanding_together_is_expanding_one_by_one(prk: bytes, infos: list[bytes]) -> None:
    assert hkdf.expand_each(prk, *infos) == [hmac.digest(prk, info + b"\x01", "sha256") for info in infos]


@pytest.mark.parametrize("length", [0, -1, 33])
def test_lengths_beyond_one_block_are_refused(length: int) -> None:
    with pytest.raises(ValueError, match="1 to 32"):
        hkdf.expand(bytes(32), b"", length)
