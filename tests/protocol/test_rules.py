"""Every rule: what breaks it, the sentence, and the line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from vagus.errors import InputError
from vagus.protocol import bundled_text, parse

Problems = Callable[..., list[str]]

END = " (protocol.yaml, line {})"


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        # keys and types
        (
            "n: 120",
            "n: 120, seed: 1",
            3,
            'Unknown key "seed" in "population"; known: baseline_microbiome, entry, from, n',
        ),
        ("schedule:", "shedule:", 7, 'Unknown key "shedule"; did you mean "schedule"?'),
        ("contrast:", "contrst:", 11, 'Unknown key "contrst" in "estimands.primary"; did you mean "contrast"?'),
        ("sd: 0.15", "std: 0.15", 8, 'Unknown key "std" in "events.adherence"; did you mean "sd"?'),
        ("n: 120", "n: many", 3, 'Number of people must be a whole number, got "many"; write "120".'),
        ("n: 120", "n: 12.5", 3, 'Number of people must be a whole number, got "12.5"; write "120".'),
        (
            "{maltodextrin: 5 g/day}",
            "5 g/day",
            5,
            'Arm \'placebo\' must be a mapping of keys, got "5 g/day"; write "{maltodextrin: 5 g/day}".',
        ),
        # units
        ("2FL: 4 g/day", "2FL: 5 mL", 6, 'Dose of arm \'hmo\' must be a mass per day, got "5 mL"; write "5 g/day".'),
        ("2FL: 4 g/day", "2FL: 4", 6, 'Dose of arm \'hmo\' needs a unit, got "4"; write "4 g/day".'),
        (
            "2FL: 4 g/day",
            "2FL: -4 g/day",
            6,
            'Dose of arm \'hmo\' must be above zero, got "-4 g/day"; write "4 g/day".',
        ),
        (
            "treat: 8 wk",
            "treat: 2 months",
            7,
            'Treatment must be in days or weeks, got "2 months": a month has no fixed length; write "4 wk" or "30 d".',
        ),
        ("[0, 4, 8, 10] wk", "[0, 4, 8, 10]", 7, 'Visits need a unit, got "[0, 4, 8, 10]"; write "[0, 4, 8, 10] wk".'),
        ("12 %/8wk", "12 %", 8, 'Dropout must be a percentage per period, got "12 %"; write "12 %/8wk".'),
        ("mean: 0.85", "mean: 1.85", 8, 'Mean adherence must be a share between 0 and 1, got "1.85"; write "0.85".'),
        (
            "ISI: visits",
            "ISI: weekly",
            9,
            'Times of measure \'ISI\' must be "visits", "daily" or times such as "[0, 8] wk", got "weekly".',
        ),
        (
            "treatment-policy",
            "itt",
            11,
            '"estimands.primary.dropout" must be a strategy of ICH E9(R1), got "itt"; known: composite, hypothetical, '
            "principal-stratum, treatment-policy, while-on-treatment",
        ),
        # names and missing parts
        ("vagus: 1", "vagus: 2", 1, 'A protocol must say its format, "vagus: 1", got "2".'),
        ("treat: 8 wk, ", "", 7, 'A protocol must have "treat" in "schedule", got none; write "treat: 8 wk".'),
        ("id: hmo-sleep, ", "", 2, 'A protocol must have "id" in "trial", got none; write "id: my-trial".'),
        (
            "id: hmo-sleep",
            "id: ../../etc",
            2,
            'Trial id must be lower-case letters, digits, "-" and "_", got "../../etc"; write "etc".',
        ),
        (
            "  primary: {variable",
            "  first: {variable",
            10,
            'A protocol must have "primary" in "estimands", got none; write "primary: {variable: ISI change at 8 wk, '
            'contrast: active - placebo}".',
        ),
        (
            "  placebo: {maltodextrin",
            "  baseline: {maltodextrin: 1 g/day, 2FL: 1 g/day}\n  placebo: {maltodextrin",
            5,
            'Arm name must be letters, digits, "+", "-", "_" and not "baseline", got "baseline".',
        ),
        # design
        (
            "design: parallel",
            "design: crossover",
            2,
            'Design must be parallel or single-arm in this version, got "crossover" (planned); write "parallel".',
        ),
        (
            "design: parallel",
            "design: n-of-1",
            2,
            'Design must be parallel or single-arm in this version, got "n-of-1" (planned); write "parallel".',
        ),
        (
            "design: parallel",
            "design: paralell",
            2,
            'Design must be parallel or single-arm, got "paralell"; did you mean "parallel"?',
        ),
        # arms
        ("LNnT: 1 g/day", "LNTn: 1 g/day", 6, 'Unknown product "LNTn" in arm \'hmo\'; did you mean "LNnT"?'),
        (
            "LNnT: 1 g/day",
            "2'-FL: 1 g/day",
            6,
            'A product must stand once in an arm, got "2FL" and "2\'-FL" in arm \'hmo\'; add them up.',
        ),
        (
            "maltodextrin: 5 g/day",
            "inulin: 5 g/day",
            4,
            "A trial must have a control arm, got none with comparators only; "
            'add "placebo: {maltodextrin: 5 g/day}", or say which arm it is with "control: NAME".',
        ),
        (
            "{2FL: 4 g/day, LNnT: 1 g/day}",
            "{maltodextrin: 4 g/day}",
            4,
            'A trial must have one control arm, got placebo, hmo; say which with "control: placebo".',
        ),
        ("arms:\n", "control: plazebo\narms:\n", 4, 'Control must be an arm, got "plazebo"; did you mean "placebo"?'),
        (
            "arms:\n",
            "allocation: {hmo: 2}\narms:\n",
            4,
            'Allocation must name every arm, got none for "placebo"; write "placebo: 1".',
        ),
        (
            "arms:\n",
            "allocation: {hmo: 2, placebo: 0}\narms:\n",
            4,
            'Weight of arm \'placebo\' must be above zero, got "0"; write "1".',
        ),
        (
            "n: 120",
            "n: 3",
            3,
            "Every arm must have at least 2 people, got 1 in arm 'hmo' (n: 3 in 2 arms); write \"n: 4\" or more.",
        ),
        ("n: 120", "n: 1000001", 3, 'Number of people must be at most 100000, got "1000001"; write "120".'),
        # schedule and measures
        ("run_in: 2 wk", "run_in: 2.5 d", 7, 'A period must be whole days, got 2.5 days; write "2 d".'),
        (
            "[0, 4, 8, 10] wk",
            "[0 d, 1.5 d, 4 wk, 8 wk]",
            7,
            'A visit must be on a whole day, got day 1.5; write "2 d".',
        ),
        ("treat: 8 wk", "treat: 400 wk", 7, "A trial must last at most three years, got 2828 days; check the units."),
        (
            "[0, 4, 8, 10] wk",
            "[0, 4, 8, 12] wk",
            7,
            "A visit must not be after the end of follow-up (day 70 of treatment), got week 12 (day 84); "
            "write a longer follow-up or an earlier visit.",
        ),
        ("[0, 4, 8, 10] wk", "[0, 4, 8, 8] wk", 7, "A visit must stand once, got week 8 twice; remove one."),
        ("ISI: visits", "ISI: daily", 9, 'Measure ISI must be taken at visits, got "daily"; write "ISI: visits".'),
        (
            "saliva_CAR: [0, 8] wk",
            "saliva_CAR: [0, 6] wk",
            9,
            "Measure saliva_CAR must be taken at visits of the schedule, got week 6; "
            'add it to "visits" or remove it here.',
        ),
        (
            "stool_16S: visits",
            "stool_16s: visits, stool_16S: visits",
            9,
            'Unknown measure "stool_16s"; did you mean "stool_16S"?',
        ),
        (
            "n: 120",
            "n: 120, entry: {isi: [28, 8]}",
            3,
            'Entry range of \'isi\' must begin with the lower score, got "[28, 8]"; write "[8, 28]".',
        ),
        ("n: 120", "n: 120, entry: {isl: [8, 28]}", 3, 'Unknown outcome "isl"; did you mean "isi"?'),
        (
            "n: 120",
            "n: 120, entry: {STAI: [30, 60]}",
            3,
            'Entry must name one outcome, got "STAI"; write one of stai_state, stai_trait.',
        ),
        (
            "trial:",
            "published: Jackson 2023\ntrial:",
            2,
            'Published study must be an id such as "jackson2023_efficad", got "Jackson 2023".',
        ),
        # estimands
        ("ISI change", "IZI change", 11, 'Unknown outcome "IZI"; did you mean "ISI"?'),
        (
            "ISI change at 8 wk",
            "ISI change",
            11,
            'An estimand must say when, got "ISI change"; write "ISI change at 8 wk".',
        ),
        (
            "ISI change at 8 wk",
            "ISI change at 6 wk",
            11,
            "A variable must be at a visit of the schedule, got week 6; visits: baseline, week 4, week 8, week 10.",
        ),
        (
            "ISI change at 8 wk",
            "ISI change at 0 wk",
            11,
            'A variable must be at a visit after baseline, got "0 wk"; write "at 8 wk".',
        ),
        (
            "ISI change at 8 wk",
            "PSQI change at 8 wk",
            11,
            'Outcome psqi must be measured, got no measure that yields it; add "PSQI: visits" to "measures".',
        ),
        (
            "ISI change at 8 wk",
            "AUCi change at 10 wk",
            11,
            "Outcome car_auc_i_nmol_min_l must be measured at week 10, got saliva_CAR at baseline, week 8; "
            'add it to "saliva_CAR" in "measures".',
        ),
        (
            "ISI change at 8 wk",
            "STAI change at 8 wk",
            11,
            'An estimand must be about one outcome, got "STAI" for stai_state, stai_trait; write one of them.',
        ),
        ("hmo - placebo", "hmos - placebo", 11, 'A contrast must name arms, got "hmos"; did you mean "hmo"?'),
        (
            "hmo - placebo",
            "hmo-placebo",
            11,
            'A contrast must be two arms with a minus between blanks, got "hmo-placebo"; write "hmo - placebo".',
        ),
        ("hmo - placebo", "hmo - hmo", 11, 'A contrast must compare an arm with another one, got "hmo - hmo".'),
        (
            "hmo - placebo",
            "hmo - baseline",
            11,
            "Method ancova must compare two arms, got hmo against its baseline; "
            "write an arm, or a fold change of a positive outcome.",
        ),
        (
            "contrast: hmo - placebo, ",
            "",
            11,
            "Estimand 'primary' must have a contrast, got none; write \"contrast: active - placebo\".",
        ),
        (
            "ISI change at 8 wk",
            "ISI ratio at 8 wk",
            11,
            'A ratio must be analyzed by log_ancova, got ancova; write "log_ancova" or another variable.',
        ),
        # analysis
        (
            "primary: ancova",
            "primary: mmrm",
            12,
            'Method must be one that this version has, got "mmrm" (planned); write "ancova".',
        ),
        ("primary: ancova", "primary: anova", 12, 'Unknown analysis method "anova"; did you mean "ancova"?'),
        (
            "primary: ancova",
            "primary: log_ancova",
            11,
            'Method log_ancova compares ratios, and isi is a score or may be zero or negative; write "ancova".',
        ),
        (
            "primary: ancova",
            "primary: negative_binomial",
            11,
            'Method negative_binomial is for counts, and isi is none; write "ancova".',
        ),
        (
            "bifidobacterium, ",
            "{variable: bifidobacterium, method: mmrm}, ",
            12,
            'Method must be one that this version has, got "mmrm" (planned); write "ancova".',
        ),
        (
            "bifidobacterium, ",
            "{variable: bifidobacterium fold change, contrast: hmo - placebo}, ",
            12,
            'A fold change must be against the baseline, got hmo against placebo; write "hmo - baseline".',
        ),
        (
            "bifidobacterium, ",
            "isi, ",
            12,
            "An analysis must be planned once, got isi at week 8 against placebo again (primary); remove one.",
        ),
        (
            "bifidobacterium, ",
            "{family: x}, ",
            12,
            'A secondary analysis must have a variable, got none; write "variable: psqi".',
        ),
        (
            "secondary: holm",
            "secondary: hochberg",
            12,
            'Multiplicity must be a known procedure, got "hochberg"; known: holm, none',
        ),
        ("secondary: holm", "mood: holm", 12, 'No analysis is in family "mood"; known: primary, secondary'),
    ],
)
def test_one_broken_rule_gives_one_sentence_with_its_line(
    problems: Problems, old: str, new: str, line: int, message: str
) -> None:
    assert problems((old, new)) == [message + END.format(line)]


def test_the_example_of_the_design_reads_but_for_what_is_planned(problems: Problems, design_example: str) -> None:
    found = problems(text=design_example)
    assert found[0] == 'Method must be one that this version has, got "mmrm" (planned); write "ancova".' + END.format(
        12
    )
    assert found[1].startswith('Unknown outcome "..."')
    assert len(found) == 2
    assert problems() == []


def test_all_problems_at_once_in_the_order_of_lines(problems: Problems) -> None:
    found = problems(
        ("vagus: 1", "vagus: 3"),
        ("n: 120", "n: 2"),
        ("LNnT: 1 g/day", "LNnT: 1 mL"),
        ("12 %/8wk", "112 %/8wk"),
        ("ISI change", "PSQI change"),
        ("hmo - placebo", "hmo - plazebo"),
        ("primary: ancova", "primary: mmrm"),
        ("measures:", "extra: 1\nmeasures:"),
    )
    lines = [int(text.rpartition("line ")[2].rstrip(")")) for text in found]
    assert lines == [1, 3, 6, 8, 9, 12, 12, 13]


def test_repeated_keys_stand_beside_other_problems(problems: Problems) -> None:
    found = problems(("arms:\n", "arms:\n  hmo: {GOS: 1 g/day}\n"), ("n: 120", "n: x"))
    assert found == [
        'Number of people must be a whole number, got "x"; write "120".' + END.format(3),
        'A key must stand once, got "hmo" again (first in line 5); remove one.' + END.format(7),
    ]


def test_a_bad_arm_does_not_raise_doubts_about_the_control(problems: Problems) -> None:
    found = problems(("{2FL: 4 g/day, LNnT: 1 g/day}", "{2FL: 5 mL}"))
    assert found == ['Dose of arm \'hmo\' must be a mass per day, got "5 mL"; write "5 g/day".' + END.format(6)]


def test_the_sentence_of_the_design(problems: Problems) -> None:
    found = problems(("hmo:     {2FL: 4 g/day", "\n  2FL:     {2FL: 5 mL"), ("hmo - placebo", "2FL - placebo"))
    assert found == ['Dose of arm \'2FL\' must be a mass per day, got "5 mL"; write "5 g/day". (protocol.yaml, line 7)']


def test_missing_parts_are_all_named(problems: Problems) -> None:
    found = problems(text="vagus: 1\n")
    named = [text.split('"')[1] for text in found]
    assert named == ["trial", "population", "arms", "schedule", "measures", "estimands", "analysis"]


def test_visits_without_baseline(problems: Problems) -> None:
    found = problems(("[0, 4, 8, 10] wk", "[4, 8] wk"), ("[0, 8] wk", "[8] wk"))
    assert 'Visits must include the baseline, got none at 0; write "[0, 4, 8] wk".' + END.format(7) in found


def test_a_single_arm_trial_has_one_arm_and_compares_with_baseline(problems: Problems) -> None:
    single = ("design: parallel", "design: single-arm")
    assert 'A single-arm trial must have one arm, got 2; write "design: parallel".' + END.format(4) in problems(single)
    ok = (
        single,
        ("  placebo: {maltodextrin: 5 g/day}\n", ""),
        ("ISI change at 8 wk", "bifidobacterium fold change at 8 wk"),
        ("hmo - placebo", "hmo - baseline"),
        (
            "primary: ancova, secondary: [bifidobacterium, waso at 8 wk]",
            "primary: fold_change, secondary: [waso fold change]",
        ),
    )
    assert problems(*ok) == []


def test_an_arm_without_products_is_a_control(problems: Problems) -> None:
    assert problems(("placebo: {maltodextrin: 5 g/day}", "placebo:")) == []
    assert problems(("placebo: {maltodextrin: 5 g/day}", "placebo: {}")) == []


def test_values_in_messages_cannot_write_to_the_terminal(problems: Problems) -> None:
    found = problems(("id: hmo-sleep", 'id: "a\\e[31m\\nb"'))
    assert len(found) == 1
    assert found[0].isprintable()


def test_an_unknown_product_is_named_even_where_its_dose_is_wrong() -> None:
    text = bundled_text("hmo-sleep").replace(" maltodextrin: 5 g/day", " maltodextrim: 5 mL")
    with pytest.raises(InputError) as caught:
        parse(text, "mine.yaml")
    messages = [problem.message for problem in caught.value.problems]
    assert any('got "5 mL"' in message for message in messages)
    assert any('Unknown product "maltodextrim"' in message for message in messages)
