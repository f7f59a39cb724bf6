"""A remittance code names one account or nobody: a slip of the pen never pays another's bill."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cloud.payments import remittance
from cloud.payments.remittance import codes_in, new_code
from common.ids import AccountId
from tests.cloud.payments.counter import Counter
from tests.support.randomness import seeded_bytes

SIX = st.binary(min_size=6, max_size=6)


@given(SIX)
def test_a_code_is_found_wherever_it_stands(drawn: bytes) -> None:
    code = new_code(lambda size: drawn[:size])
    full_width = "".join(chr(ord(symbol) + 0xFEE0) for symbol in code)
    for memo in (code, f"物业费{code}三月", code.lower(), full_width, f"{code} {code}"):
        assert set(codes_in(memo)) == {code}


@given(SIX, st.integers(1, 6), st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"))
def test_one_wrong_symbol_names_nobody(drawn: bytes, place: int, other: str) -> None:
    code = new_code(lambda size: drawn[:size])
    if code[place] != other:
        assert codes_in(code[:place] + other + code[place + 1 :]) == ()


@given(SIX, st.integers(1, 5))
def test_two_symbols_that_changed_places_name_nobody(drawn: bytes, place: int) -> None:
    code = new_code(lambda size: drawn[:size])
    if code[place] != code[place + 1]:
        assert codes_in(code[:place] + code[place + 1] + code[place] + code[place + 2 :]) == ()


async def test_an_account_keeps_its_code_and_two_codes_in_one_text_name_nobody(counter: Counter) -> None:
    await counter.bill(0, 100, 200)
    accounts = [(await counter.request(flat)).account_id for flat in (0, 1)]
    async with counter.database.unit(counter.tenant, counter.office.site.actor) as unit:
        random = seeded_bytes(3)
        codes = [await remittance.code_for(unit, AccountId(one), random) for one in accounts]
        again = await remittance.code_for(unit, accounts[0], random)
        assert (codes[0], len(set(codes))) == (again, 2)
        assert await remittance.account_of(unit.session, f"转账 {codes[1]}") == accounts[1]
        assert await remittance.account_of(unit.session, " ".join(codes)) is None
        assert await remittance.account_of(unit.session, "物业费") is None
        assert await remittance.code_of(unit.session, accounts[0]) == codes[0]
