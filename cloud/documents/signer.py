"""Who seals a file: the port, and the key in software; `seal_token.py` and `seal_service.py` keep keys elsewhere.

A seal is a PAdES B-B signature that certifies the file and allows no change after it, with the visible mark of the
legal person. A key proves integrity to whoever has its certificate from us; the legal weight of a licensed authority
needs a signer that holds a certificate of one, behind the same port.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.content import PdfContent
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.signers import Signer as KeyHolder
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.stamp import StaticStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore
from typing_extensions import override

from common.errors import InvariantError, RefusalError

FIELD = "Seal"
# Where the mark stands on the first page, in points from the lower left: the box that the template leaves free.
MARK_BOX = (425, 677, 544, 796)
_SIGNATURE_BYTES = 8_192
_VALID = timedelta(days=365 * 30)
_NAME_BYTES_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SealKey:
    """A key in software with its certificate, both in DER."""

    certificate: bytes
    private_key: bytes = field(repr=False)

    @property
    def fingerprint(self) -> bytes:
        """Return the SHA-256 of the certificate, by which a seal is recognised."""
        return sha256(self.certificate).digest()


class Signer(Protocol):
    """Whoever can put a legal person's seal on a file."""

    async def seal(self, pdf: bytes, mark: bytes, when: datetime) -> bytes:
        """Return the file with the seal and its visible mark, a page of a PDF, put on at an instant."""
        ...


class KeySigner:
    """Seals with a certificate and whatever holds its key."""

    def __init__(self, certificate: bytes, holder: KeyHolder) -> None:
        self._name = name_of(certificate)
        self._signer = holder

    async def seal(self, pdf: bytes, mark: bytes, when: datetime) -> bytes:
        """Return the file with the seal."""
        out = IncrementalPdfFileWriter(io.BytesIO(pdf))
        session = self._pdf_signer(mark).init_signing_session(out)
        session.system_time = when
        document = session.prepare_tbs_document(validation_info=None, bytes_reserved=_SIGNATURE_BYTES)
        prepared, written = document.digest_tbs_document()
        signed = await document.perform_signature(prepared.document_digest, PdfCMSSignedAttributes(signing_time=when))
        await signed.post_signature_processing(written)
        written.seek(0)
        return bytes(written.read())

    def _pdf_signer(self, mark: bytes) -> PdfSigner:
        return PdfSigner(
            PdfSignatureMetadata(
                field_name=FIELD,
                md_algorithm="sha256",
                subfilter=SigSeedSubFilter.PADES,
                certify=True,
                docmdp_permissions=MDPPerm.NO_CHANGES,
                name=self._name,
            ),
            self._signer,
            stamp_style=StaticStampStyle(border_width=0, background=_MarkPage(mark)),
            new_field_spec=SigFieldSpec(FIELD, on_page=0, box=MARK_BOX),
        )


class SoftwareSigner(KeySigner):
    """Seals with a key that this process holds, loaded once."""

    def __init__(self, key: SealKey) -> None:
        holder = SimpleSigner(
            signing_cert=asn1_x509.Certificate.load(key.certificate),
            signing_key=asn1_keys.PrivateKeyInfo.load(key.private_key),
            cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]
        )
        super().__init__(key.certificate, holder)


class KeyKeeper(Protocol):
    """Whoever keeps seal keys outside this house and never gives them away; a key has a label there."""

    async def seal(self, certificate: bytes, key_label: str, pdf: bytes, mark: bytes, when: datetime) -> bytes:
        """Return the file with a seal that the key of a label made.

        Raises:
            KeeperError: the keeper refuses, or has no such key.
            BusyError: the keeper did not answer; nothing was sealed.
        """
        ...

    async def confirm(self, certificate: bytes, key_label: str, challenge: bytes) -> None:
        """Go on when the key of a label is the key of a certificate.

        Raises:
            ForeignKeyError: it is the key of another certificate, or of a kind that does not seal.
            KeeperError: the keeper refuses, or has no such key.
            BusyError: the keeper did not answer.
        """
        ...

    def close(self) -> None:
        """Let go of what is held open."""
        ...


class KeptSigner:
    """Seals with one key of a keeper; an implementation of `Signer`."""

    def __init__(self, keeper: KeyKeeper, certificate: bytes, key_label: str) -> None:
        self._keeper = keeper
        self._certificate = certificate
        self._key_label = key_label

    async def seal(self, pdf: bytes, mark: bytes, when: datetime) -> bytes:
        """Return the file with the seal."""
        return await self._keeper.seal(self._certificate, self._key_label, pdf, mark, when)


class _MarkPage(PdfContent):
    """The first page of a PDF as the drawing of the mark."""

    def __init__(self, mark: bytes) -> None:
        self._mark = mark
        super().__init__()

    @override
    def render(self) -> bytes:
        if self.writer is None:
            raise InvariantError("a mark is drawn into a file that is being written")
        page = self.writer.import_page_as_xobject(PdfFileReader(io.BytesIO(self._mark)))
        self.resources.xobject["/Mark"] = page
        left, bottom, right, top = page.get_object()["/BBox"]
        self.box = BoxConstraints(width=abs(right - left), height=abs(top - bottom))
        return b"/Mark Do"


def new_key(name: str, now: datetime, serial: int) -> SealKey:
    """Return a fresh key (P-256) with a certificate that it signs itself, for a legal person of a name."""
    key = ec.generate_private_key(ec.SECP256R1())
    short = name.encode()[:_NAME_BYTES_MAX].decode(errors="ignore")
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, short),
            x509.NameAttribute(NameOID.COMMON_NAME, short),
        ]
    )
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    return SealKey(
        certificate=certificate.public_bytes(serialization.Encoding.DER),
        private_key=key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )


def name_of(certificate: bytes) -> str:
    """Return the legal person's name in a certificate in DER."""
    found = x509.load_der_x509_certificate(certificate).subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    return str(found[0].value) if found else ""


def confirms(certificate: bytes, signature: bytes, content: bytes) -> bool:
    """Return whether the key of a certificate in DER, a curve's or RSA, signed some bytes with SHA-256."""
    public = x509.load_der_x509_certificate(certificate).public_key()
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            public.verify(signature, content, ec.ECDSA(hashes.SHA256()))
        elif isinstance(public, rsa.RSAPublicKey):
            public.verify(signature, content, padding.PKCS1v15(), hashes.SHA256())
        else:
            return False
    except InvalidSignature:
        return False
    return True


def valid_between(certificate: bytes) -> tuple[datetime, datetime]:
    """Return from when and until when a certificate in DER is valid."""
    found = x509.load_der_x509_certificate(certificate)
    return found.not_valid_before_utc, found.not_valid_after_utc


def pem_of(certificate: bytes) -> str:
    """Return a certificate in DER as PEM text."""
    return x509.load_der_x509_certificate(certificate).public_bytes(serialization.Encoding.PEM).decode()


def der_of(pem: bytes) -> bytes:
    """Return a certificate in PEM as DER.

    Raises:
        RefusalError: it is no certificate.
    """
    try:
        return x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.DER)
    except ValueError as error:
        raise RefusalError("this is no certificate in PEM; take the one that the company publishes") from error
