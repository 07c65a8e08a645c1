"""Product files: compositions add up, every number has a source and a grade."""

from __future__ import annotations

import pytest

from vagus.errors import InputError
from vagus.protocol import SUBSTRATES, Product, product, products

NEEDED = {"2FL", "LNnT", "oligofructose", "inulin", "GOS", "potato_starch", "maize_starch_rs2", "maltodextrin"}


def test_the_list() -> None:
    assert set(products()) >= NEEDED
    assert {name for name, item in products().items() if item.comparator} == {"maltodextrin", "digestible_maize_starch"}


@pytest.mark.parametrize("item", products().values(), ids=lambda item: item.id)
def test_composition_adds_up_and_is_sourced(item: Product) -> None:
    assert set(item.composition) <= set(SUBSTRATES)
    assert sum(share.value for share in item.shares) == pytest.approx(1, abs=0.005)
    assert sum(item.composition.values()) <= 1
    sources = {source.key: source for source in item.sources}
    for fact in (*item.shares, item.usual_dose, item.tolerance):
        assert fact.grade in "ABCD"
        source = sources[fact.source]
        # A number without an address is from memory or assumed, and says so with grade D.
        assert source.address or fact.grade == "D"
    assert 0 < item.usual_dose.low < item.usual_dose.high
    assert item.tolerance.text
    assert item.description


@pytest.mark.parametrize("item", products().values(), ids=lambda item: item.id)
def test_every_listed_source_is_used_or_explains(item: Product) -> None:
    named = {share.source for share in item.shares} | {item.usual_dose.source, item.tolerance.source}
    unused = {source.key for source in item.sources} - named
    assert all(source.address for source in item.sources if source.key in unused)


def test_comparators_bring_next_to_nothing_into_the_colon() -> None:
    for item in products().values():
        fermented = sum(item.substrates(1.0).values())
        assert (fermented < 0.01) == item.comparator


def test_names() -> None:
    assert product("2'-FL") is product("2-FL") is product("2FL")
    assert product("RS2").id == "potato_starch"
    assert product("himaize").id == "maize_starch_rs2"
    assert product("FOS").id == "oligofructose"
    with pytest.raises(InputError, match='got "maltodextrn"; did you mean "maltodextrin"'):
        product("maltodextrn")


def test_substrates_of_a_dose() -> None:
    assert product("2FL").substrates(5.0) == {"FL": pytest.approx(4.7)}
    assert product("maltodextrin").substrates(10.0) == {}


def test_products_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        products()["2FL"].composition["FL"] = 1.0
