"""Names of taxa as sequencing tools write them, read down to the genus."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

#: Names above the genus that carry no telling ending.
_HIGHER_NAMES = (
    "Actinobacteria Actinobacteriota Actinomycetota Archaea Bacilli Bacillota Bacteria Bacteroidetes "
    "Bacteroidia Bacteroidota Campylobacteria Campylobacterota Chloroflexi Clostridia Coriobacteriia "
    "Cyanobacteria Cyanobacteriota Desulfobacterota Desulfovibrionia Elusimicrobia Elusimicrobiota "
    "Erysipelotrichia Eukaryota Euryarchaeota Firmicutes Fusobacteria Fusobacteriia Fusobacteriota "
    "Halobacterota Kiritimatiellae Lentisphaerae Lentisphaeria Melainabacteria Methanobacteria "
    "Methanobacteriota Mollicutes Negativicutes Patescibacteria Pseudomonadota Root Saccharimonadia "
    "Spirochaetes Spirochaetia Spirochaetota Synergistetes Synergistia Synergistota Tenericutes "
    "Thermoplasmata Thermoplasmatota Vampirivibrionia Verrucomicrobia Verrucomicrobiae Verrucomicrobiota"
)
_HIGHER_ENDINGS = ("ales", "aceae", "ineae", "proteobacteria")
#: Words that stand where a name would, also in front of one ("uncultured bacterium", "Unclassified").
_PLACEHOLDER_WORDS = (
    "ambiguous chloroplast family human incertae metagenome mitochondria other unassigned unclassified uncultured "
    "unidentified unknown"
)
_HIGHER = frozenset(_HIGHER_NAMES.split())
_PLACEHOLDERS = frozenset(_PLACEHOLDER_WORDS.split())
_PREFIX = re.compile(r"^(?:D_(?P<depth>\d+)_|(?P<rank>[dkpcofgst])_?)_(?P<name>.*)$")
_DEPTHS = "dpcofgs"
_CONFIDENCE = re.compile(r"\(\d+(?:\.\d+)?\)$")
_WORD = re.compile(r"^[A-Z][a-z]{2,}$")
#: Ranks of an unmarked lineage (domain, phylum, class, order, family, genus).
_GENUS_PLACE = 5


@lru_cache(maxsize=65536)
def genus_of(name: str) -> str | None:
    """Return the genus that a taxon name belongs to.

    Read are plain genus and species names (blank, hyphen or underscore between the words), Greengenes, SILVA, GTDB
    and MetaPhlAn lineages (``g__``, ``D_5__``; ``;`` or ``|`` between the ranks), unmarked lineages of six or more
    ranks and mothur's confidence in brackets.

    Parameters
    ----------
    name : str
        Column name of a feature table.

    Returns
    -------
    str or None
        Genus; None where the name stands for a higher rank, a placeholder or nothing that can be read.

    Examples
    --------
    >>> genus_of("Bifidobacterium-longum-DSM-20219")
    'Bifidobacterium'
    >>> genus_of("d__Bacteria; p__Actinobacteriota; f__Bifidobacteriaceae; g__Bifidobacterium; s__uncultured")
    'Bifidobacterium'
    >>> genus_of("Bacteria(100);Actinobacteria(99);Actinobacteria(99);Bifidobacteriales(99);Bifidobacteriaceae(99);"
    ...          "Bifidobacterium(98);")
    'Bifidobacterium'
    >>> genus_of("Bifidobacteriaceae"), genus_of("gut-metagenome"), genus_of("[Ruminococcus] gnavus group")
    (None, None, 'Ruminococcus')
    """
    parts = [_CONFIDENCE.sub("", part.strip().strip("\"'")) for part in re.split(r"[;|]", name)]
    parts = [part for part in parts if part]
    ranks: dict[str, str] = {}
    for part in parts:
        found = _PREFIX.match(part)
        if found:
            depth = int(found["depth"]) if found["depth"] else None
            rank = found["rank"] or (_DEPTHS[depth] if depth is not None and depth < len(_DEPTHS) else "t")
            ranks[rank] = found["name"]
    if ranks:
        return _genus_word(ranks.get("g", "")) or _genus_word(ranks.get("s", ""))
    if len(parts) > _GENUS_PLACE:
        return _genus_word(parts[_GENUS_PLACE])
    return _genus_word(parts[-1]) if parts else None


def _genus_word(name: str) -> str | None:
    words = [word for word in re.split(r"[\s_\-]+", name.replace("[", "").replace("]", "").strip()) if word]
    candidate = bool(words) and words[0] in {"Candidatus", "Ca."}
    if candidate:
        words = words[1:]
    if not words or words[0].casefold() in _PLACEHOLDERS or not _WORD.match(words[0]):
        return None
    if words[0] in _HIGHER or words[0].endswith(_HIGHER_ENDINGS):
        return None
    return f"Candidatus {words[0]}" if candidate else words[0]


def columns_of_genus(taxa: Iterable[str], genus: str) -> list[str]:
    """Return the taxa that belong to one genus, in their order.

    Examples
    --------
    >>> columns_of_genus(["Bifidobacterium", "Bilophila", "Bifidobacterium-longum"], "Bifidobacterium")
    ['Bifidobacterium', 'Bifidobacterium-longum']
    """
    return [taxon for taxon in taxa if genus_of(str(taxon)) == genus]
