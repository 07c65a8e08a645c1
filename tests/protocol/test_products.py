"""Product files: compositions add up, every number has a source and a grade."""

from __future__ import annotations

import pytest

from vagus.errors import InputError
from vagus.protocol import Product, product, products
from vagus.protocol.product import GRAMS, PARTS, read_dose, why_not_modelled
from vagus.units import UnitError, parse_dose

NEEDED = {
    "2FL", "LNnT", "oligofructose", "inulin", "GOS", "potato_starch", "maize_starch_rs2", "maltodextrin",
    "rhLF", "bovine_lactoferrin", "vitamin_d3", "magnesium", "magnesium_citrate", "magnesium_oxide",
    "magnesium_glycinate", "live_bifidobacterium", "live_lactobacillus", "b_breve_ccfm1025", "l_casei_shirota",
}  # fmt: skip


def test_the_list() -> None:
    assert set(products()) >= NEEDED
    assert {name for name, item in products().items() if item.comparator} == {"maltodextrin", "digestible_maize_starch"}


@pytest.mark.parametrize("item", products().values(), ids=lambda item: item.id)
def test_composition_adds_up_and_is_sourced(item: Product) -> None:
    assert set(item.composition) <= set(PARTS)
    assert sum(share.value for share in item.shares) == pytest.approx(1, abs=0.005)
    assert sum(item.composition.values()) <= 1
    sources = {source.key: source for source in item.sources}
    for fact in item.facts:
        assert fact.grade in "ABCD"
        source = sources[fact.source]
        # A number without an address is from memory or assumed, and says so with grade D.
        assert source.address or fact.grade == "D"
    assert 0 < item.usual_dose.low < item.usual_dose.high
    assert item.tolerance.text
    assert item.description


@pytest.mark.parametrize("item", products().values(), ids=lambda item: item.id)
def test_every_listed_source_is_used_or_explains(item: Product) -> None:
    named = {fact.source for fact in item.facts}
    unused = {source.key for source in item.sources} - named
    assert all(source.address for source in item.sources if source.key in unused)


def test_comparators_bring_next_to_nothing_that_acts() -> None:
    for item in products().values():
        acting = sum(share for part, share in item.composition.items() if PARTS[part].state)
        assert (acting < 0.01) == item.comparator


def test_names() -> None:
    assert product("2'-FL") is product("2-FL") is product("2FL")
    assert product("RS2").id == "potato_starch"
    assert product("himaize").id == "maize_starch_rs2"
    assert product("FOS").id == "oligofructose"
    with pytest.raises(InputError, match='got "maltodextrn"; did you mean "maltodextrin"'):
        product("maltodextrn")


def test_what_a_dose_adds_to_the_model() -> None:
    assert product("2FL").added(5.0) == {"oral_FL": pytest.approx(4.7)}
    assert product("maltodextrin").added(10.0) == {}
    assert product("rhLF").added(1.0) == {"oral_lactoferrin": pytest.approx(0.93)}
    assert product("vitamin_d3").added(25e-6) == {"oral_vitamin_d": pytest.approx(25)}
    assert product("magnesium").added(0.4) == {"oral_magnesium": pytest.approx(400)}
    assert product("magnesium_citrate").added(2.0) == {"oral_magnesium": pytest.approx(324)}
    assert product("live_bifidobacterium").added(0.01) == {"oral_probif": pytest.approx(0.01)}
    assert product("l_casei_shirota").added(0.01) == {"oral_prolac": pytest.approx(0.01)}


@pytest.mark.parametrize(("salt", "molar_mass"), [("magnesium_citrate", 451.11 / 3), ("magnesium_glycinate", 172.42)])
def test_salts_hold_their_share_of_magnesium(salt: str, molar_mass: float) -> None:
    assert product(salt).composition["magnesium"] == pytest.approx(24.305 / molar_mass, abs=0.001)


@pytest.mark.parametrize(
    ("name", "text", "grams"),
    [
        ("vitamin_d3", "25 ug/day", 25e-6),
        ("vitamin_d3", "25 mcg/day", 25e-6),
        ("vitamin D", "1000 IU/day", 25e-6),
        ("vitamin_d3", "4,000 IU/day".replace(",", ""), 100e-6),
        ("magnesium", "500 mg/day at 21:00", 0.5),
        ("live_bifidobacterium", "1e10 CFU/day", 0.01),
        ("live_bifidobacterium", "10 billion CFU/day", 0.01),
        ("B. breve CCFM1025", "5e9 cfu per day", 0.005),
        ("2FL", "5 g/day", 5.0),
    ],
)
def test_doses_are_read_in_the_units_of_the_product(name: str, text: str, grams: float) -> None:
    assert read_dose(name, text).grams_per_day == pytest.approx(grams, rel=1e-12)


def test_one_dose_in_two_units_is_one_number() -> None:
    assert read_dose("vitamin_d3", "25 mcg/day").grams_per_day == read_dose("vitamin_d3", "1000 IU/day").grams_per_day
    assert read_dose("magnesium", "500 mg/day").grams_per_day == read_dose("magnesium", "0.5 g/day").grams_per_day


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("live_bifidobacterium", "5 g/day", 'Dose must be in CFU per day, got "5 g/day"; write "1e9 CFU/day".'),
        ("live_bifidobacterium", "1000 IU/day", 'Dose must be in CFU per day, got "1000 IU/day"; write "1e9 CFU/day".'),
        ("live_bifidobacterium", "1e10 CFU", 'Dose must be in CFU per day, got "1e10 CFU"; write "1e10 CFU/day".'),
        ("live_lactobacillus", "0 CFU/day", 'Dose must be above zero, got "0 CFU/day"; write "1e9 CFU/day".'),
        (
            "live_lactobacillus",
            "1e15 CFU/day",
            'Dose must be at most 1e13 CFU/day, got "1e15 CFU/day"; check the unit.',
        ),
        (
            "vitamin_d3",
            "1e9 CFU/day",
            'Dose must be a mass or in IU per day, got "1e9 CFU/day"; write "10 ug/day" or "400 IU/day".',
        ),
        ("vitamin_d3", "25 mg/day", 'Dose must be at most 500 ug/day, got "25 mg/day"; check the unit.'),
        ("vitamin_d3", "1000", 'Dose needs a unit, got "1000"; write "1000 ug/day".'),
        ("magnesium", "5 g/day", 'Dose must be at most 1000 mg/day, got "5 g/day"; check the unit.'),
        ("2FL", "1e10 CFU/day", 'Dose must be a mass per day, got "1e10 CFU/day"; write "5 g/day".'),
        ("2FL", "5 mL", 'Dose must be a mass per day, got "5 mL"; write "5 g/day".'),
    ],
)
def test_a_dose_of_the_wrong_kind_is_refused_with_the_usual_fix(name: str, text: str, message: str) -> None:
    with pytest.raises(UnitError) as caught:
        read_dose(name, text)
    assert str(caught.value) == message


@pytest.mark.parametrize("item", products().values(), ids=lambda item: item.id)
def test_usual_doses_and_limits_can_be_written(item: Product) -> None:
    amounts = [(item.usual_dose.low, item.usual_dose.unit), (item.usual_dose.high, item.usual_dose.unit)]
    amounts += [(item.most.value, item.most.unit)] if item.most else []
    for amount, unit in amounts:
        text = f"{amount:g} {unit}/day"
        assert read_dose(item.id, text).grams_per_day > 0
        if unit in GRAMS:
            assert read_dose(item.id, text).grams_per_day == pytest.approx(parse_dose(text).grams_per_day)
    for example in item.dose_units.examples.values():
        assert read_dose(item.id, example).grams_per_day > 0
    if item.upper_level is not None:
        assert item.upper_level.value > 0
        assert item.upper_level.note


@pytest.mark.parametrize(
    "name", ["heat-killed L. gasseri CP2305", "paraprobiotic", "liposomal lactoferrin", "S. boulardii (yeast)", "MFGM"]
)
def test_what_is_known_and_not_modelled_says_why(name: str) -> None:
    reason = why_not_modelled(name)
    assert reason
    with pytest.raises(InputError, match="not modelled"):
        product(name)


def test_no_product_is_named_like_what_is_not_modelled() -> None:
    for item in products().values():
        for name in (item.id, *item.aliases):
            assert not why_not_modelled(name), name


def test_products_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        products()["2FL"].composition["FL"] = 1.0
