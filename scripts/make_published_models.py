"""Write the texts of published models that are made from reference files (src/vagus/model/published).

    python scripts/make_published_models.py [FOLDER_WITH_THE_SHARED_DATA]

- micropopgut: the numbers (not the files) of the R package microPop, as equations of one compartment that is used three
  times. Yields, rates, stoichiometry and pH windows are in the tables; the rest is in the paper.
- reynolds2006, stavrum2013: the SBML of BioModels (CC0), translated to Antimony without its annotations.
"""

from __future__ import annotations

import csv
import sys
from dataclasses import dataclass, field
from io import StringIO
from itertools import pairwise
from pathlib import Path
from textwrap import fill

import antimony

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "src" / "vagus" / "model" / "published"

# ---------------------------------------------------------------------- microPopGut

GROUPS = {
    "Bacteroides": "bacteroides",
    "ButyrateProducers1": "butyrate1",
    "ButyrateProducers2": "butyrate2",
    "ButyrateProducers3": "butyrate3",
    "LactateProducers": "lactate",
    "PropionateProducers": "propionate",
    "Methanogens": "methanogens",
    "NoButyFibreDeg": "fiber",
    "NoButyStarchDeg": "starch",
    "Acetogens": "acetogens",
}
#: What microPopGut changes in the tables of microPop.
WINDOWS = {"LactateProducers": ("4.5", "5.25", "7.2", "7.95")}
RATES = {("LactateProducers", 1, "RS"): "7"}
HALF_SATURATION = "0.001"  # g/l, the same for every group and resource
SHARED_ACIDS = ("Acetate", "Propionate", "Butyrate")


@dataclass
class Path_:
    """One way of a group to grow: resource -> (stoichiometry, maximal rate, yield) by role."""

    group: str
    number: int
    key: str
    not_boosted: str
    roles: dict[str, dict[str, tuple[str, str, str]]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{GROUPS[self.group]}_{self.number}"


def read_table(file: Path) -> list[list[str]]:
    """Return the cells of a table."""
    return list(csv.reader(StringIO(file.read_text(encoding="utf-8"))))


def read_group(folder: Path, group: str) -> tuple[tuple[str, ...], list[Path_]]:
    """Return a group's pH window and its paths."""
    lines = read_table(folder / f"{group}.csv")
    resources = lines[0][2:]
    cells = {line[0]: line[2:] for line in lines[1:] if line and line[0]}
    window = WINDOWS.get(group, tuple(cells["pHcorners"][:4]))
    paths = []
    for number in range(1, int(cells["numPathways"][0]) + 1):
        end = "" if number == 1 else f".{number}"

        def cell(row: str, place: int, end: str = end) -> str:
            return cells[row + end][place]

        boost = cells.get(f"nonBoostFrac{end}", ["1"])[0]
        path = Path_(group, number, cell("keyResource", 0), boost)
        for place, resource in enumerate(resources):
            role = cell("Rtype", place)
            if role == "X":
                continue
            assert cell("halfSat", place) in (HALF_SATURATION, "NA", "")
            rate = RATES.get((group, number, resource), cell("maxGrowthRate", place))
            path.roles.setdefault(role, {})[resource] = (cell("stoichiom", place), rate, cell("yield", place))
        paths.append(path)
    return window, paths


class Box:
    """The text of one compartment."""

    def __init__(self, molar: dict[str, str]) -> None:
        self.molar = molar
        self.lines: list[str] = []
        self.terms: dict[str, list[str]] = {}

    def mass(self, resource: str, stoichiometry: str) -> str:
        return f"M_{resource}" if stoichiometry == "1" else f"{stoichiometry} * M_{resource}"

    def masses(self, role: dict[str, tuple[str, str, str]]) -> str:
        return " + ".join(self.mass(resource, stoichiometry) for resource, (stoichiometry, _, _) in role.items())

    def add_path(self, path: Path_) -> str:
        """Write one path; return the name of its specific growth."""
        name, roles = path.name, path.roles
        substitutable, essential = roles.get("S", {}), roles.get("Se", {})
        boosting, water, products = roles.get("Sb", {}), roles.get("Sw", {}), roles.get("P", {})
        needs = " * ".join(f"{r} / (k + {r})" for r in essential)
        say = self.lines.append
        if substitutable:
            total = " + ".join(substitutable)
            growth = " + ".join(f"{rate} * {r}" for r, (_, rate, _) in substitutable.items())
            uptake = " + ".join(f"{rate} / {y} * {r}" for r, (_, rate, y) in substitutable.items())
            say(f"  {name}_room := window_{GROUPS[path.group]} / (k + {total}){' * ' + needs if needs else ''};")
            boost = ""
            if boosting:
                (helper,) = boosting
                say(f"  {name}_help := {helper} / (k + {helper});")
                say(f"  {name}_boost := {path.not_boosted} + (1 - {path.not_boosted}) * {name}_help;")
                boost = f" * {name}_boost"
            say(f"  {name} := {name}_room * ({growth}){boost};")
            say(f"  {name}_use := {name}_room * ({uptake});")
            parts = [f"{name}_use{boost}"]
            for r, (_, rate, y) in substitutable.items():
                self.take(r, path, f"{name}_room * {rate} / {y} * {r}{boost}")
            # mass for each mass of the substitutable ones, which count by their mean
            per = f"{len(substitutable)} / ({self.masses(substitutable)})"
            for r, (s, _, _) in essential.items():
                parts.append(f"{name}_use * {self.mass(r, s)} * {per}")
                self.take(r, path, parts[-1])
            for r, (s, _, _) in boosting.items():
                amount = f"{name}_use * (1 - {path.not_boosted}) * {name}_help * {self.mass(r, s)} * {per}"
                parts.append(amount)
                self.take(r, path, amount)
        else:
            stoichiometry, rate, y = essential[path.key]
            say(f"  {name} := window_{GROUPS[path.group]} * {rate} * {needs};")
            parts = []
            for r, (s, _, _) in essential.items():
                ratio = "" if r == path.key else f" * {self.mass(r, s)} / ({self.mass(path.key, stoichiometry)})"
                parts.append(f"{name} / {y}{ratio}")
                self.take(r, path, parts[-1])
        eaten = " + ".join(parts)
        if water:
            ((w, (s, _, _)),) = water.items()
            basis = [f"({self.masses(substitutable)}) / {len(substitutable)}", self.masses(essential | boosting)]
            say(f"  {name}_water := ({eaten}) * {self.mass(w, s)} / ({' + '.join(part for part in basis if part)});")
            self.take(w, path, f"{name}_water")
            eaten = f"{eaten} + {name}_water"
        say(f"  {name}_out := max(0, {eaten} - {name}) / ({self.masses(products)});")
        for r, (s, _, _) in products.items():
            self.give(r, path, f"{name}_out * {self.mass(r, s)}")
        return name

    def take(self, resource: str, path: Path_, amount: str) -> None:
        self.terms.setdefault(resource, []).append(f"- {path.name}_share * {amount}")

    def give(self, resource: str, path: Path_, amount: str) -> None:
        self.terms.setdefault(resource, []).append(f"+ {path.name}_share * {amount}")


def settings(values: dict[str, str]) -> str:
    """Return assignments of numbers, several a line."""
    return fill(
        " ".join(f"{name}={value};" for name, value in values.items()), 118, initial_indent="  ", subsequent_indent="  "
    ).replace("=", " = ")


def micropopgut(folder: Path) -> str:
    """Return the text of microPopGut."""
    table = read_table(folder / "resourceSysInfoHuman.csv")
    masses = {line[0]: line[2:] for line in table[1:] if line and line[0]}["molarMass"]
    molar = dict(zip(table[0][2:], masses))
    box = Box(molar)
    groups = {group: read_group(folder, group) for group in GROUPS}
    for group, (window, paths) in groups.items():
        short = GROUPS[group]
        box.lines.append(f"\n  // {group}")
        low, full, still, high = window
        ends = f"(pH - {low}) / ({full} - {low}), ({high} - pH) / ({high} - {still})"
        box.lines.append(f"  window_{short} := max(0, min(1, min({ends})));")
        names = [box.add_path(path) for path in paths]
        for name in names:
            # a path's part of the group, by its growth; the small number keeps 0 / 0 away
            part = "" if len(names) == 1 else f" * {name} / ({' + '.join(names)} + 1e-30)"
            box.lines.append(f"  {name}_share := X_{short}{part};")
        growth = " + ".join(f"{name}_share * {name}" for name in names)
        box.lines.append(f"  X_{short}' = in_{short} + {growth} - washout * X_{short};")
    resources = [name for name in molar if name in box.terms]
    body = "\n".join(box.lines)
    extra = {
        "Protein": "+ 0.2 * mucin",
        "RS": "+ 0.375 * mucin",
        "NSP": "+ 0.375 * mucin",
        **{acid: f"- acid_absorption * {acid}" for acid in SHARED_ACIDS},
        "H2O": "- water_absorption * H2O",
    }
    rates = "\n".join(
        " \\\n    ".join([f"  {name}' = in_{name} - washout * {name} {extra.get(name, '')}".rstrip(), *box.terms[name]])
        + ";"
        for name in resources
    )
    start = {"RS": "0.78", "NSP": "0.22", "Protein": "1", "H2O": "100", "CO2": "10"}
    start |= {"Acetate": "0.3606", "Propionate": "0.1482", "Butyrate": "0.1762"}
    shorts = list(GROUPS.values())
    states = [*(f"X_{name}" for name in shorts), *resources]
    first = settings({f"X_{name}": "1" for name in shorts})
    second = settings({name: start.get(name, "0") for name in resources})
    inputs = settings({f"in_{name}": "0" for name in (*shorts, *resources)})
    constants = settings({f"M_{name}": molar[name] for name in resources})
    leaving = "\n".join(f"  out_{name.removeprefix('X_')} := washout * {name};" for name in states)
    boxes = ("proximal", "transverse", "distal")
    links = []
    for before, after in pairwise(boxes):
        for name in states:
            links.append(f"  {after}.in_{name.removeprefix('X_')} is {before}.out_{name.removeprefix('X_')};")
    text_links = "\n".join(links)
    return f"""// microPopGut: ten groups of microbes and {len(resources)} resources in three compartments of the colon
// (Kettle 2022, on microPop, doi:10.1111/2041-210X.12873). Grams, liters and days.
// Written by scripts/make_published_models.py.
model compartment_of_colon()
  box_volume = 1; whole_volume = 3.02; transit = 1;                // [l], [l], [d]
  water_absorption = 3; acid_absorption = 9.6;                 // [1/d]
  mucin_inflow = 5; K_mucin = 0.5;                             // [g/d], [g/l]
  K = {HALF_SATURATION};                                                   // half saturation of every use [g/l]
  // molar masses [g/mol]
{constants}
  // inflows [g/d]
{inputs}

  fraction := box_volume / whole_volume;
  washout := 1 / (fraction * transit);
  water := H2O / 1000;                                         // [l]
  k := K * water;
  tscfa := 1000 * (Acetate / M_Acetate + Propionate / M_Propionate + Butyrate / M_Butyrate) / water;  // [mM]
  pH := max(5, min(8, 8.02 - 0.0174 * tscfa));
  degraders := X_bacteroides + X_fiber;
  mucin := mucin_inflow * fraction * degraders / (degraders + K_mucin * water);  // [g/d]
  microbes := {" + ".join(states[: len(shorts)])};
{body}

  // resources [g/d]
{rates}

  // what leaves [g/d]
{leaving}

  // reported
  acetate_mM := 1000 * Acetate / M_Acetate / water;
  propionate_mM := 1000 * Propionate / M_Propionate / water;
  butyrate_mM := 1000 * Butyrate / M_Butyrate / water;
  succinate_mM := 1000 * Succinate / M_Succinate / water;
  out_microbes := washout * microbes;                          // [g/d]
  lactate_producers := X_lactate / microbes;                   // share; the bifidobacteria of this model

  // start [g]
{first}
{second}
end

model *micropopgut()
  transit = 1;
  proximal: compartment_of_colon(); transverse: compartment_of_colon(); distal: compartment_of_colon();
  proximal.box_volume = 0.41; transverse.box_volume = 0.98; distal.box_volume = 1.63;
  proximal.transit is transit; transverse.transit is transit; distal.transit is transit;
  proximal.in_Protein = 10; proximal.in_RS = 39; proximal.in_NSP = 11; proximal.in_H2O = 1100;
{text_links}
end
"""


# ---------------------------------------------------------------------- BioModels

BIOMODELS = {
    "reynolds2006": (
        "BIOMD0000000714",
        "Acute inflammatory response in four variables: Reynolds 2006 (PMID 16584750), from BioModels BIOMD0000000714\n"
        "// (CC0). Pathogen, activated phagocytes, damage, anti-inflammatory mediators; hours, scaled.",
    ),
    "stavrum2013": (
        "BIOMD0000000602",
        "Tryptophan metabolism of the liver: Stavrum 2013 (PMID 24129579), from BioModels BIOMD0000000602 (CC0).\n"
        "// Names and units are those of the file; `M_` is a metabolite, reactions carry KEGG numbers or enzyme names.",
    ),
}


def translated(file: Path, name: str, heading: str) -> str:
    """Return an SBML file as Antimony, without display names, annotations and notes."""
    antimony.clearPreviousLoads()
    if antimony.loadSBMLFile(str(file)) < 0:
        raise SystemExit(antimony.getLastError())
    main = antimony.getMainModuleName()
    lines = antimony.getAntimonyString(main).splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("model "))
    kept, dropping = [f"// {heading}", f"model {name}()"], False
    for line in lines[first + 1 :]:
        if line == "end":
            break
        if line.startswith("  // "):
            dropping = line.strip(" /:") in {"Unit definitions", "Display Names", "CV terms", "Notes"}
        if not dropping:
            kept.append(line.rstrip())
    while not kept[-1]:
        kept.pop()
    return "\n".join([*kept, "end", ""])


def main(shared: Path) -> None:
    sources = shared / "model" / "sources"
    texts = {"micropopgut": micropopgut(sources / "micropop")}
    for name, (identifier, heading) in BIOMODELS.items():
        texts[name] = translated(sources / "sbml" / f"{identifier}.xml", name, heading)
    for name, text in texts.items():
        folder = FOLDER / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.ant").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared")
