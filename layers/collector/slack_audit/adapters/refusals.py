"""Which failures of AWS go away by themselves, and which last until somebody changes something."""

from botocore.exceptions import ClientError

# Codes that go away by themselves; 429 and 5xx do too, whatever they are called.
PASSING = {
    "ProvisionedThroughputExceededException",
    "LimitExceededException",
    "KMSThrottlingException",
    "KmsThrottled",  # as SQS calls it
    "RequestThrottled",  # SQS, with 4xx
    "Throttling",
    "OperationAborted",
    "ThrottlingException",
    "RequestTimeout",
    "RequestTimeTooSkewed",
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
}


def is_lasting(error: Exception) -> bool:
    """Did AWS answer, and will it answer so again? What was not answered may be the network."""
    if not isinstance(error, ClientError):
        return False
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return error.response["Error"]["Code"] not in PASSING and status != 429 and status < 500
