"""Conditions of a protocol and doses of a protocol that are not grams: what is read, what is refused and where."""

from __future__ import annotations

import pytest

from vagus.errors import InputError
from vagus.protocol import Protocol, bundled_text, parse


def read(**settings: str) -> Protocol:
    given = {name.replace("__", "."): value for name, value in settings.items()}
    return parse(bundled_text("hmo-sleep"), "protocol.yaml", given)


def problems(**settings: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(**settings)
    return [problem.message for problem in caught.value.problems]


def test_stress_is_read_in_days_from_the_start_of_treatment() -> None:
    stress = read(conditions="{stress: {size: 1 SD, from: 2 wk, to: 4 wk}}").conditions.stress
    assert stress is not None
    assert (stress.size, stress.from_day, stress.to_day) == (1.0, 14.0, 28.0)
    whole = read(conditions="{stress: {size: -0.5 SD}}").conditions.stress
    assert whole is not None
    assert (whole.from_day, whole.to_day) == (0.0, 70.0)


def test_without_conditions_nothing_befalls_and_the_hash_stays() -> None:
    plain = read()
    assert plain.conditions.stress is None
    assert read(conditions="{stress: {size: 0 SD}}").protocol_hash == plain.protocol_hash
    assert read(conditions="{stress: {size: 1 SD}}").protocol_hash != plain.protocol_hash


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{stress: {size: 1}}", 'Size of the stress must be in standard deviations, got "1"; write "1 SD".'),
        ("{stress: {size: 9 SD}}", 'Size of the stress must be within -3 to 3 SD, got "9 SD"; write "1 SD".'),
        (
            "{stress: {from: 2 wk}}",
            'Stress must have a size, got none; write "stress: {size: 1 SD, from: 2 wk, to: 4 wk}".',
        ),
        (
            "{stress: {size: 1 SD, from: 4 wk, to: 2 wk}}",
            "Stress must begin before it ends, got day 28 to day 14; check from and to.",
        ),
        (
            "{stress: {size: 1 SD, to: 30 wk}}",
            "Stress must end within the trial (day 70 of treatment), got day 210; write an earlier end.",
        ),
        ("{stress: {size: 1 SD, form: 2 wk}}", 'Unknown key "form" in "conditions.stress"; did you mean "from"?'),
        ("{stres: {size: 1 SD}}", 'Unknown key "stres" in "conditions"; did you mean "stress"?'),
    ],
)
def test_wrong_conditions(written: str, message: str) -> None:
    assert problems(conditions=written) == [message]


def test_a_dose_in_cfu_or_iu() -> None:
    arms = "{placebo: {maltodextrin: 5 g/day}, hmo: {live_bifidobacterium: 1e10 CFU/day, vitamin D3: 1000 IU/day}}"
    doses = read(arms=arms).arms["hmo"].doses
    assert [(dose.product, dose.grams_per_day, dose.text) for dose in doses] == [
        ("live_bifidobacterium", 0.01, "1e10 CFU/day"),
        ("vitamin_d3", 25e-6, "1000 IU/day"),
    ]


def test_wrong_units_and_names_are_all_reported() -> None:
    arms = (
        "{placebo: {maltodextrin: 5 g/day}, hmo: {live_bifidobacterium: 5 g/day, 2FL: 1e10 CFU/day, "
        "heat-killed CP2305: 1e10 CFU/day, vitamin_d4: 1000 IU/day}}"
    )
    assert sorted(problems(arms=arms)) == [
        'Dose of arm \'hmo\' must be a mass per day, got "1e10 CFU/day"; write "5 g/day".',
        'Dose of arm \'hmo\' must be in CFU per day, got "5 g/day"; write "1e9 CFU/day".',
        "Product \"heat-killed CP2305\" in arm 'hmo' is not modelled: dead cells do not grow in the colon, and "
        "no effect of dead cells is in the model.",
        'Unknown product "vitamin_d4" in arm \'hmo\'; did you mean "vitamin_d"?',
    ]


def test_canonical_yaml_keeps_conditions() -> None:
    first = read(conditions="{stress: {size: 1 SD, from: 2 wk, to: 4 wk}}")
    assert parse(first.to_yaml(), "again.yaml").protocol_hash == first.protocol_hash
