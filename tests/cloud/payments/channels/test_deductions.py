"""What an agreement shows of itself: its state, never the channel's number, by which money can be taken."""

from __future__ import annotations

from cloud.payments.channels.deductions import Agreement, AgreementState


def test_the_channels_number_of_an_agreement_stands_in_no_text() -> None:
    agreement = Agreement(state=AgreementState.SIGNED, number="20260000000000000001")
    assert "20260000000000000001" not in f"{agreement} {agreement!r}"
    assert "signed" in repr(agreement)
