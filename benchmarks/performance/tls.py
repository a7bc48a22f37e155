"""TLS in front of a server of this machine, as a process of its own; it ends when its standard input does.

    python -m benchmarks.performance.tls FOLDER PORT              listens on a free port, printed as the first line
    python -m benchmarks.performance.tls FOLDER PORT --idle 0.2   hangs up where nothing was sent for so long

What it shows is a certificate of RSA with 2,048 bits for 127.0.0.1, below an authority that is made up. The folder's
`authorities.pem` lists that one behind all those that certifi lists, so that reading it costs what it costs.
"""

import argparse
import asyncio
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from benchmarks.performance.processes import started, until_left_alone

HOST = "127.0.0.1"
AUTHORITIES, SHOWN = "authorities.pem", "shown.pem"
PIECE = 1 << 18


@contextmanager
def protected(base: str, folder: Path, *, idle: float = 3_600.0) -> Iterator[str]:
    """The server at `http://127.0.0.1:<port>` behind TLS; gives its base, such as `https://127.0.0.1:49153`."""
    with started("tls", str(folder), base.rpartition(":")[2], "--idle", str(idle)) as plain:
        yield f"https://127.0.0.1:{plain.rpartition(':')[2]}"


def make(folder: Path) -> None:
    """What a server shows, and whom a client has to believe for it."""
    above, below = (rsa.generate_private_key(public_exponent=65_537, key_size=2_048) for _ in range(2))
    authority, name = _named("a benchmark's authority"), _named(HOST)
    root = _certificate(authority, authority, above, above, x509.BasicConstraints(ca=True, path_length=0))
    leaf = _certificate(name, authority, below, above, x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]))
    key = below.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / SHOWN).write_bytes(key + leaf + root)
    (folder / AUTHORITIES).write_bytes(Path(certifi.where()).read_bytes() + root)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _certificate(
    name: x509.Name, issuer: x509.Name, key: rsa.RSAPrivateKey, by: rsa.RSAPrivateKey, extension: x509.ExtensionType
) -> bytes:
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        .add_extension(_usage(isinstance(extension, x509.BasicConstraints)), critical=True)
    )
    return made.sign(by, hashes.SHA256()).public_bytes(Encoding.PEM)


def _usage(signs_others: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=not signs_others,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_others,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


# ---- the server ----


async def _serve(folder: Path, port: int, idle: float) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / SHOWN)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind = await asyncio.open_connection(HOST, port)
        quiet = _Quiet(idle)
        await asyncio.gather(_pass(reader, behind[1], quiet), _pass(behind[0], writer, quiet))

    server = await asyncio.start_server(connected, HOST, 0, ssl=context, limit=PIECE)
    await until_left_alone(server.sockets[0].getsockname()[1])
    server.close()


class _Quiet:
    """Until when a connection may be quiet."""

    def __init__(self, idle: float) -> None:
        self._idle = idle
        self.ends = time.monotonic() + idle

    def broken(self) -> None:
        """Something was said."""
        self.ends = time.monotonic() + self._idle


async def _pass(source: asyncio.StreamReader, target: asyncio.StreamWriter, quiet: _Quiet) -> None:
    with suppress(ConnectionError, ssl.SSLError):
        while time.monotonic() < quiet.ends:
            try:
                piece = await asyncio.wait_for(source.read(PIECE), quiet.ends - time.monotonic())
            except TimeoutError:
                continue  # the other direction may have been in use
            if not piece:
                break
            quiet.broken()
            target.write(piece)
            await target.drain()
    target.close()


def main() -> None:
    """Serves until its standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--idle", type=float, default=3_600.0, help="seconds without a word after which it hangs up")
    asked = parser.parse_args()
    asyncio.run(_serve(asked.folder, asked.port, asked.idle))


if __name__ == "__main__":
    main()
