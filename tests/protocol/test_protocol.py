"""The protocol object: what it holds, that it cannot change, settings, hash, YAML and back."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vagus.errors import InputError, Problem
from vagus.protocol import Contrast, PlannedAnalysis, Protocol, Visit, parse, share_people
from vagus.units import Risk


@pytest.fixture
def protocol(text: str) -> Protocol:
    return parse(text, "protocol.yaml")


def test_what_the_design_example_says(protocol: Protocol) -> None:
    assert (protocol.id, protocol.design, protocol.published, protocol.control) == (
        "hmo-sleep",
        "parallel",
        None,
        "placebo",
    )
    assert protocol.title == "2'-FL + LNnT and adult sleep"
    assert protocol.population.source == "adults-poor-sleep"
    assert protocol.population.n == 120
    assert protocol.population.baseline_microbiome == "healthy-adults"
    assert [(dose.product, dose.grams_per_day, dose.at_hour, dose.text) for dose in protocol.arms["hmo"].doses] == [
        ("2FL", 4.0, None, "4 g/day"),
        ("LNnT", 1.0, None, "1 g/day"),
    ]
    assert protocol.arm_sizes() == {"placebo": 60, "hmo": 60}
    schedule = protocol.schedule
    assert (schedule.run_in_days, schedule.treat_days, schedule.follow_days) == (14.0, 56.0, 14.0)
    assert [(visit.label, visit.day) for visit in schedule.visits] == [
        ("baseline", 0.0),
        ("week 4", 28.0),
        ("week 8", 56.0),
        ("week 10", 70.0),
    ]
    assert protocol.events.dropout == Risk(0.12, 56.0)
    assert protocol.events.antibiotics == Risk(0.02, 56.0)
    assert (protocol.events.adherence.mean, protocol.events.adherence.sd) == (0.85, 0.15)
    assert protocol.measures["sleep_diary"] == "daily"
    assert protocol.measures["actigraphy"] == (Visit(label="baseline", day=0), Visit(label="week 8", day=56))
    primary = protocol.estimands["primary"]
    assert (primary.outcome, primary.visit) == ("isi", "week 8")
    assert primary.contrast == Contrast(arm="hmo", reference="placebo")
    assert primary.strategies == {"dropout": "treatment-policy", "antibiotics": "hypothetical"}
    assert protocol.plan == (
        plan("primary", "isi", "ancova", "primary"),
        plan("secondary", "bifidobacterium_rel_abundance_pct", "log_ancova", "secondary"),
        plan("secondary", "waso_actigraphy_min", "log_ancova", "secondary"),
    )
    assert protocol.analysis.multiplicity == {"secondary": "holm"}
    assert (protocol.verdict.p_benefit, protocol.verdict.p_mcid, protocol.verdict.p_no_useful) == (0.95, 0.5, 0.95)
    assert protocol.total_days == 84.0
    assert protocol.outcomes()["night_awakenings_n"] == schedule.visits


def plan(estimand: str, outcome: str, method: str, family: str) -> PlannedAnalysis:
    return PlannedAnalysis.model_validate(
        {
            "estimand": estimand,
            "outcome": outcome,
            "visit": "week 8",
            "method": method,
            "arms": ("hmo",),
            "reference": "placebo",
            "family": family,
        }
    )


def test_secondary_analyses_in_every_form(text: str) -> None:
    secondary = (
        "[sleep_latency_diary_min, {variable: [night_awakenings_n, tst_diary_h], family: sleep}, "
        "bifidobacterium fold change at 4 wk, {variable: tst_actigraphy_h, contrast: [hmo - placebo]}]"
    )
    found = parse(text.replace("[bifidobacterium, waso at 8 wk]", secondary), "p").plan[1:]
    assert [(item.outcome, item.visit, item.method, item.arms, item.reference, item.family) for item in found] == [
        ("sleep_latency_diary_min", "week 8", "log_ancova", ("hmo",), "placebo", "secondary"),
        ("night_awakenings_n", "week 8", "negative_binomial", ("hmo",), "placebo", "sleep"),
        ("tst_diary_h", "week 8", "ancova", ("hmo",), "placebo", "sleep"),
        ("bifidobacterium_rel_abundance_pct", "week 4", "fold_change", ("placebo", "hmo"), "baseline", "secondary"),
        ("tst_actigraphy_h", "week 8", "ancova", ("hmo",), "placebo", "secondary"),
    ]


def test_a_name_with_several_outcomes_plans_those_that_are_measured(text: str) -> None:
    found = parse(text.replace("actigraphy: [0, 8] wk, ", "").replace("waso at 8 wk", "tst"), "p")
    assert found.plan[-1].outcome == "tst_diary_h"
    assert {item.outcome for item in parse(text.replace("waso at 8 wk", "tst"), "p").plan[-2:]} == {
        "tst_diary_h",
        "tst_actigraphy_h",
    }


def test_clock_times_labels_control_and_verdict(text: str) -> None:
    found = parse(
        text.replace("2FL: 4 g/day", "label: both, 2FL: 4 g/day at 08:00").replace(
            "arms:", "control: hmo\nverdict: {p_mcid: 60 %}\narms:"
        ),
        "p",
    )
    assert found.arms["hmo"].doses[0].at_hour == 8.0
    assert (found.arms["hmo"].label, found.arms["placebo"].label) == ("both", "placebo")
    assert (found.control, found.active_arms) == ("hmo", ("placebo",))
    assert found.verdict.p_mcid == 0.6


def test_visits_in_days_and_without_order(text: str) -> None:
    found = parse(text.replace("[0, 4, 8, 10] wk", "[0 d, 8 wk, 3 d, 4 wk]"), "p")
    assert found.visit_labels == ("baseline", "day 3", "week 4", "week 8")


def test_nothing_can_be_changed(protocol: Protocol) -> None:
    with pytest.raises(ValueError, match="frozen"):
        protocol.id = "other"  # type: ignore[misc]
    with pytest.raises(TypeError, match="with_settings"):
        protocol.arms["new"] = protocol.arms["hmo"]
    with pytest.raises(TypeError, match="with_settings"):
        protocol.measures.clear()


def test_it_travels_between_processes(protocol: Protocol) -> None:
    again = pickle.loads(pickle.dumps(protocol))
    assert again == protocol
    with pytest.raises(TypeError, match="with_settings"):
        again.arms.pop("hmo")


def test_settings(protocol: Protocol) -> None:
    small = protocol.with_settings({"population.n": "40", "schedule.visits": "[0, 8] wk", "arms.hmo.2FL": "2 g/day"})
    assert small.population.n == 40
    assert small.visit_labels == ("baseline", "week 8")
    assert small.arms["hmo"].doses[0].grams_per_day == 2.0
    assert protocol.population.n == 120
    both = small.with_settings({"population.n": "60"})
    assert (both.population.n, both.visit_labels) == (60, ("baseline", "week 8"))
    assert dict(both.settings) == {"population.n": "60", "schedule.visits": "[0, 8] wk", "arms.hmo.2FL": "2 g/day"}


def test_wrong_settings_name_the_setting(protocol: Protocol) -> None:
    with pytest.raises(InputError) as caught:
        protocol.with_settings({"population.n": "3", "arms.hmo.2FL": "5 mL", "analysis.primery": "ancova"})
    assert [str(problem) for problem in caught.value.problems] == [
        'Unknown key "primery" in "analysis"; did you mean "primary"? (--set analysis.primery=ancova)',
        'Dose of arm \'hmo\' must be a mass per day, got "5 mL"; write "5 g/day". (--set arms.hmo.2FL=5 mL)',
        "Every arm must have at least 2 people, got 1 in arm 'hmo' (n: 3 in 2 arms); write \"n: 4\" or more. "
        "(--set population.n=3)",
    ]


def test_problems_of_other_parts_find_their_line(protocol: Protocol) -> None:
    assert protocol.problem("population.from", "No.") == Problem("protocol.yaml", 3, "No.")
    changed = protocol.with_settings({"population.from": "x"})
    assert changed.problem("population.from", "No.") == Problem("--set population.from=x", 0, "No.")


def test_yaml_and_back(protocol: Protocol) -> None:
    small = protocol.with_settings({"population.n": "40", "trial.title": "'a: \"b\" # c'"})
    again = parse(small.to_yaml(), "run/protocol.yaml")
    assert again.protocol_hash == small.protocol_hash
    assert again.title == 'a: "b" # c'
    assert again.to_yaml() == small.to_yaml()


def test_the_hash_is_about_meaning(protocol: Protocol, text: str) -> None:
    same = text.replace("4 g/day", "4000 mg/day").replace("8 wk", "56 d").replace("# parallel", "# other")
    assert same != text
    assert parse(same, "elsewhere.yaml").protocol_hash == protocol.protocol_hash
    assert protocol.with_settings({"population.n": "121"}).protocol_hash != protocol.protocol_hash
    assert len(protocol.protocol_hash) == 64


@given(st.integers(1, 500), st.lists(st.integers(1, 60), min_size=1, max_size=6))
def test_people_are_shared_fairly(n: int, weights: list[int]) -> None:
    sizes = share_people(n, {str(arm): float(weight) for arm, weight in enumerate(weights)})
    assert sum(sizes.values()) == n
    for arm, weight in enumerate(weights):
        assert abs(sizes[str(arm)] - n * weight / sum(weights)) < 1


def test_reading_is_quick(text: str) -> None:
    parse(text, "warm")
    start = time.perf_counter()
    parse(text, "p")
    assert time.perf_counter() - start < 0.2


def test_import_leaves_pint_alone() -> None:
    code = "import sys, vagus.protocol; print('pint' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
