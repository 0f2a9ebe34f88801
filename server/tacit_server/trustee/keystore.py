"""The trustee's secrets at rest: polynomials during a ceremony, key shares after it; each sealed under its name."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import msgspec

from tacit_protocol import messages
from tacit_protocol.group import Backend, Elements
from tacit_protocol.keygen import KeyShare, Secret
from tacit_protocol.messages import Round2, Round4
from tacit_protocol.signing import Signed
from tacit_server.sealing import Sealer
from tacit_server.trustee.store import Place, Store


class _Polynomial(msgspec.Struct, frozen=True):
    index: int
    coefficients: bytes
    agreement: bytes
    opening: Round2


@dataclass(frozen=True, slots=True)
class LoadedShare:
    """A share ready for use."""

    secret: bytes = field(repr=False)
    public: Elements


class Keystore:
    """Seals and opens; shares in use stay decrypted in memory until they are erased."""

    def __init__(self, store: Store, sealer: Sealer, group: Backend) -> None:
        self._store, self._sealer, self._group = store, sealer, group
        self._loaded: dict[Place, LoadedShare] = {}
        self._lock = threading.Lock()

    def begin(self, place: Place, attempt: int, secret: Secret, first: Signed) -> None:
        """Keep the polynomial of a new attempt with its first message."""
        data = messages.encode(_Polynomial(secret.index, secret.coefficients, secret.agreement, secret.opening))
        sealed = self._sealer.seal(_name("polynomial", place, attempt), data)
        self._store.begin_ceremony(place, attempt, sealed, first)

    def polynomial(self, place: Place, attempt: int) -> Secret | None:
        """Return the polynomial of an attempt under way."""
        row = self._store.ceremony(place, attempt)
        if row is None or row.sealed is None:
            return None
        data = self._sealer.unseal(_name("polynomial", place, attempt), row.sealed)
        kept = messages.decode(data, _Polynomial)
        return Secret(kept.index, kept.coefficients, kept.agreement, kept.opening)

    def keep_share(self, place: Place, agreement: Round4, share: KeyShare, last: Signed) -> None:
        """Keep the share of an attempt with the agreement to its transcript; the polynomial is dropped."""
        sealed = self._sealer.seal(_name("share", place, agreement.attempt), share.secret)
        self._store.keep_share(place, agreement.attempt, sealed, share.public, last)

    def share(self, place: Place, public_share: bytes) -> LoadedShare | None:
        """Return this trustee's share of a stream: the one whose public part all have agreed to."""
        with self._lock:
            loaded = self._loaded.get(place)
        if loaded is not None:
            return loaded
        for row in self._store.shares(place):
            if row.public == public_share:
                secret = self._sealer.unseal(_name("share", place, row.attempt), row.sealed)
                loaded = LoadedShare(secret, self._group.decode(row.public))
                with self._lock:
                    self._loaded[place] = loaded
                return loaded
        return None

    def erase_epoch(self, epoch: str) -> int:
        """Erase everything secret of an epoch; returns how many shares there were."""
        with self._lock:
            self._loaded = {place: share for place, share in self._loaded.items() if place[0] != epoch}
        return self._store.erase_epoch(epoch)


def _name(what: str, place: Place, attempt: int) -> str:
    return f"{what} of {place[0]}/{place[1]} attempt {attempt}"
