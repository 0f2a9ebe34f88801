"""Tacit's protocol: pure functions over bytes, no input or output."""
