"""The pages of `/logs`, with all their documented and observed oddities: each is a knob of the settings."""

import random
from itertools import cycle

from local.slack import answers
from local.slack.answers import Answer
from local.slack.cursors import Cursor
from local.slack.history import BEFORE_ALL, Event, History, Place
from local.slack.queries import Question
from local.slack.settings import Settings


class Pages:
    """Cuts pages out of a history."""

    def __init__(self, history: History, chance: random.Random) -> None:
        self._history = history
        self._chance = chance
        self._endings = cycle(answers.LAST_PAGES.values())

    def answer(self, question: Question, settings: Settings, now: float) -> tuple[Answer, int]:
        """The page that is asked for, and how many entries it has."""
        start = question.cursor.place if question.cursor else self._beginning(question)
        size = self._size(question, settings)
        whole_seconds = settings.over_deliver and size > 0
        cut = self._history.page(question.selection, start, size, whole_seconds=whole_seconds)
        entries = self._entries(cut.events, settings.duplicates)
        if cut.more or (entries and self._happens(settings.dangling_cursors)):
            ending = answers.more(Cursor(cut.place, now, after_empty=not entries).encode())
        else:
            ending = self._last_page(settings)
        return answers.page(entries, ending), len(entries)

    def _beginning(self, question: Question) -> Place:
        latest = question.selection.latest
        newest = self._history.newest if latest is None else latest
        return Place(newest, BEFORE_ALL, self._chance.getrandbits(32))

    def _size(self, question: Question, settings: Settings) -> int:
        """How many entries this page may have. No two empty pages follow each other, so every walk comes to its end."""
        size = min(question.limit, settings.page_limit or question.limit)
        was_empty = question.cursor is not None and question.cursor.after_empty
        if not was_empty and self._happens(settings.empty_pages):
            return 0
        return self._chance.randint(1, size) if self._happens(settings.short_pages) else size

    def _entries(self, events: list[Event], duplicates: float) -> list[bytes]:
        raws = [event.raw for event in events]
        if not duplicates:
            return raws
        return [raw for raw in raws for _ in range(1 + self._happens(duplicates))]

    def _last_page(self, settings: Settings) -> bytes:
        kind = settings.last_page
        return next(self._endings) if kind == "rotate" else answers.LAST_PAGES[kind]

    def _happens(self, share: float) -> bool:
        return share > 0 and self._chance.random() < share
