"""An action filter that Slack refuses: it does not say which name it does not know, so we look it up."""

import logging

from slack_audit.catalog import unknown_names
from slack_audit.errors import ActionRefusedError, SourceError
from slack_audit.log import Filters
from slack_audit.ports import Catalog

logger = logging.getLogger(__name__)

TIMEOUT = 5.0  # seconds for the one call


def naming_the_actions(refusal: ActionRefusedError, filters: Filters, catalog: Catalog) -> SourceError:
    """The refusal with the names that are not in Slack's list of actions; as it is if that list does not help."""
    try:
        unknown = unknown_names(filters.action.split(","), catalog.read("actions", TIMEOUT))
    except SourceError as error:
        logger.warning("slack's list of actions could not be read", extra={"reason": str(error)})
        return refusal
    if not unknown:
        return refusal
    return ActionRefusedError(
        f"Slack does not know {', '.join(unknown)} and refuses all that ActionFilter asks for. Nothing is collected "
        "until the filter is deployed without: compare it with the answer of /actions.",
        slack_time=refusal.slack_time,
    )
