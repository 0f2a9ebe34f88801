"""The spine of a member's session, without input or output: state in, next state and messages out. Read this first.

1. :func:`plan_batches`: the inputs a command needs become padded, shuffled batches with fresh blinds.
2. :func:`grant_request`: a batch becomes the request that the board turns into a grant.
3. :func:`finish_batch`: the trustees' answers are verified, combined and unblinded; canaries are compared.
4. :func:`seal_contribution`: records and outputs become the sealed upload.
5. :func:`open_index`: a plan's entry keys and the published index become opened records.

Randomness comes in as ``draw``, a function from a number of bytes to that many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tacit_protocol import grants, sealed_index, shuffle, voprf
from tacit_protocol.answers import verify_signed
from tacit_protocol.errors import ProofError, SealedRecordError
from tacit_protocol.group import Backend, Elements
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
        salt = sealed_index.index_salt(self.epoch, self.stream, self.public_key)
        wanted = list(dict.fromkeys(inputs))
        return dict(
            zip(wanted, sealed_index.entry_keys(group, salt, (outputs[value] for value in wanted)), strict=True)
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


def plan_batches(group: Backend, needed: Iterable[bytes], known: Mapping[bytes, bytes], draw: Draw) -> list[Batch]:
    """Turn the inputs that still lack an output into batches (SPEC step E1).

    Padding with dummies hides how many there are, shuffling hides which belong to one record. Every batch after the
    first carries canaries, inputs that another batch has too: trustees that answered one of them otherwise show.
    """
    missing = [value for value in dict.fromkeys(needed) if value not in known]
    if not missing:
        return []
    canaries = _sample(list(known) or missing, CANARIES, draw)
    sizes = grants.batch_sizes(len(missing))
    sizes = grants.batch_sizes(len(missing) + CANARIES * len(sizes))
    in_batches = [value for value in missing if value not in set(canaries)]
    room = sum(sizes) - len(canaries) * len(sizes)
    dummies = draw(32 * (room - len(in_batches)))
    pool = in_batches + [_DUMMY_PREFIX + dummies[i : i + 32] for i in range(0, len(dummies), 32)]
    pool = shuffle.shuffle(pool, draw(shuffle.SHUFFLE_RANDOM_BYTES * len(pool)))
    batches = []
    for size in sizes:
        take = size - len(canaries)
        inputs = canaries + pool[:take]
        pool = pool[take:]
        inputs = shuffle.shuffle(inputs, draw(shuffle.SHUFFLE_RANDOM_BYTES * len(inputs)))
        blinds = voprf.draw_blinds(group, draw(voprf.blind_random_bytes(len(inputs))))
        batches.append(Batch(tuple(inputs), blinds))
    return batches


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


def finish_batch(
    group: Backend,
    context: StreamContext,
    batch: Batch,
    answers: Sequence[ShareAnswer],
    known: Mapping[bytes, bytes],
) -> dict[bytes, bytes]:
    """Combine verified answers into outputs by input (SPEC step E5) and compare the canaries with what is known."""
    packed = combine(group, context.threshold, answers, batch.inputs, batch.blinds)
    outputs = {value: packed[64 * i : 64 * (i + 1)] for i, value in enumerate(batch.inputs)}
    for value in batch.inputs:
        if value in known and known[value] != outputs[value]:
            parties = ", ".join(f"trustee {answer.trustee}" for answer in answers)
            raise ProofError(
                "a canary came back with another output than before, although every proof held: keep the vault and "
                "tell the auditor",
                party=parties,
                evidence={"epoch": context.epoch, "stream": context.stream, "elements": len(batch.inputs)},
            )
    return outputs


def seal_contribution(
    group: Backend,
    context: StreamContext,
    agreement_key: bytes,
    records: Sequence[tuple[Callable[[bytes], bytes], Sequence[bytes]]],
    outputs: Mapping[bytes, bytes],
    draw: Draw,
) -> Iterable[tuple[bytes, bytes]]:
    """Seal records one by one to the secretariat (SPEC steps S1 to U1); yields (commitment, uploaded record).

    A record is a function from its sketch key to its payload, and its match-key inputs. Dummy records to fill
    the bucket come last; the shuffler mixes all.
    """
    entry_keys = context.entry_keys(group, (value for _, inputs in records for value in inputs), outputs)
    for payload_of, inputs in records:
        random = draw(sealed_index.RECORD_KEY_BYTES + sealed_index.record_random_bytes(len(inputs)))
        record_key, random = random[: sealed_index.RECORD_KEY_BYTES], random[sealed_index.RECORD_KEY_BYTES :]
        keys = [entry_keys[value] for value in inputs]
        payload = payload_of(sealed_index.sketch_key(record_key))
        sealed = sealed_index.seal_record(context.epoch, context.stream, record_key, payload, keys, random)
        yield (
            sealed[: sealed_index.COMMITMENT_BYTES],
            shuffle.seal_for_secretariat(agreement_key, context.epoch, context.stream, sealed),
        )
    for _ in range(sealed_index.padded_records(len(records)) - len(records)):
        dummy = sealed_index.dummy_record(draw(sealed_index.SEALED_BYTES))
        yield (
            dummy[: sealed_index.COMMITMENT_BYTES],
            shuffle.seal_for_secretariat(agreement_key, context.epoch, context.stream, dummy),
        )


def open_index(
    context: StreamContext,
    index: IndexFile,
    keys: Sequence[EntryKey],
    own: frozenset[bytes],
) -> tuple[list[OpenedRecord], int]:
    """Open every record that one of a plan's keys unlocks, but for the member's own (SPEC steps M2 and M3).

    Also returns how many entries did not lead to a record that opens: chance (about 2^-96 per entry and look-up) or
    a contributor that sealed something unusable; they are nobody's match.
    """
    agreed: dict[bytes, list[int]] = {}
    for position, key in enumerate(keys):
        for salt, wrapped in index.find(key.tag):
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
            payload = sealed_index.open_record(context.epoch, context.stream, record_key, record)
        except SealedRecordError:
            unusable += 1
            continue
        opened.append(OpenedRecord(derived.commitment, derived.sketch, payload, tuple(positions)))
    return opened, unusable


def _sample(values: Sequence[bytes], count: int, draw: Draw) -> list[bytes]:
    """Choose up to ``count`` different values; which ones is no secret worth protecting from modulo bias."""
    chosen: dict[bytes, None] = {}
    for _ in range(4 * count):
        if len(chosen) < min(count, len(values)):
            chosen[values[int.from_bytes(draw(8), "big") % len(values)]] = None
    return list(chosen)
