"""CodeDeploy, which waits up to an hour to be told whether a new version may take over.

https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_PutLifecycleEventHookExecutionStatus.html
"""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from slack_audit.errors import CheckError
from slack_audit.pretraffic import Hook


class CodeDeployVerdict:
    """One hook's verdict. `client` is CodeDeploy's."""

    def __init__(self, client: Any, hook: Hook) -> None:
        self._client = client
        self._hook = hook

    def tell(self, *, passed: bool) -> None:
        """Ends CodeDeploy's waiting. Raises CheckError."""
        try:
            self._client.put_lifecycle_event_hook_execution_status(
                deploymentId=self._hook.deployment,
                lifecycleEventHookExecutionId=self._hook.execution,
                status="Succeeded" if passed else "Failed",
            )
        except (ClientError, BotoCoreError) as error:
            raise CheckError(
                f"Could not tell CodeDeploy what came of the check of deployment {self._hook.deployment} ({error}). It "
                "waits for up to an hour and then takes the deployment back. Stop the deployment, and check the hook's "
                "role."
            ) from error
