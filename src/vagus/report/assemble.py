"""From an answer to the content of its report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vagus.analysis import EffectEstimate, Verdict
from vagus.evidence import Citation as Cited
from vagus.evidence import PublishedRow, cite
from vagus.evidence.citations import references
from vagus.model.checks import known_references
from vagus.model.couplings import Coupling, couplings_of, nodes
from vagus.model.scope import mechanisms
from vagus.model.switches import describe_values
from vagus.protocol import Protocol, products
from vagus.report.content import (
    ArmBand,
    AxisDiagram,
    AxisNode,
    Citation,
    EndpointRow,
    Panel,
    ReportContent,
    RestsOn,
    Section,
    Share,
)
from vagus.report.grounds import calibrated_on, diagram_edges, links_in_play, links_to, node_evidence, report_links
from vagus.trial import TrialData, outcome

if TYPE_CHECKING:
    from vagus.design import Prediction
    from vagus.model import ComposedModel

Array = NDArray[np.float64]

#: Panels of a simulated run: variable, title, unit, factor.
PANELS = (
    ("bif_fraction", "Bifidobacterium", "% of gut bacteria", 100.0),
    ("tscfa_mM", "Short-chain fatty acids in the colon", "mM", 1.0),
    ("il6_pg_ml", "IL-6", "pg/ml", 1.0),
    ("car_30", "Cortisol 30 min after waking", "nmol/l", 1.0),
    ("mood_shift_mech", "Low mood: shift by known mechanisms", "SD", 1.0),
    ("mood_shift_direct", "Low mood: shift by the direct, unexplained path", "SD", 1.0),
    ("sleep_shift_mech", "Sleep complaint: shift by known mechanisms", "SD", 1.0),
    ("sleep_shift_direct", "Sleep complaint: shift by the direct, unexplained path", "SD", 1.0),
)
#: Panels that come first where a product brings it: state that is dosed -> panel.
PANELS_OF_DOSE = {
    "oral_vitamin_d": ("vitamin_d_nmol_l", "Vitamin D in blood (25-hydroxyvitamin D)", "nmol/l", 1.0),
    "oral_magnesium": ("magnesium_mmol_l", "Magnesium in blood", "mmol/l", 1.0),
}
LIMITS = (
    "Most links between gut and brain have never been measured in people; their strength is a prior, and the "
    "interval shows it.",
    "The path from Bifidobacterium to mood that EFFICAD suggests is a correlation; it enters as a direct effect "
    "centered on none.",
    "The model holds adults of working age and older; no infants, no pregnancy, no drug effects, no sleep stages.",
    "Antibiotics are recorded and set aside as the protocol says; their effect on the microbiome is not simulated.",
    "Spread between studies is not yet part of the interval.",
    "Held against a trial that it was not fitted to (Baxter 2019), the model overstates the rise of butyrate on inulin "
    "and maize starch and misses that of Bifidobacterium on potato starch.",
)


def simulated_content(
    protocol: Protocol,
    verdict: Verdict,
    estimates: Sequence[EffectEstimate],
    apart: Sequence[PublishedRow],
    rests_on: str,
    notes: Sequence[str],
    data: TrialData,
    prediction: Prediction,
    provenance: Mapping[str, str],
    axis: ComposedModel | None = None,
) -> ReportContent:
    """Return the report of a simulated run.

    Parameters
    ----------
    protocol : Protocol
        The trial.
    verdict : Verdict
        On the primary contrast.
    estimates : sequence of EffectEstimate
        Predicted effects, published results beside them.
    apart : sequence of PublishedRow
        Published rows that are no arm effect.
    rests_on : str
        What it rests on, in words.
    notes : sequence of str
        Of the analysis.
    data : TrialData
        The simulated trial.
    prediction : Prediction
        Trajectories and draws.
    provenance : mapping of str to str
        Version, hashes, seed.
    axis : ComposedModel, optional
        The model of the run; the shipped one as it stands by default.
    """
    primary = estimates[0]
    links = links_in_play(protocol, None if axis is None else couplings_of(axis))
    texts = {key: text for key, (text, _) in (known_references(axis.library) if axis else references()).items()}
    labels = {node.node: node.label for node in nodes()} | {"product": "Product"}
    return ReportContent(
        title=protocol.title,
        subtitle=_subtitle(protocol, prediction),
        kind="simulated",
        verdict=verdict,
        rests_on=RestsOn(rests_on, report_links(primary.outcome, labels, texts, links), list(calibrated_on())),
        axis=_axis(protocol, prediction, primary.arm, links),
        trajectories=_panels(protocol, prediction),
        endpoints=[_endpoint(protocol, estimate) for estimate in estimates],
        published_apart=[row.apart() for row in apart],
        uncertainty=_shares(estimates),
        flow=_flow(protocol, data, primary),
        methods=_methods(protocol, prediction, notes, axis),
        limits=LIMITS,
        left_out=_left_out(),
        provenance=dict(provenance),
        citations=_citations(protocol, primary.outcome, links, axis),
        chosen_arm=primary.arm,
    )


def _left_out() -> list[tuple[str, str, str]]:
    words = {"not modelled": "not modelled", "switch": "off unless switched on", "evidence only": "evidence only"}
    return [
        (item.mechanism, words[item.treatment], item.reason)
        for treatment in words
        for item in mechanisms()
        if item.treatment == treatment
    ]


def real_content(
    protocol: Protocol,
    verdict: Verdict,
    estimates: Sequence[EffectEstimate],
    apart: Sequence[PublishedRow],
    rests_on: str,
    notes: Sequence[str],
    data: TrialData,
    provenance: Mapping[str, str],
) -> ReportContent:
    """Return the report of a real trial's analysis; arguments as in `simulated_content`."""
    methods = [
        Section("Analysis", sorted({estimate.method for estimate in estimates if estimate.method})),
        Section("Data", list(notes) or ["Nothing was dropped, merged or converted."]),
    ]
    return ReportContent(
        title=protocol.title,
        subtitle=(
            f"Analysis of {'trial' if data.truth is None else 'simulated'} data, {len(data.subjects)} subjects in "
            f"{data.subjects['arm'].nunique()} arms."
        ),
        kind="real",
        verdict=verdict,
        rests_on=RestsOn(rests_on),
        trajectories=_observed_panels(protocol, data, estimates),
        endpoints=[_endpoint(protocol, estimate) for estimate in estimates],
        published_apart=[row.apart() for row in apart],
        flow=_flow(protocol, data, estimates[0]),
        methods=methods,
        limits=["The probabilities of the verdict read the estimate with a flat prior."],
        provenance=dict(provenance),
        citations=_citations(protocol, None),
        chosen_arm=estimates[0].arm,
    )


def _subtitle(protocol: Protocol, prediction: Prediction) -> str:
    sizes = " + ".join(str(size) for size in protocol.arm_sizes().values())
    return (
        f"{protocol.population.n} virtual people ({sizes}), {protocol.schedule.treat_days:g} days of "
        f"treatment, {prediction.draws} parameter draws."
    )


def _axis(protocol: Protocol, prediction: Prediction, arm: str, links: tuple[Coupling, ...]) -> AxisDiagram | None:
    if arm not in prediction.axis:
        return None
    found = []
    for node in nodes():
        values = prediction.axis[arm][node.node]
        low95, low50, middle, high50, high95 = np.quantile(values, [0.025, 0.25, 0.5, 0.75, 0.975])
        grade, human = node_evidence(node.node, links)
        found.append(
            AxisNode(
                id=node.node,
                label=node.label,
                column=node.column,
                median=float(middle),
                lo50=float(low50),
                hi50=float(high50),
                lo95=float(low95),
                hi95=float(high95),
                unit="SD",
                grade=grade,
                human=human,
                p_positive=float(np.mean(values > 0)),
            )
        )
    label = protocol.arms[arm].label
    caption = (
        f"Change of the mean person under {label} against {protocol.arms[protocol.control].label} at the end of "
        "treatment, in SD between people; intervals are those of the parameter draws. Evidence: the weakest link on "
        "the best way from the product. Low mood and what follows it hold the direct, unexplained path as well; the "
        "courses below show it apart."
    )
    return AxisDiagram(caption, list(dict.fromkeys(node.column for node in nodes())), found, diagram_edges(links))


def _panels(protocol: Protocol, prediction: Prediction) -> list[Panel]:
    panels = []
    known = products()
    dosed = {state for arm in protocol.arms.values() for dose in arm.doses for state in known[dose.product].added(1.0)}
    for name, title, unit, factor in (*(panel for state, panel in PANELS_OF_DOSE.items() if state in dosed), *PANELS):
        bands = []
        for arm, rows in prediction.bands[name].items():
            levels = np.quantile(factor * rows, [0.025, 0.25, 0.5, 0.75, 0.975], axis=0)
            bands.append(
                ArmBand(
                    arm=arm,
                    label=protocol.arms[arm].label,
                    is_control=arm == protocol.control,
                    days=[float(day) for day in prediction.days],
                    median=levels[2].tolist(),
                    lo50=levels[1].tolist(),
                    hi50=levels[3].tolist(),
                    lo95=levels[0].tolist(),
                    hi95=levels[4].tolist(),
                )
            )
        end = protocol.schedule.treat_days
        panels.append(Panel(title, unit, "day of treatment", 0.0, end, bands, "of means"))
    return panels


def _observed_panels(protocol: Protocol, data: TrialData, estimates: Sequence[EffectEstimate]) -> list[Panel]:
    panels = []
    for name in dict.fromkeys(estimate.outcome for estimate in estimates):
        rows = data.outcomes[(data.outcomes["outcome"] == name) & data.outcomes["value"].notna()]
        known = outcome(name)
        if rows.empty:
            continue
        log = known.scale == "positive"
        bands = [
            band for arm in protocol.arms if (band := _observed_band(protocol, rows[rows["arm"] == arm], arm, log))
        ]
        center = "geometric mean" if log else "mean"
        panels.append(Panel(known.label, known.unit, "day of treatment", 0.0, None, bands, "of means", center))
    return panels


def _observed_band(protocol: Protocol, rows: pd.DataFrame, arm: str, log: bool) -> ArmBand | None:
    if rows.empty:
        return None
    days, middle, low, high = [], [], [], []
    for _, visit in sorted(rows.groupby("visit", sort=False), key=lambda item: _first_day(item[1])):
        values = visit["value"].to_numpy(float)
        if log:
            values = np.log(values[values > 0])
        if len(values) < 2:
            continue
        mean, half = float(values.mean()), 1.96 * float(values.std(ddof=1)) / math.sqrt(len(values))
        back = math.exp if log else float
        days.append(_first_day(visit))
        middle.append(back(mean))
        low.append(back(mean - half))
        high.append(back(mean + half))
    return ArmBand(arm, protocol.arms[arm].label, arm == protocol.control, days, middle, [], [], low, high)


def _first_day(rows: pd.DataFrame) -> float:
    day = pd.to_numeric(rows["day"], errors="coerce").min()
    return 0.0 if pd.isna(day) else float(day)


def _endpoint(protocol: Protocol, estimate: EffectEstimate) -> EndpointRow:
    known = outcome(estimate.outcome)
    details: Mapping[str, Any] = estimate.details
    contrast = estimate.contrast if estimate.contrast == "baseline" else protocol.arms[estimate.contrast].label
    return EndpointRow(
        outcome_label=known.label,
        unit=known.unit,
        arm_label=protocol.arms[estimate.arm].label,
        contrast=contrast,
        visit=estimate.visit,
        statistic=estimate.statistic,
        estimate=estimate.estimate,
        ci_low=estimate.ci_low,
        ci_high=estimate.ci_high,
        lo50=details.get("ci50_low"),
        hi50=details.get("ci50_high"),
        p_value=estimate.p_value,
        n=estimate.n,
        published=estimate.published,
        simulated_trial=details.get("simulated_trial"),
        p_adjusted=estimate.p_adjusted,
        benefit=known.benefit,
        paths=details.get("paths"),
    )


def _shares(estimates: Sequence[EffectEstimate]) -> list[Share]:
    first: dict[str, EffectEstimate] = {}
    for estimate in estimates:
        first.setdefault(estimate.outcome, estimate)
    return [
        Share(outcome(name).label, component, float(share))
        for name, estimate in first.items()
        for component, share in estimate.details.get("uncertainty", {}).items()
    ]


def _flow(protocol: Protocol, data: TrialData, primary: EffectEstimate) -> list[tuple[str, int, int, int]]:
    rows = data.outcomes[(data.outcomes["outcome"] == primary.outcome) & (data.outcomes["visit"] == primary.visit)]
    left = set(data.events.loc[data.events["event"] == "dropout", "subject_id"]) if len(data.events) else set()
    flow = []
    for arm in protocol.arms:
        people = data.subjects[data.subjects["arm"] == arm]["subject_id"]
        complete = rows[(rows["arm"] == arm) & rows["value"].notna() & rows["baseline"].notna()]
        flow.append((protocol.arms[arm].label, len(people), int((~people.isin(left)).sum()), len(complete)))
    return flow


def _methods(
    protocol: Protocol, prediction: Prediction, notes: Sequence[str], axis: ComposedModel | None
) -> list[Section]:
    people = (
        f"{protocol.population.n} virtual people were drawn from the population {protocol.population.source} and "
        "screened with the protocol's entry criteria. Each starts at the own baseline microbiome as an exact steady "
        "state and at the own body clock, and is simulated under every arm, so that both potential outcomes are known."
    )
    draws = (
        f"The central parameters were used for everybody; {prediction.draws} draws of all uncertain parameters were "
        f"each simulated in {prediction.people_per_draw} people. {prediction.failed} of {prediction.simulated} "
        "simulations failed."
    )
    reading = (
        "An endpoint's estimate is the mean true effect over the draws. Its 95 % interval is where the estimate of one "
        "trial of this size would fall: uncertain parameters and sampling of people, days and measurement together."
    )
    doses = [
        f"{arm.label}: "
        + (", ".join(f"{products()[dose.product].name} {dose.text}" for dose in arm.doses) or "nothing")
        for arm in protocol.arms.values()
    ]
    return [
        Section("People and simulation", [people, draws, reading, *_numerics(prediction)]),
        *_model_section(protocol, axis),
        Section("Arms", doses),
        Section("Analysis of the simulated trial", list(notes) or ["Everybody had every value."]),
    ]


def _numerics(prediction: Prediction) -> list[str]:
    """Say how exactly the equations were integrated."""
    if prediction.precision is None:
        return []
    work = prediction.work
    return [f"The equations were integrated in {prediction.precision.sentence}. {work.sentence}, {work.steps} steps."]


def _model_section(protocol: Protocol, axis: ComposedModel | None) -> list[Section]:
    """Say what of the model is not as it ships: a user's own submodels, values that the protocol sets."""
    if axis is None:
        return []
    words = []
    if own := axis.library.describe():
        words.append(f"Not all submodels are the shipped ones: {own}.")
    if protocol.model:
        words.append(f"Set by the protocol: {'; '.join(describe_values(protocol.model, axis.library))}.")
    return [Section("Model", words)] if words else []


def _citations(
    protocol: Protocol,
    primary: str | None,
    links: tuple[Coupling, ...] | None = None,
    axis: ComposedModel | None = None,
) -> list[Citation]:
    reasons: dict[str, tuple[str, ...]] = {}
    if protocol.published:
        reasons[protocol.published] = ("published results set beside the predictions",)
    if primary is not None:
        for link in links_to(primary, links):
            reasons[link.study_id] = (*reasons.get(link.study_id, ()), link.description)
    cited: tuple[Cited, ...] = cite(reasons, known_references(axis.library) if axis else None)
    return [Citation(item.key, item.text, "; ".join(item.reasons), item.doi) for item in cited]
