"""Studies and the numbers read from them, population norms, and the citation behind every parameter."""

from vagus.evidence.citations import Citation, cite
from vagus.evidence.published import PublishedRow, published_effects, published_rows, studies

__all__ = ["Citation", "PublishedRow", "cite", "published_effects", "published_rows", "studies"]
