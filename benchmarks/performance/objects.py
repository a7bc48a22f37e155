"""An S3 of one process: objects in memory, as much of the API as the collector and its peers use.

No signatures, no checksums of its own: a checksum that a client sends is handed back to whoever asks for it.
"""

from bisect import bisect_right, insort
from collections.abc import Mapping
from itertools import count
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.sax.saxutils import escape

MOST_KEYS = 1_000  # of one listing
CHECKSUM = "x-amz-checksum-sha256"
MODIFIED = "2026-01-01T00:00:00.000Z"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'


class Answer(NamedTuple):
    """One HTTP answer. `length` is what its header says where there is no body: of HEAD."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}
    length: int | None = None


class Stored(NamedTuple):
    """An object, and what there is to tell of it."""

    body: bytes
    headers: dict[str, str]


class Objects:
    """All buckets: each is there as soon as it is named."""

    def __init__(self) -> None:
        self._stored: dict[str, Stored] = {}
        self._paths: list[str] = []  # "/bucket/key", in order
        self._uploads: dict[str, dict[int, bytes]] = {}
        self._numbers = count(1)

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Carries out one call."""
        parts = urlsplit(target)
        path, query = unquote(parts.path), dict(parse_qsl(parts.query, keep_blank_values=True))
        if "uploads" in query or "uploadId" in query:
            return self._part(method, path, query, body)
        if path.count("/") < 2 or (path.endswith("/") and path.count("/") == 2):
            return self._bucket(method, path.strip("/"), query, body)
        match method:
            case "PUT":
                return self._put(path, headers, body)
            case "GET" | "HEAD":
                return self._get(method, path, headers)
            case "DELETE":
                self._forget(path)
                return Answer(204)
        return _error(501, "NotImplemented")

    # objects

    def _put(self, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        if "aws-chunked" in headers.get("content-encoding", ""):
            return _error(501, "NotImplemented")
        if headers.get("if-none-match") == "*" and path in self._stored:
            return _error(412, "PreconditionFailed")
        if "x-amz-copy-source" in headers:
            source = unquote(headers["x-amz-copy-source"])
            return self._copied(path, source if source.startswith("/") else f"/{source}")
        return Answer(200, b"", {"ETag": self._keep(path, body, headers)})

    def _copied(self, path: str, source: str) -> Answer:
        if source not in self._stored:
            return _error(404, "NoSuchKey")
        tag = self._keep(path, self._stored[source].body, {})
        return _xml("CopyObjectResult", f"<LastModified>{MODIFIED}</LastModified><ETag>{tag}</ETag>")

    def _keep(self, path: str, body: bytes, headers: Mapping[str, str]) -> str:
        if path not in self._stored:
            insort(self._paths, path)
        tag = f'"{next(self._numbers):032x}"'
        told = {"ETag": tag, "Content-Type": headers.get("content-type", "binary/octet-stream")}
        if CHECKSUM in headers:
            told[CHECKSUM] = headers[CHECKSUM]
        self._stored[path] = Stored(body, told)
        return tag

    def _get(self, method: str, path: str, headers: Mapping[str, str]) -> Answer:
        stored = self._stored.get(path)
        if stored is None:
            return Answer(404) if method == "HEAD" else _error(404, "NoSuchKey")
        told = {"Last-Modified": "Thu, 01 Jan 2026 00:00:00 GMT", "Accept-Ranges": "bytes", **stored.headers}
        if headers.get("x-amz-checksum-mode") != "ENABLED":
            told.pop(CHECKSUM, None)
        if method == "HEAD":
            return Answer(200, b"", told, len(stored.body))
        if (wanted := headers.get("range", "")).startswith("bytes="):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            lo, hi = int(first), min(int(last or len(stored.body)), len(stored.body) - 1)
            told.pop(CHECKSUM, None)
            return Answer(
                206, stored.body[lo : hi + 1], {**told, "Content-Range": f"bytes {lo}-{hi}/{len(stored.body)}"}
            )
        return Answer(200, stored.body, told)

    def _forget(self, path: str) -> None:
        if self._stored.pop(path, None) is not None:
            del self._paths[bisect_right(self._paths, path) - 1]

    # buckets

    def _bucket(self, method: str, bucket: str, query: Mapping[str, str], body: bytes) -> Answer:
        if method == "POST" and "delete" in query:
            return self._deleted(bucket, body.decode())
        if method != "GET":
            return Answer(200)
        if "location" in query:
            return _xml("LocationConstraint", "")
        return self._listed(bucket, query)

    def _deleted(self, bucket: str, body: str) -> Answer:
        keys = [unquote(it.partition("</Key>")[0]) for it in body.split("<Key>")[1:]]
        for key in keys:
            self._forget(f"/{bucket}/{key}")
        return _xml("DeleteResult", "".join(f"<Deleted><Key>{escape(it)}</Key></Deleted>" for it in keys))

    def _listed(self, bucket: str, query: Mapping[str, str]) -> Answer:
        """What follows `continuation-token` or `start-after`, which are both a key."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("continuation-token") or query.get("start-after", "")
        most = min(int(query.get("max-keys", MOST_KEYS)), MOST_KEYS)
        root, start = len(bucket) + 2, f"/{bucket}/{prefix}"
        at = max(bisect_right(self._paths, f"/{bucket}/{after}"), bisect_right(self._paths, start) - 1, 0)
        found, folders, last, more = "", dict[str, None](), "", False
        for path in self._paths[at:]:
            if not path.startswith(start):
                if path > start:
                    break
                continue
            key = path[root:]
            if key <= after:
                continue
            if most == 0:
                more = True
                break
            rest, slash, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            folder = prefix + rest + slash
            if slash and (folder in folders or folder <= after):
                last = key
                continue
            if slash:
                folders[folder] = None
            else:
                found += _entry(key, self._stored[path])
            last, most = key, most - 1
        return _xml("ListBucketResult", found + _ending(bucket, prefix, folders, last if more else ""))

    # uploads in parts

    def _part(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> Answer:
        if method == "POST" and "uploads" in query:
            upload = f"upload-{next(self._numbers)}"
            self._uploads[upload] = {}
            bucket, _, key = path[1:].partition("/")
            said = f"<Bucket>{bucket}</Bucket><Key>{escape(key)}</Key><UploadId>{upload}</UploadId>"
            return _xml("InitiateMultipartUploadResult", said)
        upload = query["uploadId"]
        if method == "PUT":
            self._uploads[upload][int(query["partNumber"])] = body
            return Answer(200, b"", {"ETag": f'"{next(self._numbers):032x}"'})
        parts = self._uploads.pop(upload, {})
        if method == "DELETE":
            return Answer(204)
        tag = self._keep(path, b"".join(parts[number] for number in sorted(parts)), {})
        return _xml("CompleteMultipartUploadResult", f"<ETag>{tag}</ETag>")


def _entry(key: str, stored: Stored) -> str:
    return (
        f"<Contents><Key>{escape(key)}</Key><LastModified>{MODIFIED}</LastModified><ETag>{stored.headers['ETag']}</ETag>"
        f"<Size>{len(stored.body)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
    )


def _ending(bucket: str, prefix: str, folders: Mapping[str, None], next_token: str) -> str:
    """What else a listing says. The keys are not encoded, whatever was asked for: ours need no encoding."""
    shown = "".join(f"<CommonPrefixes><Prefix>{escape(it)}</Prefix></CommonPrefixes>" for it in folders)
    token = f"<NextContinuationToken>{escape(next_token)}</NextContinuationToken>" if next_token else ""
    return (
        f"<Name>{bucket}</Name><Prefix>{escape(prefix)}</Prefix>{shown}{token}"
        f"<IsTruncated>{'true' if next_token else 'false'}</IsTruncated>"
    )


def _xml(name: str, inner: str) -> Answer:
    return Answer(200, f"{_HEAD}<{name} {_NAMESPACE}>{inner}</{name}>".encode(), {"Content-Type": "application/xml"})


def _error(status: int, code: str) -> Answer:
    said = f"{_HEAD}<Error><Code>{code}</Code><Message>{code}</Message></Error>"
    return Answer(status, said.encode(), {"Content-Type": "application/xml"})
