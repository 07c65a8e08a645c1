"""``vagus products``: what the products are made of."""

from __future__ import annotations

import click

from vagus.cli import options


@click.command("products")
@options.json_option
def command(as_json: bool) -> int:
    """List the products, their composition in the colon and their usual dose.

    Example: vagus products
    """
    import json

    from vagus.protocol import products

    found = products()
    if as_json:
        click.echo(json.dumps({"products": [item.model_dump(mode="json") for item in found.values()]}, indent=2, ensure_ascii=False))
        return 0
    from rich.console import Console
    from rich.table import Table

    table = Table("product", "name", "g/g in the colon", "usual dose", "note", box=None, pad_edge=False)
    for name, item in found.items():
        parts = ", ".join(f"{substrate} {share:g}" for substrate, share in item.composition.items())
        table.add_row(name, item.name, parts, f"{item.usual_dose.low:g}-{item.usual_dose.high:g} g/day", "comparator" if item.comparator else "")
    Console().print(table)
    return 0
