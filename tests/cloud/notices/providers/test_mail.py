"""Mail: over TLS, with the words intact, one Message-ID for one letter, and never into a stranger's hands."""

from __future__ import annotations

import ssl
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cloud.kit.calls import Later, Refused
from cloud.notices.kinds import Way
from cloud.notices.providers.mail import Security, SmtpServer
from cloud.notices.providers.values import Accepted
from tests.contract.message_benches import START, mail_account, open_message_bench
from tests.simulation.messages.smtp import SmtpSimulator


def certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return the server's context and one of a client that believes in it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(1)
        .not_valid_before(START - timedelta(days=3650))
        .not_valid_after(START + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    plain = serialization.NoEncryption()
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    pem.write_bytes(key.private_bytes(*form, plain) + made.public_bytes(serialization.Encoding.PEM))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    client = ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())
    return server, client


async def test_mail_goes_by_starttls_to_a_server_that_proves_itself_and_to_no_other(tmp_path: Path) -> None:
    server_context, trusting = certificate(tmp_path)
    simulator = SmtpSimulator(server_context)
    await simulator.open()
    account = replace(mail_account(simulator.port, security=Security.STARTTLS), host="localhost")
    async with open_message_bench(Way.MAIL) as bench:
        assert isinstance(await SmtpServer(account, trusting).send(bench.letter()), Accepted)
        stranger = SmtpServer(account, ssl.create_default_context())
        assert await stranger.send(bench.letter(2)) == Later(reason="SSLCertVerificationError")
        plain = SmtpServer(replace(account, security=Security.PLAIN), trusting)
        assert isinstance(await plain.send(bench.letter(3)), Refused | Later)
    await simulator.close()
    (mail,) = simulator.mails
    assert mail.private


async def test_the_words_arrive_as_they_were_written() -> None:
    async with open_message_bench(Way.MAIL) as bench:
        outcome = await bench.carrier.send(bench.letter())
        assert isinstance(bench.simulator, SmtpSimulator)
        (mail,) = bench.simulator.mails
    message = mail.message
    assert message["Subject"] == bench.letter().title
    assert message.get_content().replace("\r\n", "\n").rstrip("\n") == bench.letter().body
    assert isinstance(outcome, Accepted)
    assert message["Message-ID"] == outcome.reference == f"<{bench.letter().letter_id.hex}@example.com>"
    assert message["Auto-Submitted"] == "auto-generated"


async def test_an_address_that_would_add_a_line_to_the_mail_is_refused() -> None:
    async with open_message_bench(Way.MAIL) as bench:
        assert isinstance(await bench.carrier.send(bench.letter(to="li@example.com\nBcc: x@example.com")), Refused)
        assert bench.arrived() == []
