"""``vagus simulate``: a trial's data without the report, or the courses of a population of any size."""

from __future__ import annotations

import click

from vagus.cli import options


@click.command("simulate", epilog="Example: vagus simulate hmo-sleep --seed 2 --out runs/sleep-2")
@click.argument("trial")
@options.set_option
@options.model_option
@options.seed_option
@options.jobs_option
@options.out_option
@options.force_option
@options.json_option
@click.option("--courses", is_flag=True, help="Keep the courses of everybody instead of trial data, however many.")
@click.option("--arm", "arms", multiple=True, help="With --courses: simulate this arm; all by default.")
@click.option("--variable", "variables", multiple=True, help="With --courses: keep this variable; all by default.")
@options.chunk_option
@click.option("--resume", is_flag=True, help="With --courses: go on with a run that was stopped or killed.")
def command(
    trial: str,
    settings: tuple[str, ...],
    folder: str | None,
    seed: int,
    jobs: int | None,
    out: str | None,
    force: bool,
    as_json: bool,
    courses: bool,
    arms: tuple[str, ...],
    variables: tuple[str, ...],
    chunk: int | None,
    resume: bool,
) -> int:
    """Simulate TRIAL with the central parameters and keep its data.

    TRIAL is a protocol file or the id of a bundled protocol; vagus analyze TRIAL FOLDER reads the data.

    With --courses nothing is observed: what the model says of everybody under every arm is streamed to
    trajectories.zarr, in memory of a fixed size for any number of people (--set population.n=100000).
    """
    from vagus import api
    from vagus.cli.finish import exit_code, make_run
    from vagus.cli.names import read_own_library
    from vagus.cli.output import print_json, say
    from vagus.errors import InputError

    if courses and force:
        raise InputError("--courses writes a new folder, --force does not go with it; name another with --out.")
    if not courses and (arms or variables or chunk or resume):
        raise InputError("--arm, --variable, --chunk and --resume belong to --courses; add it, or leave them out.")
    protocol = api.read_protocol(trial, options.parse_settings(settings))
    library = read_own_library(folder)
    threads, place = options.thread_count(jobs), out or f"runs/{protocol.id}"
    if courses:
        from vagus.cli.courses import make_courses

        return make_courses(
            protocol,
            seed,
            threads,
            place,
            as_json,
            library=library,
            arms=arms,
            variables=variables,
            chunk=chunk,
            resume=resume,
        )
    finished = make_run(protocol, seed, threads, 0, place, force, quiet=as_json, made_by="simulate", library=library)
    data = finished.answer.data
    missing = int(data.outcomes["value"].isna().sum())
    facts = {
        "subjects": len(data.subjects),
        "outcomes": len(data.outcomes),
        "missing_values": missing,
        "samples": len(data.samples),
        "status": finished.answer.status,
    }
    if as_json:
        print_json(facts)
    else:
        values = f"{len(data.outcomes)} values ({missing} missing)"
        say(f"{len(data.subjects)} subjects, {values}, {len(data.samples)} stool samples")
        click.echo(place)
    return exit_code(finished.answer)
