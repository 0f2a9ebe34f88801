"""The secretariat's and the trustees' servers."""
