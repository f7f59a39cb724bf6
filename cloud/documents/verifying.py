"""What the bytes of a PDF tell about its seal: genuine, foreign, tampered, changed afterwards, or none at all.

Works on the file alone with the certificates that are trusted: no network, no clock, no database. Order of the
answers: unreadable, unsealed, tampered, changed afterwards, foreign, genuine.
"""

from __future__ import annotations

import io
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import SigningError
from pyhanko.sign.validation import EmbeddedPdfSignature, SignatureCoverageLevel
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import validate_sig_integrity

from cloud.documents.kinds import Check
from cloud.documents.signer import name_of

_MARK = "gatehouse"
_TOKEN_LENGTH_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What a file tells: `token` names the paper in our books, `sealed_by` is what the certificate says of itself."""

    check: Check
    file_sha: bytes
    token: str = ""
    sealed_by: str = ""
    certificate_sha: bytes = b""
    sealed_at: datetime | None = None


def examine(pdf: bytes, trusted: Collection[bytes]) -> Examined:
    """Return what a file tells, where `trusted` are the certificates in DER whose seals are ours."""
    digest = sha256(pdf).digest()
    try:
        reader = PdfFileReader(io.BytesIO(pdf), strict=False)
        token = _token(reader)
        seals = reader.embedded_regular_signatures
    except (PdfError, ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError):
        return Examined(check=Check.UNREADABLE, file_sha=digest)
    if not seals:
        return Examined(check=Check.UNSEALED, file_sha=digest, token=token)
    return _examined(seals[0], digest, token, trusted)


def _examined(seal: EmbeddedPdfSignature, digest: bytes, token: str, trusted: Collection[bytes]) -> Examined:
    try:
        certificate = seal.signer_cert.dump()
        seal.compute_integrity_info()  # type: ignore[no-untyped-call]
        # Whole or not is asked of the seal alone; whose it is, is decided by the certificates that are ours.
        whole = all(
            validate_sig_integrity(
                seal.signer_info,
                seal.signer_cert,
                expected_content_type="data",
                actual_digest=seal.compute_digest(),
            )
        )
        sealed_at = seal.self_reported_timestamp
        coverage = seal.evaluate_signature_coverage()
        untouched = coverage is SignatureCoverageLevel.ENTIRE_FILE and len(seal.reader.embedded_signatures) == 1
    except (PdfError, SigningError, SignatureValidationError, ValueError, KeyError, TypeError, AttributeError):
        return Examined(check=Check.TAMPERED, file_sha=digest, token=token)
    if not whole:
        check = Check.TAMPERED
    elif not untouched:
        check = Check.CHANGED_AFTER
    else:
        check = Check.GENUINE if certificate in trusted else Check.FOREIGN_SEAL
    return Examined(
        check=check,
        file_sha=digest,
        token=token,
        sealed_by=name_of(certificate),
        certificate_sha=sha256(certificate).digest(),
        sealed_at=sealed_at,
    )


def _token(reader: PdfFileReader) -> str:
    """Return the token that our papers carry among their keywords, or nothing."""
    trailer = reader.trailer_view
    words = str(trailer["/Info"].get("/Keywords", "")) if "/Info" in trailer else ""
    mark, _, token = words.partition(",")
    token = token.strip()
    return token if mark.strip() == _MARK and len(token) <= _TOKEN_LENGTH_MAX else ""
