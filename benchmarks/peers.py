"""Installable peers on the same sets: a list of server items, and 500 queries of which one in ten is on it.

Each peer is one function that returns CPU seconds before the queries are known ("off line") and from then on ("on
line"), of all parties together. This file needs nothing but the peer itself and `cryptography` for R, so that peers
with dependencies of their own run in an environment of their own: see `make peers`. What is not installed is left out.

    python -m benchmarks.peers FILE     add the rows of what is installed here to FILE
"""

from __future__ import annotations

import importlib.util
import json
import multiprocessing
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.reference import exchange_seconds

QUERIES = 500
SIZES = (23_000, 100_000)
FALSE_POSITIVES = 1e-9
Sets = tuple[list[str], list[str]]


@dataclass(frozen=True)
class Row:
    """One peer on one size, in R; ``note`` says what it computes otherwise."""

    peer: str
    records: int
    queries: int
    off_line: float
    on_line: float
    found: int
    note: str


def tacit(server: list[str], queries: list[str]) -> tuple[float, float, int]:
    """One key for each record: evaluations by two of three trustees with proofs, no sealing, no index file."""
    from tacit_protocol import dleq, scalars, threshold, voprf
    from tacit_protocol.group import load_backend

    group = load_backend()
    slope, constant = scalars.reduce(secrets.token_bytes(64)), scalars.reduce(secrets.token_bytes(64))
    shares = {i: scalars.add(constant, scalars.multiply(scalars.from_int(i), slope)) for i in (1, 2)}
    publics = {i: group.decode(group.multiply_base(share).encode()) for i, share in shares.items()}

    def outputs(items: list[str]) -> set[bytes]:
        found: set[bytes] = set()
        padded = [item.encode() for item in items] + [secrets.token_bytes(16) for _ in range(-len(items) % 2048)]
        for start in range(0, len(padded), 8192):
            inputs = padded[start : start + 8192]
            blinds = voprf.draw_blinds(group, secrets.token_bytes(64 * len(inputs)))
            blinded = voprf.blind(group, inputs, blinds)
            answers = []
            for i in (1, 2):
                binding = dleq.Binding("peers", "peers", i)
                received = group.decode(blinded.encode())
                sent = threshold.evaluate_share(
                    group, shares[i], publics[i], received, binding, secrets.token_bytes(64)
                )
                decoded = group.decode(sent.evaluated.encode())
                answers.append(threshold.ShareAnswer(i, decoded, sent.proof))
                threshold.verify_answer(group, "peers", "peers", publics[i], blinded, answers[-1])
            packed = threshold.combine(group, 2, answers, inputs, blinds)
            found.update(packed[64 * i : 64 * i + 16] for i in range(min(len(inputs), len(items) - start)))
        return found

    return _two_phases(lambda: outputs(server), lambda index: len(index & outputs(queries)))


def rfc_voprf(server: list[str], queries: list[str]) -> tuple[float, float, int]:
    """RFC 9497 with one key and batched proofs, through the `voprf` wheel."""
    from voprf import ristretto

    key = ristretto.Evaluator(secrets.token_bytes(32))

    def outputs(items: list[str]) -> set[bytes]:
        found: set[bytes] = set()
        for start in range(0, len(items), 8192):
            pairs = [ristretto.Client.blind(item.encode()) for item in items[start : start + 8192]]
            answers = key.evaluate_batch([blinded for _, blinded in pairs])
            found.update(ristretto.Client.finalize_batch([client for client, _ in pairs], answers, key.public_key))
        return found

    return _two_phases(lambda: outputs(server), lambda index: len(index & outputs(queries)))


def openmined(server: list[str], queries: list[str]) -> tuple[float, float, int]:
    """OpenMined PSI: Diffie-Hellman on P-256, Golomb-compressed set."""
    import private_set_intersection.python as psi

    holder, asker = psi.server.CreateWithNewKey(True), psi.client.CreateWithNewKey(True)

    def off_line() -> Any:
        return holder.CreateSetupMessage(FALSE_POSITIVES, len(queries), server)

    def on_line(setup: Any) -> int:
        response = holder.ProcessRequest(asker.CreateRequest(queries))
        return len(asker.GetIntersection(setup, response))

    return _two_phases(off_line, on_line)


def secretflow_ecdh(server: list[str], queries: list[str]) -> tuple[float, float, int]:
    """SecretFlow: Diffie-Hellman on Curve25519, both parties on line."""
    return _secretflow("PROTOCOL_ECDH", server, queries)


def secretflow_rr22(server: list[str], queries: list[str]) -> tuple[float, float, int]:
    """SecretFlow: RR22, from oblivious transfer, both parties on line."""
    return _secretflow("PROTOCOL_RR22", server, queries)


PEERS: dict[str, tuple[str, Callable[[list[str], list[str]], tuple[float, float, int]], str]] = {
    "Tacit, evaluations alone": (
        "tacit_protocol", tacit, "key split over two trustees, proofs verified, batches padded to 2,048",
    ),
    "voprf (RFC 9497)": ("voprf", rfc_voprf, "one key, a proof for each 8,192 elements"),
    "OpenMined PSI": ("private_set_intersection", openmined, "one key, no proof, semi-honest, P-256"),
    "SecretFlow ECDH": ("spu", secretflow_ecdh, "two parties, both on line, no proof, semi-honest, CSV files"),
    "SecretFlow RR22": ("spu", secretflow_rr22, "two parties, both on line, semi-honest, CSV files"),
}  # fmt: skip


def _two_phases(off_line: Callable[[], Any], on_line: Callable[[Any], int]) -> tuple[float, float, int]:
    start = time.process_time()
    prepared = off_line()
    middle = time.process_time()
    found = on_line(prepared)
    return middle - start, time.process_time() - middle, found


def _secretflow(protocol: str, server: list[str], queries: list[str]) -> tuple[float, float, int]:
    with tempfile.TemporaryDirectory() as folder:
        ports = _free_ports(2)
        context = multiprocessing.get_context("spawn")
        with context.Pool(2) as pool:
            arguments = [(protocol, rank, ports, folder, items) for rank, items in enumerate((server, queries))]
            results = pool.starmap(_secretflow_party, arguments, chunksize=1)
    return 0.0, sum(seconds for seconds, _ in results), results[1][1]


def _secretflow_party(protocol: str, rank: int, ports: list[int], folder: str, items: list[str]) -> tuple[float, int]:
    from spu import libspu, psi

    path = Path(folder) / f"{rank}.csv"
    path.write_text("id\n" + "\n".join(items) + "\n")
    description = libspu.link.Desc()
    for party, port in enumerate(ports):
        description.add_party(f"id_{party}", f"127.0.0.1:{port}")
    link = libspu.link.create_brpc(description, rank)
    config = psi.PsiExecuteConfig(
        psi.PsiProtocolConfig(
            psi.parse_protocol(protocol), receiver_rank=1,
            ecdh_params=psi.EcdhParams(psi.EllipticCurveType.CURVE_25519),
        ),
        psi.InputParams(psi.SourceType.SOURCE_TYPE_FILE_CSV, str(path), ["id"], True),
        psi.OutputParams(psi.SourceType.SOURCE_TYPE_FILE_CSV, str(path) + ".out"),
    )  # fmt: skip
    start = time.process_time()
    report = psi.psi_execute(config, link)
    seconds = time.process_time() - start
    link.stop_link()
    return seconds, report.intersection_count


def _free_ports(count: int) -> list[int]:
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports


def sets(records: int) -> Sets:
    """Return server items and queries; one query in ten is on the list."""
    server = [f"tacit/peers/item/{number:09}" for number in range(records)]
    queries = [server[i * 7] if i % 10 == 0 else f"tacit/peers/other/{i:09}" for i in range(QUERIES)]
    return server, queries


def main() -> None:
    """Measure what is installed and merge the rows into the file given."""
    target = Path(sys.argv[1])
    rows = json.loads(target.read_text()) if target.exists() else []
    for name, (module, run, note) in PEERS.items():
        if importlib.util.find_spec(module) is None:
            continue
        for records in SIZES:
            before = exchange_seconds()
            off_line, on_line, found = run(*sets(records))
            reference = min(before, exchange_seconds())
            row = Row(name, records, QUERIES, off_line / reference, on_line / reference, found, note)
            rows = [old for old in rows if (old["peer"], old["records"]) != (name, records)] + [asdict(row)]
            print(
                f"{name:26} {records:9,} x {QUERIES}: off line {row.off_line:10,.0f} R, on line {row.on_line:9,.0f} R"
            )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
