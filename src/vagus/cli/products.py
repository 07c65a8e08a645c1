"""``vagus products``: what the products are made of."""

from __future__ import annotations

import click

from vagus.cli import options


@click.command("products", epilog="Example: vagus products --json")
@options.json_option
def command(as_json: bool) -> int:
    """List the products: what a gram brings, how a dose is written, what is usual, and how it is tolerated.

    A protocol names a product by its id or by one of its other names.
    """
    from vagus.cli.output import print_json, say
    from vagus.protocol import products
    from vagus.protocol.product import PARTS
    from vagus.units import plain

    found = products()
    if as_json:
        print_json({"products": [item.model_dump(mode="json") for item in found.values()]})
        return 0
    for place, (name, item) in enumerate(found.items()):
        if place:
            say()
        say(f"{name}: {item.name}{' [comparator]' if item.comparator else ''}", hanging=2)
        parts = [f"{share:g} {PARTS[part].words}" for part, share in item.composition.items() if PARTS[part].state]
        usual, limit = item.usual_dose, item.upper_level
        say(f"g per g: {', '.join(parts) or 'nothing that acts'} (grade {item.grade})", 2, 2)
        say(
            f"a dose is {item.dose_units.words}; usual: {plain(usual.low)} to {plain(usual.high)} {usual.unit}/day",
            2,
            2,
        )
        if limit is not None:
            say(f"tolerable upper level: {limit.value:g} {limit.unit}/day ({limit.note})", 2, 2)
        say(item.tolerance.text, 2, 2)
        if item.aliases:
            say(f"also: {', '.join(item.aliases)}", 2, 2)
    return 0
