"""The spine of a member's session, without input or output: state in, next state and messages out. Read this first.

1. :func:`plan_batches`: the inputs a command needs become padded, shuffled batches with fresh blinds, one by one.
2. :func:`grant_request`: a batch becomes the request that the board turns into a grant.
3. :func:`finish_batch`: the trustees' answers are verified, combined and unblinded; canaries are compared.
4. :func:`seal_contribution`: records and outputs become the sealed upload, page by page.
5. :func:`open_index`: the plans' entry keys and the published index become opened records.

Randomness comes in as ``draw``, a function from a number of bytes to that many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from tacit_protocol import grants, hpke, sealed_index, shuffle, voprf
from tacit_protocol.answers import verify_signed
from tacit_protocol.errors import ProofError, SealedRecordError
from tacit_protocol.group import OUTPUT_BYTES, Backend, Elements
from tacit_protocol.index_file import IndexFile
from tacit_protocol.messages import GrantRequest
from tacit_protocol.sealed_index import EntryKey
from tacit_protocol.threshold import ShareAnswer, combine

Draw = Callable[[int], bytes]
CANARIES = 4  # inputs in a batch whose output is already known from another one
_DUMMY_PREFIX = b"\x00\x07tacit/1\x00\x05dummy\x00\x20"


@dataclass(frozen=True, slots=True)
class StreamContext:
    """What a member needs to know of one (epoch, stream): the keys that the ceremony's transcript gives."""

    epoch: str
    stream: str
    threshold: int
    public_key: bytes
    public_shares: Mapping[int, bytes]

    def entry_keys(
        self, group: Backend, inputs: Iterable[bytes], outputs: Mapping[bytes, bytes]
    ) -> dict[bytes, EntryKey]:
        """Derive tag and wrap key of every input from its PRF output, all in one call (SPEC step S1)."""
        context = sealed_index.entry_context(self.epoch, self.stream, self.public_key)
        wanted = list(dict.fromkeys(inputs))
        return dict(
            zip(wanted, sealed_index.entry_keys(group, context, (outputs[value] for value in wanted)), strict=True)
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """Inputs and blinds of one batch, in the order in which it goes out. Secret: it opens what the batch hides."""

    inputs: Sequence[bytes] = field(repr=False)
    blinds: bytes = field(repr=False)

    def blinded(self, group: Backend) -> Elements:
        """Return the batch as the trustees see it; the same bytes every time, so a retry costs no quota."""
        return voprf.blind(group, self.inputs, self.blinds)


@dataclass(frozen=True, slots=True)
class OpenedRecord:
    """A record of somebody else that one or more of a plan's keys opened; ``agreed`` are those keys' positions."""

    commitment: bytes
    sketch_key: bytes = field(repr=False)
    payload: bytes = field(repr=False)
    agreed: tuple[int, ...]


def plan_batches(
    group: Backend,
    needed: Iterable[bytes],
    known: Mapping[bytes, bytes],
    draw: Draw,
    unanswered: Sequence[bytes] = (),
    drawn: dict[bytes, None] | None = None,
) -> Iterator[Batch]:
    """Turn the inputs that still lack an output into batches, each as soon as its inputs are drawn (SPEC step E1).

    Padding with dummies hides how many there are, shuffling hides which belong to one record. Every batch after the
    first carries canaries, inputs that another batch has too: trustees that answered one of them otherwise show.
    Each batch has room for all canaries, also when there are fewer, so that the sizes depend on the count alone.
    ``known`` may grow while batches are drawn by outputs of these very batches. ``unanswered`` are the inputs of
    earlier batches whose outputs are still to come: where nothing is known they are the canaries. ``drawn`` is filled
    with every needed input; one that stands in it already is passed over.
    """
    canaries = _sample(list(known) or unanswered, CANARIES, draw)
    seen = {} if drawn is None else drawn

    def missing() -> Iterator[bytes]:
        for value in needed:
            if value not in seen:
                seen[value] = None
                if value not in known:
                    yield value

    fresh = missing()
    while inputs := list(islice(fresh, grants.BLOCK - CANARIES)):
        canaries = canaries or _sample(inputs, CANARIES, draw)
        yield _padded(group, inputs, canaries, draw)


def _padded(group: Backend, inputs: Sequence[bytes], canaries: Sequence[bytes], draw: Draw) -> Batch:
    filled = list(dict.fromkeys([*inputs, *canaries]))
    dummies = draw(32 * (grants.padded_count(len(inputs) + CANARIES) - len(filled)))
    filled += [_DUMMY_PREFIX + dummies[i : i + 32] for i in range(0, len(dummies), 32)]
    filled = shuffle.shuffle(filled, draw(shuffle.SHUFFLE_RANDOM_BYTES * len(filled)))
    return Batch(tuple(filled), voprf.draw_blinds(group, draw(voprf.blind_random_bytes(len(filled)))))


def is_dummy(value: bytes) -> bool:
    """Tell a padding dummy from a match key; for a member's own records and a query audit."""
    return value.startswith(_DUMMY_PREFIX)


def grant_request(context: StreamContext, blinded: Elements) -> GrantRequest:
    """Return the request for a batch (SPEC step E2)."""
    digest = grants.batch_digest(context.epoch, context.stream, blinded.encode())
    return GrantRequest(context.epoch, context.stream, len(blinded), digest)


def check_answer(group: Backend, context: StreamContext, blinded: Elements, answer: ShareAnswer) -> None:
    """Raise :class:`ProofError` naming the trustee unless its answer is right (SPEC step E4).

    For a signed answer it is a ``WrongAnswerError``, which holds what proves it.
    """
    public_share = group.decode(context.public_shares[answer.trustee])
    verify_signed(group, context.epoch, context.stream, public_share, blinded, answer)


def combine_answers(group: Backend, context: StreamContext, batch: Batch, answers: Sequence[ShareAnswer]) -> bytes:
    """Combine verified answers into packed outputs in the batch's order (SPEC step E5)."""
    return combine(group, context.threshold, answers, batch.inputs, batch.blinds)


def accept_outputs(
    context: StreamContext, batch: Batch, outputs: bytes, trustees: Sequence[int], known: Mapping[bytes, bytes]
) -> dict[bytes, bytes]:
    """Return packed outputs by input once the canaries among them are what is known (SPEC step E5)."""
    by_input = {value: outputs[OUTPUT_BYTES * i : OUTPUT_BYTES * (i + 1)] for i, value in enumerate(batch.inputs)}
    for value in known.keys() & by_input.keys():
        if known[value] != by_input[value]:
            raise ProofError(
                "a canary came back with another output than before, although every proof held: keep the vault and "
                "tell the auditor",
                party=", ".join(f"trustee {trustee}" for trustee in trustees),
                evidence={"epoch": context.epoch, "stream": context.stream, "elements": len(batch.inputs)},
            )
    return by_input


def finish_batch(
    group: Backend,
    context: StreamContext,
    batch: Batch,
    answers: Sequence[ShareAnswer],
    known: Mapping[bytes, bytes],
) -> dict[bytes, bytes]:
    """Combine verified answers into outputs by input (SPEC step E5) and compare the canaries with what is known."""
    outputs = combine_answers(group, context, batch, answers)
    return accept_outputs(context, batch, outputs, [answer.trustee for answer in answers], known)


@dataclass(frozen=True, slots=True)
class SealedPage:
    """Sealed records of one request to the shuffler, packed: their commitments and what is uploaded."""

    commitments: bytes
    uploads: bytes


@dataclass(frozen=True, slots=True)
class UnsealedRecords:
    """Records by number: the match-key inputs of each, and its payload as a function of number and sketch key.

    One function for all of them, because what was made for each would be kept for each until the last is sealed.
    """

    inputs: Sequence[Sequence[bytes]]
    payload_of: Callable[[int, bytes], bytes]


def seal_contribution(
    group: Backend,
    context: StreamContext,
    agreement_key: bytes,
    records: UnsealedRecords,
    outputs: Mapping[bytes, bytes],
    draw: Draw,
) -> Iterator[SealedPage]:
    """Seal records to the secretariat, page by page (SPEC steps S1 to U1).

    Dummy records to fill the bucket come last; the shuffler mixes all.
    """
    total = sealed_index.padded_records(len(records.inputs))
    for start in range(0, total, shuffle.PAGE_RECORDS):
        end = min(start + shuffle.PAGE_RECORDS, total)
        real = range(start, min(end, len(records.inputs)))
        sealed = _seal_records(group, context, records, real, outputs, draw)
        dummies = end - start - len(real)
        sealed += b"".join(sealed_index.dummy_record(draw(sealed_index.SEALED_BYTES)) for _ in range(dummies))
        ephemeral = draw(hpke.EPHEMERAL_BYTES * (end - start))
        yield SealedPage(
            b"".join(
                sealed[at : at + sealed_index.COMMITMENT_BYTES]
                for at in range(0, len(sealed), sealed_index.SEALED_BYTES)
            ),
            shuffle.seal_all_for_secretariat(group, agreement_key, context.epoch, context.stream, sealed, ephemeral),
        )


def _seal_records(
    group: Backend,
    context: StreamContext,
    records: UnsealedRecords,
    numbers: range,
    outputs: Mapping[bytes, bytes],
    draw: Draw,
) -> bytes:
    """Seal records under keys of their own (SPEC steps S1 to S3); packed."""
    inputs, size = records.inputs[numbers.start : numbers.stop], sealed_index.RECORD_KEY_BYTES
    place = sealed_index.entry_context(context.epoch, context.stream, context.public_key)
    entry_keys = group.entry_keys(place, b"".join([outputs[value] for of_one in inputs for value in of_one]))
    counts = bytes(map(len, inputs))
    record_keys = draw(size * len(numbers))
    sketch_keys = [sealed_index.sketch_key(record_keys[at : at + size]) for at in range(0, len(record_keys), size)]
    payloads = b"".join(map(records.payload_of, numbers, sketch_keys))
    random = draw(sum(map(sealed_index.record_random_bytes, counts)))
    return group.seal_records(
        sealed_index.seal_context(context.epoch, context.stream), record_keys, payloads, counts, entry_keys, random
    )


def open_index(
    context: StreamContext,
    index: IndexFile,
    plans: Sequence[Sequence[EntryKey]],
    own: frozenset[bytes],
) -> Iterator[tuple[list[OpenedRecord], int]]:
    """Open for each plan every record that one of its keys unlocks, but for the member's own (SPEC steps M2 and M3).

    The tags of all plans are looked up together. Each plan also gets how many entries did not lead to a record that
    opens: chance (about 2^-96 per entry and look-up) or a contributor that sealed something unusable; they are
    nobody's match.
    """
    found = index.find_each(key.tag for keys in plans for key in keys)
    return (_open_plan(context, index, found, keys, own) for keys in plans)


def _open_plan(
    context: StreamContext,
    index: IndexFile,
    found: Mapping[bytes, Sequence[tuple[bytes, bytes]]],
    keys: Sequence[EntryKey],
    own: frozenset[bytes],
) -> tuple[list[OpenedRecord], int]:
    agreed: dict[bytes, list[int]] = {}
    for position, key in enumerate(keys):
        for salt, wrapped in found.get(key.tag, ()):
            agreed.setdefault(sealed_index.unwrap(key, salt, wrapped), []).append(position)
    opened, unusable = [], 0
    for record_key, positions in agreed.items():
        derived = sealed_index.record_keys(record_key)
        if derived.commitment in own:
            continue
        record = index.record(derived.commitment)
        try:
            if record is None:
                raise SealedRecordError("an entry leads to no record")
            payload = sealed_index.open_committed(context.epoch, context.stream, derived, record)
        except SealedRecordError:
            unusable += 1
            continue
        opened.append(OpenedRecord(derived.commitment, derived.sketch, payload, tuple(positions)))
    return opened, unusable


def _sample(values: Sequence[bytes], count: int, draw: Draw) -> list[bytes]:
    """Choose up to ``count`` different values; which ones is no secret worth protecting from modulo bias."""
    if len(values) <= count:
        return list(values)
    chosen: dict[bytes, None] = {}
    for _ in range(4 * count):
        if len(chosen) < count:
            chosen[values[int.from_bytes(draw(8), "big") % len(values)]] = None
    return list(chosen)
