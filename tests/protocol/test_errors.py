from __future__ import annotations

from tacit_protocol.errors import EncodingError, ProofError, TacitError


def test_diagnostics_say_what_happened_who_and_what_can_be_shown() -> None:
    error = ProofError("the proof does not hold", party="trustee 2", evidence={"epoch": "2026-h2", "elements": 8})
    assert error.diagnostics() == "the proof does not hold\nResponsible: trustee 2\n  epoch: 2026-h2\n  elements: 8"
    assert isinstance(error, TacitError)


def test_an_error_without_a_culprit_names_none() -> None:
    assert TacitError("nobody's fault").diagnostics() == "nobody's fault"


def test_the_position_of_a_bad_element_is_evidence() -> None:
    assert EncodingError("bad", position=3).evidence == {"position": 3}
    assert EncodingError("bad").evidence == {}


def test_evidence_is_copied() -> None:
    evidence: dict[str, str | int] = {"a": 1}
    error = TacitError("x", evidence=evidence)
    evidence["a"] = 2
    assert error.evidence == {"a": 1}
