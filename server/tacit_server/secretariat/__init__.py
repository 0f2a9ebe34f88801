"""The secretariat's server: the board, enrolment, hand-overs, the published index."""
