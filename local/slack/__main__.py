"""`python -m local.slack`: the stand-in as a server of its own."""

import argparse
import asyncio
import gc
import json
import signal
import sys
from typing import Any, get_args

from rich.console import Console

from local.slack.director import Director
from local.slack.faults import Fault
from local.slack.organisation import BASE, Organisation
from local.slack.server import serving
from local.slack.settings import LastPage, Settings

HOUR = 3600
_FLAG = argparse.BooleanOptionalAction


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; 2 when the options are no good or the port is taken."""
    console = Console(highlight=False, soft_wrap=True)
    options = _parser().parse_args(arguments)
    try:
        asyncio.run(_serve(options, Settings().changed(_knobs(options)), console))
    except (ValueError, OSError) as error:
        console.print("cannot start:", str(error), style="red", markup=False)
        return 2
    return 0


async def _serve(options: argparse.Namespace, settings: Settings, console: Console) -> None:
    organisation = Organisation(settings)
    director = Director(organisation)
    _fill(director, options, organisation.clock.now())
    director.add_faults(Fault.from_json(rule) for rule in map(json.loads, options.fault))
    director.traffic(options.per_second)
    async with serving([organisation], director, options.host, options.port) as port:
        _announce(console, f"http://{options.host}:{port}", organisation, options)
        await _signalled()
    console.print(f"stopped; {organisation.calls.entries:,} entries served")


def _fill(director: Director, options: argparse.Namespace, now: float) -> None:
    end = int(now)
    director.accept(director.ordered({"count": options.backlog, "from": end - int(options.hours * HOUR), "to": end}))
    gc.freeze()  # the backlog stays: no use in walking through a million events again and again


async def _signalled() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def _announce(console: Console, base: str, organisation: Organisation, options: argparse.Namespace) -> None:
    settings, limit = organisation.settings, organisation.settings.calls_per_minute
    console.print("[bold]Stand-in for Slack's Audit Logs API[/bold] (not Slack)")
    console.print(f"  API      {base}{BASE.rstrip('/')}")
    console.print(f"  control  {base}/_standin/status")
    console.print(f"  token    {', '.join(settings.tokens)}")
    console.print(
        f"  events   {organisation.history.total:,} of {options.hours:g} h, {options.per_second:g} more a second"
    )
    console.print(f"  limit    {'none' if limit is None else f'{limit} calls a minute'}")
    console.print("Ctrl-C stops it.")


def _knobs(options: argparse.Namespace) -> dict[str, Any]:
    """The knobs that were turned on the command line, `--set` last."""
    named = {name: value for name, value in vars(options).items() if value is not None and name in _KNOBS}
    if named.get("calls_per_minute") == 0:
        named["calls_per_minute"] = None
    if options.token:
        named["tokens"] = tuple(options.token)
    return named | dict(map(_assignment, options.set))


def _assignment(text: str) -> tuple[str, Any]:
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError as error:
        raise ValueError(f"--set {name}: {value!r} is not JSON") from error


def _range(text: str) -> float | tuple[float, float]:
    low, dash, high = text.partition("-")
    return (float(low), float(high)) if dash else float(low)


_KNOBS: dict[str, dict[str, Any]] = {
    "seed": {"type": int, "help": "of the invented company and its events"},
    "calls_per_minute": {"type": int, "help": "rate limit of the organisation (50; 0: none)"},
    "latency": {"type": _range, "help": "seconds a call takes at least, as 0.05 or 0.05-0.4"},
    "clock_offset": {"type": float, "help": "seconds by which Slack's clock is ahead of this machine's"},
    "page_limit": {"type": int, "help": "most entries of a page, whatever is asked for"},
    "over_deliver": {"action": _FLAG, "help": "never cut a page inside a second"},
    "short_pages": {"type": float, "help": "share of pages that are short"},
    "empty_pages": {"type": float, "help": "share of pages that are empty, and not the last"},
    "duplicates": {"type": float, "help": "share of entries that are in their page twice"},
    "last_page": {"choices": get_args(LastPage), "help": "how the last page shows that it is the last"},
    "cursor_ttl": {"type": float, "help": "seconds that a cursor lives (3600)"},
    "late_fraction": {"type": float, "help": "share of new events that become visible late"},
    "late_delay": {"type": _range, "help": "seconds by which they are late, as 30-300"},
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.slack", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8090, help="where to listen (8090; 0: any free port)")
    parser.add_argument("--token", action="append", default=[], help="a valid token; may be given more than once")
    parser.add_argument("--backlog", type=int, default=5000, help="events that are there already (5000)")
    parser.add_argument("--hours", type=float, default=24, help="over which they are spread, back from now (24)")
    parser.add_argument("--per-second", type=float, default=1, help="live events (1; 0: none)")
    parser.add_argument("--fault", action="append", default=[], metavar="JSON", help='a rule, as {"kind":"html"}')
    knobs = parser.add_argument_group("knobs", "all of them: docs/slack-stand-in.md")
    for name, option in _KNOBS.items():
        knobs.add_argument("--" + name.replace("_", "-"), **option)
    knobs.add_argument("--set", action="append", default=[], metavar="KNOB=JSON", help="any knob by its name")
    return parser


if __name__ == "__main__":
    sys.exit(main())
