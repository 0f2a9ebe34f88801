"""Build the native core into this environment where cargo and its registry are there; otherwise say so in one line.

Tacit works without it, on the wheel library. Nothing is built again while the sources stay as they are.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

CRATE = Path(__file__).resolve().parent.parent / "protocol" / "native"
BUILD_SECONDS = 900


def main() -> int:
    """Build when needed; always succeed, because the native core is optional."""
    stamp = Path(sys.prefix) / ".native"
    digest = _digest()
    if stamp.exists() and stamp.read_text() == digest:
        return 0
    if shutil.which("cargo") is None:
        print("native core: cargo is not here, going on with the wheel library (libsodium)")
        return 0
    print("native core: building (once, about a minute) ...", flush=True)
    command = [sys.executable, "-m", "maturin", "develop", "--release", "--quiet", "-m", str(CRATE / "Cargo.toml")]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        print("native core: the build took too long, going on with the wheel library (libsodium)")
        return 0
    if result.returncode != 0:
        last = (result.stderr.strip().splitlines() or ["no message"])[-1]
        print(f"native core: not built ({last}), going on with the wheel library (libsodium)")
        return 0
    stamp.write_text(digest)
    print("native core: built")
    return 0


def _digest() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(CRATE.rglob("*")):
        if path.is_file() and "target" not in path.parts:
            digest.update(path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
