"""Build the native core into this environment where cargo and its registry are there; otherwise say so in one line.

Tacit works without it, on the wheel library. Nothing is built again while the sources stay as they are.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

CRATE = Path(__file__).resolve().parent.parent / "protocol" / "native"
BUILD_SECONDS = 900
_INSTEAD = "going on with the wheel library (libsodium)"
_MADE = ("target", "__pycache__")  # not sources
# What cargo says when its registry cannot be asked, in the words of its different stages.
_NO_REGISTRY = re.compile(r"failed to (?:download|fetch|load source|query replaced source|get `.*` as a dependency)")


def main() -> int:
    """Build when needed; always succeed, because the native core is optional."""
    stamp = Path(sys.prefix) / ".native"
    digest = _digest()
    if stamp.exists() and stamp.read_text() == digest:
        return 0
    if shutil.which("cargo") is None:
        print(f"native core: cargo is not here, {_INSTEAD}")
        return 0
    print("native core: building (once, about a minute) ...", flush=True)
    reason = _build()
    if reason is not None:
        print(f"native core: not built ({reason}), {_INSTEAD}")
        return 0
    stamp.write_text(digest)
    print("native core: built")
    return 0


def _build() -> str | None:
    """Build and install; return why that failed, or None."""
    command = [sys.executable, "-m", "maturin", "develop", "--release", "--quiet"]
    # Started in the crate's folder, because that is where cargo looks for .cargo/config.toml.
    environment = os.environ | {"VIRTUAL_ENV": sys.prefix}
    try:
        result = subprocess.run(
            command, cwd=CRATE, env=environment, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return f"the build took more than {BUILD_SECONDS // 60} minutes"
    if result.returncode == 0:
        return None
    if _NO_REGISTRY.search(result.stderr):
        return "cargo's registry does not answer"
    lines = [line.strip() for line in result.stderr.splitlines()]
    errors = [line for line in lines if line.startswith("error")]
    return next(iter(errors), next(filter(None, reversed(lines)), "no message"))


def _digest() -> str:
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(CRATE.rglob("*")):
        if path.is_file() and path.name != "Cargo.lock" and not set(_MADE) & set(path.parts):
            digest.update(path.relative_to(CRATE).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
