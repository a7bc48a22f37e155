"""What the layer is made of, as CycloneDX: read from the layer that was built, not from what was asked for.

The same layer always gives the same bytes: the serial number follows from its digest, and there is no time stamp.
"""

import json
import re
import uuid
from collections.abc import Iterable, Iterator
from hashlib import sha256
from importlib.metadata import Distribution, PackageMetadata, distributions
from pathlib import Path
from typing import Any

LAYER = "CollectorLayer"
OURS = "slack-audit-collector"
LICENCE = "Apache-2.0"
CONTENT = f"{OURS}:content-sha256"  # over the lines of sha256sum of a component's files, in the order of their paths
SPDX = {  # what packages write instead of an SPDX identifier
    "Apache License 2.0": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
}

type Json = dict[str, Any]


def bill_of_materials(python: Path, digest: str) -> bytes:
    """Of the layer's folder `python`, whose zip has this SHA-256."""
    version = _our_version(python)
    ours = f"pkg:pypi/{OURS}@{version}"
    found = sorted(distributions(path=[str(python)]), key=_name)
    components = [_component(it, python) for it in found]
    references = {_name(it): _purl(it) for it in found}
    bill: Json = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, digest)}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": ours,
                "name": OURS,
                "version": version,
                "description": "The Lambda layer with the package slack_audit and its dependencies.",
                "hashes": [{"alg": "SHA-256", "content": digest}],
                "licenses": [{"license": {"id": LICENCE, "acknowledgement": "declared"}}],
                "purl": ours,
            }
        },
        "components": components,
        "dependencies": [
            {"ref": ours, "dependsOn": _asked_for((python / "requirements.in").read_text().splitlines(), references)},
            *({"ref": _purl(it), "dependsOn": _asked_for(_without_extras(it), references)} for it in found),
        ],
    }
    return (json.dumps(bill, indent=2, ensure_ascii=False) + "\n").encode()


def _our_version(python: Path) -> str:
    found = re.search(r'^__version__ = "(.+)"$', (python / "slack_audit" / "__init__.py").read_text(), re.MULTILINE)
    assert found is not None, "slack_audit does not say its version"
    return found[1]


def _component(it: Distribution, python: Path) -> Json:
    licences = list(_licences(it.metadata))
    return {
        "type": "library",
        "bom-ref": _purl(it),
        "name": _name(it),
        "version": it.version,
        "description": it.metadata.get("Summary", ""),
        **({"licenses": licences} if licences else {}),
        "purl": _purl(it),
        "properties": [{"name": CONTENT, "value": content_digest(it, python)}],
    }


def content_digest(it: Distribution, python: Path) -> str:
    """One digest over all files of a package that lie in the layer."""
    paths = sorted(path.as_posix() for path in it.files or () if (python / path).is_file() and path.suffix != ".pyc")
    lines = "".join(f"{sha256((python / path).read_bytes()).hexdigest()}  {path}\n" for path in paths)
    return sha256(lines.encode()).hexdigest()


def _name(it: Distribution) -> str:
    """As the requirements write it."""
    return _normal(it.metadata["Name"])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _purl(it: Distribution) -> str:
    return f"pkg:pypi/{_name(it)}@{it.version}"


def _licences(metadata: PackageMetadata) -> Iterator[Json]:
    """What the package declares: an SPDX expression, or else a licence by its identifier or its name."""
    if "License-Expression" in metadata:
        yield {"expression": metadata["License-Expression"], "acknowledgement": "declared"}
    elif "License" in metadata:
        said = metadata["License"].splitlines()[0]
        known = SPDX.get(said, said)
        is_spdx = re.fullmatch(r"(Apache|MIT|BSD|MPL|PSF|ISC)(-[A-Za-z0-9.]+)*", known)
        yield {"license": {"id" if is_spdx else "name": known, "acknowledgement": "declared"}}


def _without_extras(it: Distribution) -> list[str]:
    """What the package asks for in any case."""
    return [line for line in it.requires or () if "extra ==" not in line]


def _asked_for(requirements: Iterable[str], references: dict[str, str]) -> list[str]:
    """The references of those requirements that the layer holds; it holds none for other platforms."""
    named = (re.match(r"[A-Za-z0-9._-]+", line) for line in requirements)
    names = {_normal(found[0]) for found in named if found}
    return sorted(references[name] for name in names & references.keys())
