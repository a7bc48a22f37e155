"""The knobs of the stand-in, as one frozen value.

What Slack documents is the default, what it leaves open is a knob; docs/slack-stand-in.md says which is which.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, Self, get_args

DEFAULT_TOKEN = "xoxp-stand-in-not-a-real-token"
DEFAULT_CLIENT_ID = "1000000000.1000000000"
DEFAULT_CLIENT_SECRET = "a-client-secret-that-nobody-may-see"

LastPage = Literal["empty", "null", "missing", "object", "none", "rotate"]
Range = float | tuple[float, float]


class UnknownSettingError(ValueError):
    """There is no such knob, or it cannot take that value. The message names both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How this Slack behaves. `changed` gives the next value; nothing is ever changed in place."""

    tokens: tuple[str, ...] = (DEFAULT_TOKEN,)
    seed: int = 1

    # pages
    default_limit: int = 100
    page_limit: int | None = None
    over_deliver: bool = False
    short_pages: float = 0.0
    empty_pages: float = 0.0
    dangling_cursors: float = 0.0
    duplicates: float = 0.0
    last_page: LastPage = "empty"
    cursor_ttl: float | None = 3600.0
    gzip: bool = False

    # refusals
    calls_per_minute: int | None = 50
    refuse_future: bool = True
    refuse_before_floor: bool = False
    retired_actions: tuple[str, ...] = field(default=())

    # time
    clock_offset: float = 0.0
    latency: Range = 0.0
    late_fraction: float = 0.0
    late_delay: Range = (30.0, 300.0)

    # token rotation
    client_id: str = DEFAULT_CLIENT_ID
    client_secret: str = DEFAULT_CLIENT_SECRET
    token_life: int = 43_200
    refresh_grace: float = 60.0
    authed_user: bool = False

    def __post_init__(self) -> None:
        for name, (wanted, is_fine) in _RULES.items():
            if not is_fine(getattr(self, name)):
                raise UnknownSettingError(f"{name} is {wanted}, not {getattr(self, name)!r}")

    def changed(self, knobs: Mapping[str, Any]) -> Self:
        """These settings with some knobs turned; lists, as JSON has them, become tuples."""
        unknown = sorted(set(knobs) - {knob.name for knob in fields(self)})
        if unknown:
            raise UnknownSettingError(f"there is no knob {', '.join(unknown)}")
        return replace(self, **{name: _tupled(value) for name, value in knobs.items()})

    def as_json(self) -> dict[str, Any]:
        """Every knob by its name, but no secrets."""
        return {knob.name: getattr(self, knob.name) for knob in fields(self) if knob.name not in _SECRETS}


def bounds(value: Range) -> tuple[float, float]:
    """The lowest and the highest of a knob that takes one number or two."""
    return value if isinstance(value, tuple) else (value, value)


def _tupled(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _share(value: Any) -> bool:
    return _number(value) and 0 <= value <= 1


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _count(value: Any) -> bool:
    return _whole(value) and value > 0


def _seconds(value: Any) -> bool:
    parts = value if isinstance(value, tuple) else (value, value)
    return len(parts) == 2 and all(map(_number, parts)) and 0 <= parts[0] <= parts[1]


def _names(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(name, str) for name in value)


def _text(value: object) -> bool:
    return isinstance(value, str)


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _or_none(is_fine: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or is_fine(value)


_SECRETS = ("tokens", "client_secret")
_SHARE = ("a number from 0 to 1", _share)
_FLAG = ("true or false", _flag)
_SECONDS = ("seconds, or a pair of them", _seconds)
_COUNT_OR_NONE = ("a whole number above 0, or null", _or_none(_count))
_RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "tokens": ("a list of texts", _names),
    "seed": ("a whole number", _whole),
    "default_limit": ("a whole number above 0", _count),
    "page_limit": _COUNT_OR_NONE,
    "over_deliver": _FLAG,
    "short_pages": _SHARE,
    "empty_pages": _SHARE,
    "dangling_cursors": _SHARE,
    "duplicates": _SHARE,
    "last_page": (f"one of {', '.join(get_args(LastPage))}", lambda value: value in get_args(LastPage)),
    "cursor_ttl": ("seconds, or null", _or_none(lambda value: _number(value) and value >= 0)),
    "gzip": _FLAG,
    "calls_per_minute": _COUNT_OR_NONE,
    "refuse_future": _FLAG,
    "refuse_before_floor": _FLAG,
    "retired_actions": ("a list of texts", _names),
    "clock_offset": ("seconds", _number),
    "latency": _SECONDS,
    "late_fraction": _SHARE,
    "late_delay": _SECONDS,
    "client_id": ("a text", _text),
    "client_secret": ("a text", _text),
    "token_life": ("a whole number above 0", _count),
    "refresh_grace": ("a number of seconds", lambda value: _number(value) and value >= 0),
    "authed_user": _FLAG,
}
