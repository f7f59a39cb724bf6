"""The bounds of everything that crosses the wire, and the relations between them.

Both sides check the same figures: a gateway never seals what the cloud would refuse for its size, and the cloud never
unpacks more than the largest honest batch holds. The relations at the end are checked at import.
"""

from __future__ import annotations

from common.errors import ensure

KIBIBYTE = 1024
MEBIBYTE = 1024 * KIBIBYTE

PARCEL_BYTES_MAX = 2 * MEBIBYTE  # one POST: the signed batch and its personal lane
SIGNED_BYTES_MAX = 2 * MEBIBYTE - 256 * KIBIBYTE  # the COSE_Sign1 alone
CONTENT_BYTES_MAX = 8 * MEBIBYTE  # unpacked; a small batch may not unfold into gigabytes
ZSTD_WINDOW_MAX = 8 * MEBIBYTE
DEPTH_MAX = 24  # nested containers of any structure on the wire; a tariff body is the deepest

READINGS_MAX = 200_000  # 500 meters x 4 points x 96 slots, with room
SERIES_MAX = 16_384
SLOTS_MAX = 10_000  # positions of one column, holes included
ENTRIES_MAX = 20_000
PERSONAL_MAX = 2_000
PERSONAL_BODY_BYTES_MAX = 512
QUANTITIES_MAX = 32
COUNTERS_MAX = 256
SAMPLES_MAX = 400  # registers of one charge at a pile: a day at more than one in four minutes
ANCHORS_MAX = 256

TEXT_BYTES_MAX = 256
DETAIL_BYTES_MAX = 1_024
FRAME_BYTES_MAX = 4_096  # one raw request or response kept as evidence

RECEIPT_BYTES_MAX = MEBIBYTE
OUTCOMES_MAX = SERIES_MAX  # a receipt can speak of every series of a batch
ASKED_RANGES_MAX = 16
AHEAD_MAX = 100_000  # how far beyond its watermark a stream may run before the missing ones come
EPOCHS_MAX = 64  # store epochs of one gateway; more than that is not bad cards but something else

BUNDLE_BYTES_MAX = 4 * MEBIBYTE
BUNDLE_UNPACKED_MAX = 16 * MEBIBYTE
BUNDLES_PER_POLL_MAX = 8
POLL_BYTES_MAX = 16 * KIBIBYTE
POLL_ANSWER_BYTES_MAX = 33 * MEBIBYTE
CERTIFICATE_KEYS_MAX = 8

INT64_BYTES = 8
SEALED_READINGS_TARGET = 100_000  # the sealer starts the next batch here
SEALED_ENTRIES_TARGET = 10_000

ensure(READINGS_MAX * INT64_BYTES * 2 < CONTENT_BYTES_MAX, "the largest readings must fit in the unpacked content")
ensure(SLOTS_MAX < READINGS_MAX, "one column may not exhaust a batch")
ensure(SIGNED_BYTES_MAX < PARCEL_BYTES_MAX, "the signed part must leave room for the personal lane")
ensure(PARCEL_BYTES_MAX < CONTENT_BYTES_MAX, "packing may not make a batch larger than its bound unpacked")
ensure(CONTENT_BYTES_MAX <= ZSTD_WINDOW_MAX, "the window need not exceed what may be unpacked")
ensure(SEALED_READINGS_TARGET < READINGS_MAX, "a sealer stops before the bound")
ensure(SEALED_ENTRIES_TARGET < ENTRIES_MAX, "a sealer stops before the bound")
ensure(FRAME_BYTES_MAX * 2 < SIGNED_BYTES_MAX, "evidence must fit in a batch")
ensure(BUNDLE_BYTES_MAX * BUNDLES_PER_POLL_MAX < POLL_ANSWER_BYTES_MAX, "a full answer to a poll must fit in its bound")
