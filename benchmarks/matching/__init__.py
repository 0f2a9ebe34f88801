"""Matching quality on labelled lists, against references measured in the same run."""
