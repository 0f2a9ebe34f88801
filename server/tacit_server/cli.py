"""The command `tacit-server`: for the operators of the secretariat and of a trustee."""

from __future__ import annotations

import typer

from tacit_server.secretariat.operator.cli import app as secretariat
from tacit_server.trustee.cli import app as trustee

app = typer.Typer(
    name="tacit-server",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a stack trace with local variables could show what nobody should see
    help="Run Tacit's servers. Settings: environment variables TACIT_SERVER_…, see OPERATING.md.",
)
app.add_typer(secretariat, name="secretariat")
app.add_typer(trustee, name="trustee")


def main() -> None:
    """Run the command."""
    app()


if __name__ == "__main__":
    main()
