"""What an auditor runs: `tacit audit`. It believes no server and needs none: a folder with the log will do."""
