"""The stand-in for Slack as a process of its own, with the recipe's events and the simulation's clock."""

import asyncio
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.load.clock import SharedClock
from benchmarks.load.plan import START, Plan
from benchmarks.load.recipe import Recipe
from benchmarks.remade import Crowds, newest_first
from local.slack.director import Director
from local.slack.history import History, Place, Selection
from local.slack.organisation import Organisation
from local.slack.server import serving
from local.slack.settings import Settings


class RecipeHistory(History):
    """A history that makes its events anew whenever a page shows them."""

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self._recipe = recipe
        self._now = float(START)

    @property
    def newest(self) -> int:
        """The newest second that is there."""
        return int(self._now)

    def reveal(self, now: float) -> int:
        """From now on shows what is visible by then."""
        self._now = now
        return 0

    def crowds(self, selection: Selection, start: Place) -> Crowds:
        """As a history that remembers."""
        return newest_first(lambda second: self._recipe.shown(second, self._now), START, self.newest, selection, start)


def serve(plan: Plan, settings: Settings, clock: Path, tell: Connection) -> None:
    """Serves until the other end of the pipe is closed; tells its port first."""
    asyncio.run(_serve(plan, settings, SharedClock(clock), tell))


async def _serve(plan: Plan, settings: Settings, clock: SharedClock, tell: Connection) -> None:
    organisation = Organisation(settings, clock.now, RecipeHistory(Recipe(plan)))
    async with serving([organisation], Director(organisation), "127.0.0.1", 0) as port:
        tell.send(port)
        closed = asyncio.Event()
        asyncio.get_running_loop().add_reader(tell.fileno(), closed.set)
        await closed.wait()
