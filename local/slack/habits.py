"""What people do how often, and to what kind of thing: our guess of an ordinary organisation's day."""

import random
from functools import cache
from itertools import accumulate

from local.slack import catalogue

_DAILY = {
    "file_downloaded": 18,
    "user_login": 16,
    "file_uploaded": 11,
    "file_shared": 10,
    "user_channel_join": 9,
    "canvas_opened": 5,
    "public_channel_preview": 4,
    "user_channel_leave": 4,
    "canvas_edited": 3,
    "huddle_participant_joined": 3,
    "list_cell_updated": 3,
    "user_logout": 3,
    "user_profile_updated": 2,
    "anomaly": 1,
    "app_installed": 1,
    "app_scopes_expanded": 1,
    "huddle_started": 1,
    "message_activity_viewed": 1,
    "permissions_assigned": 1,
    "private_channel_created": 1,
    "public_channel_created": 1,
    "user_login_failed": 1,
}
_NAMES = tuple(_DAILY)
_WEIGHTS = tuple(accumulate(_DAILY.values()))

_TYPES = {
    "user": ("user",),
    "file": ("file",),
    "channel": ("channel",),
    "app": ("app",),
    "workflow_builder": ("workflow",),
    "message": ("message",),
    "barrier": ("barrier",),
    "huddle": ("huddle",),
    "anomaly": ("user",),
    "slack_cli": ("app",),
    "subteam": ("usergroup",),
    "role": ("role",),
    "account_type_role": ("account_type_role",),
    "workflow_v2": ("workflow_v2",),
    "canvas": ("canvas", "canvas as file"),
    "function": ("function",),
    "template": ("template",),
    "list": ("list",),
    "legal_hold": ("legal_hold_policy",),
}
_OTHERS = ("workspace", "workspace", "workspace", "enterprise")  # of all other categories
_OAUTH = "external_auth_oauth2_token"  # an entity of its own, in the category of workflows


def daily(dice: random.Random) -> str:
    """An action of everyday life."""
    return dice.choices(_NAMES, cum_weights=_WEIGHTS)[0]


@cache
def entity_types(action: str) -> tuple[str, ...]:
    """The kinds of things that an action is done to."""
    if action.startswith(_OAUTH):
        return (_OAUTH,)
    category = next((group for group, names in reversed(catalogue.actions().items()) if action in names), "")
    return _TYPES.get(category, _OTHERS)


def is_done_to_oneself(action: str) -> bool:
    """Whether actor and entity are the same person, as in a login."""
    return action == "anomaly" or action.startswith(("user_log", "user_session", "user_passkey", "user_profile"))
