"""Builds and deploys the application with the real SAM CLI, into an embedded AWS.

python -m local.deploy build                     builds for this machine (nothing to do: returns at once)
python -m local.deploy deploy ScheduleState=...  starts an embedded AWS, deploys into it, keeps it until interrupted
"""

import argparse
import fcntl
import hashlib
import os
import platform
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from local.aws import EmbeddedAws

ROOT = Path(__file__).resolve().parent.parent
BUILDS = ROOT / ".aws-sam"
SAM = ROOT / ".venv-sam" / "bin" / "sam"
TEMPLATE = ROOT / "template.yaml"
SOURCES = (
    TEMPLATE,
    ROOT / "analytics.yaml",
    ROOT / "functions",
    ROOT / "layers",
    ROOT / ".python-version",
    ROOT / "requirements" / "sam.txt",
)
ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}  # machine: Lambda's name
ARTIFACTS = "sam-artifacts"  # the bucket of the embedded AWS that deployments are uploaded to
TIMEOUT = 600  # seconds, for one run of the SAM CLI
POLL = "0.2"  # seconds between its looks at a deployment


class ToolError(Exception):
    """The SAM CLI did not do what it was asked to; the message names the command and shows what it said."""


def host_architecture() -> str:
    """This machine's processor, as Lambda names it: what a build must be for to run here."""
    machine = platform.machine().lower()
    if machine not in ARCHITECTURES:
        raise ToolError(f"AWS Lambda has no architecture for this machine's processor, {machine}")
    return ARCHITECTURES[machine]


def build(architecture: str | None = None, build_dir: Path | None = None) -> Path:
    """The folder with a build of the sources as they are now, for this machine unless said otherwise.

    Builds only if a source changed; of any number of processes that ask at once, one builds and the others wait.
    """
    architecture = architecture or host_architecture()
    build_dir = (build_dir or BUILDS / architecture).resolve()
    build_dir.mkdir(parents=True, exist_ok=True)
    stamp = build_dir / "stamp"
    with _locked(build_dir, fcntl.LOCK_EX):
        wanted = _fingerprint(architecture)
        if not stamp.exists() or stamp.read_text() != wanted:
            stamp.unlink(missing_ok=True)
            _sam_build(architecture, build_dir)
            _remove_bytecode(build_dir / "build")
            stamp.write_text(wanted)
    return build_dir


def deploy(aws: EmbeddedAws, build_dir: Path, stack_name: str, parameters: Mapping[str, str]) -> dict[str, str]:
    """Creates or updates the stack from what `build` returned for this machine; its outputs."""
    aws.client("s3").create_bucket(Bucket=ARTIFACTS)
    with _locked(build_dir, fcntl.LOCK_SH):
        _sam_deploy(aws, build_dir, stack_name, {"Architecture": host_architecture(), **parameters})
    stack = aws.client("cloudformation").describe_stacks(StackName=stack_name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def _remove_bytecode(build: Path) -> None:
    """SAM copies a function's folder with what Python left in it, which depends on who imported it before."""
    for folder in build.glob("*Function/**/__pycache__"):
        shutil.rmtree(folder)


def _sam_build(architecture: str, build_dir: Path) -> None:
    # Run from the build folder, so that the dependencies that SAM keeps there are this architecture's own.
    command = ["build", "--template-file", str(TEMPLATE), "--base-dir", str(ROOT), "--cached"]
    command += ["--build-dir", "build", "--cache-dir", "cache", "--parameter-overrides", f"Architecture={architecture}"]
    run_sam(command, cwd=build_dir)


def _sam_deploy(aws: EmbeddedAws, build_dir: Path, stack_name: str, parameters: Mapping[str, str]) -> None:
    command = ["deploy", "--template-file", "build/template.yaml", "--stack-name", stack_name]
    command += ["--s3-bucket", ARTIFACTS, "--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    command += ["--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"]
    command += ["--parameter-overrides", *(_override(name, value) for name, value in parameters.items())]
    run_sam(command, cwd=build_dir, environment=aws.environment() | {"SAM_CLI_POLL_DELAY": POLL})


def _override(name: str, value: str) -> str:
    quoted = value.replace("\\", r"\\").replace('"', r"\"")
    return f'{name}="{quoted}"'


def run_sam(arguments: list[str], *, cwd: Path, environment: Mapping[str, str] | None = None) -> None:
    """Runs the SAM CLI and says nothing, unless it fails."""
    if not SAM.exists():
        raise ToolError(f"There is no SAM CLI at {SAM}: requirements/install makes it")
    ours = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "SAM_CLI_TELEMETRY": "0",
        "SAM_CLI_ENABLE_LANGUAGE_EXTENSIONS": "1",  # samconfig.toml says so too, and is not always found from here
        "__SAM_CLI_APP_DIR": str(BUILDS / "cli"),  # instead of a folder in the user's home
    }
    try:
        result = subprocess.run(
            [str(SAM), *arguments],
            cwd=cwd,
            env={**os.environ, **ours, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT,
            text=True,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        said = error.stdout if isinstance(error.stdout, str) else (error.stdout or b"").decode(errors="replace")
        raise ToolError(f"sam {arguments[0]} took longer than {TIMEOUT} s:\n{said}") from error
    if result.returncode:
        raise ToolError(f"sam {arguments[0]} failed with exit code {result.returncode}:\n{result.stdout}")


def _fingerprint(architecture: str) -> str:
    """Changes when a build would come out differently."""
    digest = hashlib.sha256(f"{architecture} {sys.version}".encode())
    for source in SOURCES:
        files = [source] if source.is_file() else sorted(path for path in source.rglob("*") if _is_source(path))
        for file in files:
            digest.update(f"{file.relative_to(ROOT)} {file.stat().st_size}\n".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _is_source(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts


@contextmanager
def _locked(build_dir: Path, kind: int) -> Iterator[None]:
    with (build_dir / "lock").open("w") as lock:
        fcntl.flock(lock, kind)
        yield


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.deploy", description=__doc__.splitlines()[0])
    parser.add_argument("--architecture", choices=sorted(set(ARCHITECTURES.values())), default=None)
    parser.add_argument("--build-dir", type=Path, default=None)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build, unless nothing changed")
    deployment = commands.add_parser("deploy", help="build, and deploy into an embedded AWS of its own")
    deployment.add_argument("--port", type=int, default=None)
    deployment.add_argument("--stack-name", default="slack-audit-collector")
    deployment.add_argument("parameters", nargs="*", type=_parameter, metavar="Name=value")
    return parser.parse_args()


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not Name=value")
    return name, value


def main() -> None:
    """Does what the command line says; ends with a plain message if a tool fails."""
    arguments = _arguments()
    try:
        build_dir = build(arguments.architecture, arguments.build_dir)
        if arguments.command == "deploy":
            _keep(arguments, build_dir)
    except ToolError as error:
        sys.exit(str(error))


def _keep(arguments: argparse.Namespace, build_dir: Path) -> None:
    with EmbeddedAws(port=arguments.port) as aws, suppress(KeyboardInterrupt):
        outputs = deploy(aws, build_dir, arguments.stack_name, dict(arguments.parameters))
        for name, value in {"Endpoint": aws.endpoint, **outputs}.items():
            sys.stdout.write(f"{name} {value}\n")
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    main()
