"""The public page: what an auditor's tool checks, for people. It shows nothing that the public log does not hold."""
