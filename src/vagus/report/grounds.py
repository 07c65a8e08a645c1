"""What an answer rests on: links of the axis by evidence, and the trials that calibrated it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from vagus.evidence import published_rows
from vagus.model import parameter_tables
from vagus.model.couplings import Coupling, couplings, nodes
from vagus.protocol import Protocol, products
from vagus.protocol.product import PARTS
from vagus.report.content import AxisEdge, Link

#: Node of the axis that carries an outcome; outcomes outside this list hang on mood.
NODE_OF = {
    "psqi": "sleep_quality",
    "isi": "sleep_quality",
    "tst_diary_h": "sleep_quality",
    "tst_actigraphy_h": "sleep_quality",
    "sleep_latency_diary_min": "sleep_quality",
    "waso_actigraphy_min": "awakenings",
    "night_awakenings_n": "awakenings",
    "ibs_sss": "ibs",
    "bifidobacterium_rel_abundance_pct": "bifidobacterium",
    "faecal_acetate_mmol_kg": "scfa",
    "faecal_propionate_mmol_kg": "scfa",
    "faecal_butyrate_mmol_kg": "scfa",
    "plasma_il6_pg_ml": "il6",
    "plasma_tnf_pg_ml": "tnf",
    "crp_mg_l": "crp",
    "car_auc_i_nmol_min_l": "cortisol",
    "car_auc_g_nmol_min_l": "cortisol",
    "car_peak_increase_nmol_l": "cortisol",
    "cortisol_awakening_nmol_l": "cortisol",
}
#: Studies that set a value of the model (marked "calibrated" in the tables) and are a trial.
CALIBRATION_TRIALS = ("adult2fl",)


#: Where a product enters, for parts of products that do not become food of bacteria.
ENTRY_OF = {part.state: part.state for name, part in PARTS.items() if name in ("lactoferrin", "vitamin_d", "magnesium")}


def links_in_play(protocol: Protocol, links: Sequence[Coupling] | None = None) -> tuple[Coupling, ...]:
    """Return the links on any way from the products of a trial, which become the node ``product``.

    Magnesium's way to sleep is none of the grounds of a trial of fibers.
    """
    live = [link for link in links or couplings() if link.sign != "0"]
    known = products()
    doses = [dose for arm in protocol.arms.values() for dose in arm.doses if not known[dose.product].comparator]
    states = {PARTS[part].state for dose in doses for part in known[dose.product].composition}
    entries = {ENTRY_OF.get(state, "product") for state in states} or {"product"}
    reached, grew = set(entries), True
    while grew:
        more = {link.target for link in live if link.source in reached} - reached
        reached |= more
        grew = bool(more)
    return tuple(
        replace(link, source="product") if link.source in entries else link for link in live if link.source in reached
    )


def links_to(outcome: str, links: Sequence[Coupling] | None = None) -> tuple[Coupling, ...]:
    """Return the links on any way from the product to an outcome, those that are off left out.

    `links` are all links of the model, the shipped ones by default; so in all functions of this module.
    """
    live = [link for link in links or couplings() if link.sign != "0"]
    reached, grew = {NODE_OF.get(outcome, "mood")}, True
    while grew:
        more = {link.source for link in live if link.target in reached} - reached
        reached |= more
        grew = bool(more)
    return tuple(link for link in live if link.target in reached)


def calibrated_on() -> tuple[str, ...]:
    """Return the trials behind values that were set to meet a trial."""
    table = parameter_tables()
    used = set(table.loc[table["calibrated"] == "yes", "study_id"])
    return tuple(name for name in CALIBRATION_TRIALS if name in used)


def rests_on_sentence(outcome: str, label: str, model_links: Sequence[Coupling] | None = None) -> str:
    """Say how many links lead to an outcome and how many of them carry human evidence.

    Examples
    --------
    >>> rests_on_sentence("bifidobacterium_rel_abundance_pct", "Bifidobacterium")[:32]
    'The answer for Bifidobacterium r'
    """
    links = links_to(outcome, model_links)
    adult = sum(link.evidence == "adult human" and link.status == "measured" for link in links)
    prior = sum(link.status == "prior only" for link in links)
    contested = sum(link.status == "contested" for link in links)
    measured = [
        f"{trial} ({', '.join(sorted({row.outcome for row in published_rows(trial)}))})" for trial in calibrated_on()
    ]
    return (
        f"The answer for {label} rests on {len(links)} {'link' if len(links) == 1 else 'links'} from product to "
        "outcome: "
        f"{adult} measured in adults, {prior} with no data that fix their size, {contested} contested. "
        f"The model is calibrated on {len(measured)} trial{'' if len(measured) == 1 else 's'}: {'; '.join(measured)}."
    )


def report_links(
    outcome: str, labels: dict[str, str], texts: dict[str, str], links: Sequence[Coupling] | None = None
) -> list[Link]:
    """Return the links to an outcome for the report, labels and references filled in."""
    return [
        Link(
            source=labels.get(link.source, link.source.replace("_", " ")),
            target=labels.get(link.target, link.target.replace("_", " ")),
            grade=link.grade,
            human=link.human,
            sign=link.sign,
            citation=f"{link.description} ({texts.get(link.study_id, link.study_id)})",
            prior_only="contested" if link.status == "contested" else link.status == "prior only",
        )
        for link in links_to(outcome, links)
    ]


def diagram_edges(links: Sequence[Coupling] | None = None) -> list[AxisEdge]:
    """Return the arrows between the nodes of the diagram."""
    known = {node.node for node in nodes()}
    return [
        AxisEdge(link.source, link.target, link.sign, link.grade, link.human)
        for link in links or couplings()
        if link.source in known and link.target in known and link.sign != "0"
    ]


@cache
def node_evidence(node: str, links: tuple[Coupling, ...] | None = None) -> tuple[str, bool]:
    """Return how well a quantity is tied to the product: the grade of the weakest link on the best way to it.

    Returns
    -------
    grade : str
        A to D; D where no way leads to the node.
    human : bool
        Whether some way consists of links with human evidence alone.

    Examples
    --------
    >>> node_evidence("bifidobacterium"), node_evidence("serotonin")
    (('A', True), ('C', False))
    """
    best = {"product": "A"}
    by_people = {"product"}
    live = [link for link in links or couplings() if link.sign != "0"]
    for _ in nodes():
        for link in live:
            if link.source in best:
                grade = max(best[link.source], link.grade)
                best[link.target] = min(grade, best.get(link.target, "D"))
            if link.source in by_people and link.human:
                by_people.add(link.target)
    return best.get(node, "D"), node in by_people
