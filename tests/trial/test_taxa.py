"""Names of taxa as tools write them."""

from __future__ import annotations

import pytest

from vagus.trial.taxa import columns_of_genus, genus_of


@pytest.mark.parametrize(
    "name",
    [
        "Bifidobacterium",
        "Bifidobacterium longum",
        "Bifidobacterium_longum",
        "Bifidobacterium-longum-subsp.-infantis-ATCC-15697",
        "g__Bifidobacterium",
        "g_Bifidobacterium",
        "s__Bifidobacterium_longum",
        "k__Bacteria;p__Actinobacteria;c__Actinobacteria;o__Bifidobacteriales;f__Bifidobacteriaceae;g__Bifidobacterium;s__",
        "d__Bacteria; p__Actinobacteriota; f__Bifidobacteriaceae; g__Bifidobacterium; s__uncultured_bacterium",
        "k__Bacteria|p__Actinobacteria|g__Bifidobacterium|s__Bifidobacterium_longum|t__SGB17248",
        "D_0__Bacteria;D_1__Actinobacteria;D_4__Bifidobacteriaceae;D_5__Bifidobacterium;D_6__uncultured",
        "Bacteria;Actinobacteriota;Actinobacteria;Bifidobacteriales;Bifidobacteriaceae;Bifidobacterium;uncultured",
        "Bacteria(100);Actinobacteria(100);Actinobacteria(99);Bifidobacteriales(99);Bifidobacteriaceae(99);Bifidobacterium(98);",
        '"Bifidobacterium"',
        "Bifidobacterium_B",
    ],
)
def test_bifidobacterium_in_every_dialect(name):
    assert genus_of(name) == "Bifidobacterium"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Bifidobacteriaceae",
        "Bifidobacteriales",
        "k__Bacteria;p__Actinobacteria;f__Bifidobacteriaceae;g__;s__",
        "d__Bacteria;p__Actinobacteriota;f__Bifidobacteriaceae;__;__",
        "Unassigned",
        "gut-metagenome",
        "Clostridiales-bacterium-42_27",
        "uncultured bacterium",
        "f_Lachnospiraceae_unclassified",
        "Firmicutes",
        "UCG-005",
        "other_rare",
        "Bacteria;Actinobacteriota",
    ],
)
def test_names_without_a_genus(name):
    assert genus_of(name) is None


def test_neighbours_are_not_taken_for_it():
    taxa = ["Bifidobacterium", "Bifidobacteriaceae", "Bilophila", "Pseudobifidobacterium", "Parascardovia"]
    assert columns_of_genus(taxa, "Bifidobacterium") == ["Bifidobacterium"]
    assert genus_of("[Eubacterium] hallii group") == "Eubacterium"
    assert genus_of("Candidatus-Stoquefichus") == "Candidatus Stoquefichus"
