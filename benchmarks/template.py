"""What the template says, with its parameters filled in."""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


@cache
def _written() -> str:
    from cfnlint.decode.cfn_yaml import load  # noqa: PLC0415 - it takes seconds

    return json.dumps(load(str(ROOT / "template.yaml")))


def template() -> dict[str, Any]:
    """What the file says, its short tags written out: !Ref x is {"Ref": "x"}."""
    written: dict[str, Any] = json.loads(_written())
    return written


class Filled:
    """The template where `names` says what its resources and pseudo parameters are called, `X` or `X.Attribute`.

    Parameters have their defaults unless `names` has them, too; any other resource goes by its logical id.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self._template = template()
        defaults = {name: str(it.get("Default", "")) for name, it in self._template["Parameters"].items()}
        self._names = {**defaults, **names}

    def properties(self, logical_id: str) -> dict[str, Any]:
        """A resource's properties."""
        found: dict[str, Any] = self._template["Resources"][logical_id]["Properties"]
        return found

    def of_type(self, kind: str) -> list[str]:
        """The resources of a type; a loop, which makes more of them, is none."""
        resources = self._template["Resources"].items()
        return [name for name, it in resources if isinstance(it, dict) and it["Type"] == kind]

    def environment(self, logical_id: str) -> dict[str, str]:
        """The environment of a function."""
        written = self.properties(logical_id)["Environment"]["Variables"]
        return {name: str(self.value(it)) for name, it in written.items()}

    def value(self, written: Any) -> Any:
        """What an expression of the template comes to. Raises KeyError for a name that is not known."""
        if not isinstance(written, dict) or len(written) != 1:
            return written
        ((function, argument),) = written.items()
        match function:
            case "Ref":
                return self._named(argument)
            case "Fn::GetAtt":
                return self._named(argument if isinstance(argument, str) else ".".join(argument))
            case "Fn::Sub":
                return self._substituted(argument)
            case "Fn::Join":
                return argument[0].join(str(self.value(it)) for it in argument[1])
            case "Fn::If":
                return self.value(
                    argument[1] if self._holds(self._template["Conditions"][argument[0]]) else argument[2]
                )
        return written

    def _substituted(self, argument: Any) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else argument
        values = {name: str(self.value(it)) for name, it in own.items()}
        filled = re.sub(r"\$\{([^!}]+)\}", lambda found: values.get(found[1]) or self._named(found[1]), text)
        return filled.replace("${!", "${")

    def _named(self, name: str) -> str:
        logical_id = name.partition(".")[0]
        return self._names[name] if name in self._names or logical_id not in self._template["Resources"] else logical_id

    def _holds(self, condition: Any) -> bool:
        ((function, argument),) = condition.items()
        match function:
            case "Fn::Equals":
                return bool(self.value(argument[0]) == self.value(argument[1]))
            case "Fn::Not":
                return not self._holds(argument[0])
            case "Fn::And":
                return all(map(self._holds, argument))
            case "Fn::Or":
                return any(map(self._holds, argument))
            case "Condition":
                return self._holds(self._template["Conditions"][argument])
        raise ValueError(f"{function} is not understood")
