"""``vagus products``: what the products are made of."""

from __future__ import annotations

import click

from vagus.cli import options

#: What the model's substrates are called in a sentence.
PARTS = {
    "RS": "resistant starch",
    "NSP": "non-starch polysaccharides",
    "OS": "oligosaccharides",
    "FL": "2'-fucosyllactose",
    "LN": "lacto-N-neotetraose",
    "MP": "mucin and protein",
}


@click.command("products", epilog="Example: vagus products --json")
@options.json_option
def command(as_json: bool) -> int:
    """List the products: what a gram brings into the colon, the usual dose, how it is tolerated.

    A protocol names a product by its id or by one of its other names.
    """
    from vagus.cli.output import print_json, say
    from vagus.protocol import products

    found = products()
    if as_json:
        print_json({"products": [item.model_dump(mode="json") for item in found.values()]})
        return 0
    for place, (name, item) in enumerate(found.items()):
        if place:
            say()
        say(f"{name}: {item.name}{' [comparator]' if item.comparator else ''}", hanging=2)
        parts = [f"{share:g} {PARTS[part]}" for part, share in item.composition.items() if part != "digestible"]
        say(f"in the colon, g per g: {', '.join(parts) or 'nothing'} (grade {item.grade})", 2, 2)
        say(f"usual dose: {item.usual_dose.low:g} to {item.usual_dose.high:g} g/day; {item.tolerance.text}", 2, 2)
        if item.aliases:
            say(f"also: {', '.join(item.aliases)}", 2, 2)
    return 0
