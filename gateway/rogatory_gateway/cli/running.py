"""`init`, `serve` and `demo`."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from rogatory.cli.loading import loading
from rogatory.errors import ConfigurationError
from rogatory_gateway.cli.terminal import AsJson, Folder, say, show, show_json
from rogatory_gateway.config import DEFAULT_HOST, DEFAULT_PORT, MAX_PORT, load
from rogatory_gateway.operator import setup


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Empty or new folder.")],
    *,
    origin: Annotated[
        str, typer.Option(help="Name of the log, permanent; default: NAME/exchange.")
    ] = "",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = DEFAULT_HOST,
    port: Annotated[
        int, typer.Option(min=0, max=MAX_PORT, help="Port to listen on.")
    ] = DEFAULT_PORT,
    name: Annotated[
        list[str] | None,
        typer.Option(
            help="DNS name or address by which partners reach it, for certificate and answers; "
            "may be given again."
        ),
    ] = None,
    ca_certificate: Annotated[
        Path | None, typer.Option(help="Your own authority for client certificates (PEM).")
    ] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="With it: this gateway's certificate chain (PEM).")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="With it: the certificate's key (PEM).")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a gateway's folder: settings, log key, empty ledger, and a sandbox authority for TLS."""
    own = None
    if ca_certificate or certificate or key:
        if not (ca_certificate and certificate and key):
            raise ConfigurationError(
                "an authority of your own needs three files",
                hint="Give --ca-certificate, --certificate and --key together.",
            )
        own = setup.OwnAuthority(client_ca=ca_certificate, certificate=certificate, key=key)
    created = setup.create(
        folder, origin=origin, host=host, port=port, names=tuple(name or ()), authority=own
    )
    settings = created.settings
    if as_json:
        show_json(
            {
                "dir": str(folder),
                "origin": settings.gateway.origin,
                "address": settings.address,
                "verifier_key": created.verifier_key,
                "sandbox_authority": own is None,
            }
        )
    else:
        show(f"origin        {settings.gateway.origin}")
        show(f"address       {settings.address}")
        show(f"verifier key  {created.verifier_key}")
    if own is None:
        say(f"{folder}/tls/ca-key.pem is a sandbox authority: fine for trials, not for production.")
    say(f"Next: rogatory-gateway serve --dir {folder}")


def serve(*, folder: Folder = Path(), as_json: AsJson = False) -> None:
    """Serve until SIGTERM or Ctrl-C, then let calls under way end.

    With --json the one object, {"listening": "HOST:PORT"}, is printed once calls are taken.
    """
    # Not at the top: other commands need no gRPC, and start much sooner without it.
    with loading():
        from rogatory_gateway.server import serve as run  # noqa: PLC0415

    settings = load(folder)

    def announce(address: str) -> None:
        if as_json:
            show_json({"listening": address})

    asyncio.run(run(settings, announce=announce))


def demo(
    *,
    indicators: Annotated[
        list[Path] | None,
        typer.Option(help="File of malicious hosts, one a line; may be given again."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Keep gateway and agencies in this folder.")
    ] = None,
    as_json: AsJson = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the gateway running.")] = False,
) -> None:
    """Run a joint operation of 30 agencies on this machine, with real processes over mutual TLS."""
    from rogatory_gateway.demo import run  # noqa: PLC0415 - as in `serve`

    raise typer.Exit(
        run(indicators=list(indicators or ()), folder=folder, as_json=as_json, keep=keep)
    )
