"""A Hub on this machine: what huggingface_hub asks of the real one, over HTTP.

Repositories have commits and branches. Weights are stored as large files, and all other
files are part of the commits, as on the Hub.
"""

import base64
import hashlib
import json
import re
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

from huggingface_hub import constants

from sklearn_bert._engine.checkpoints.files import hub as downloads

REPO = r"(?P<repo>[^/]+/[^/]+)"
REV = r"(?P<rev>[^/]+)"


@contextmanager
def serve_hub(tmp_path, monkeypatch):
    """Serve a Hub to this process, which has neither a login nor a cache."""
    with FakeHub() as hub:
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        template = f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
        # The protocol of its storage is another one.
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        # The environment may have set it.
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        downloads._snapshot.cache_clear()
        yield hub
        downloads._snapshot.cache_clear()


@dataclass
class Commit:
    """A commit: its hash, its message, and the content of all files."""

    oid: str
    message: str
    files: dict[str, bytes]


@dataclass
class Repo:
    """A repository: its commits by hash, and the newest one of each branch."""

    private: bool
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)

    def add(self, branch, message, files):
        number = str(len(self.commits))
        content = json.dumps([number, message, sorted(files)])
        oid = hashlib.sha1(content.encode()).hexdigest()
        self.commits[oid] = Commit(oid, message, files)
        self.branches[branch] = oid
        return oid

    def at(self, revision):
        return self.commits.get(self.branches.get(revision, revision))


@dataclass
class Fault:
    """What happens to requests of a method whose path contains a text."""

    method: str
    part: str
    status: int | None = None
    answer: str = ""
    # A body that is not JSON.
    page: bytes | None = None
    seconds: float = 0.0
    # Run before the fault, for example a commit of somebody else.
    action: object = None
    left: int = 10**9


class FakeHub:
    """The server. Use it as a context manager.

    Attributes
    ----------
    url : str
    repos : dict of str to Repo
    stored : dict of str to bytes
        Large files by SHA-256.
    tokens : dict of str to tuple
        The user and the role of each token.
    requests : list of tuple
        Method and path of each request.
    """

    def __init__(self):
        self.repos, self.stored, self.requests, self.faults = {}, {}, [], []
        self.tokens = {"hf_write": ("ann", "write"), "hf_read": ("ann", "read")}
        handler = type("Handler", (_Handler,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        # A client that stops waiting is no error.
        self.server.handle_error = lambda *_: None
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def fail(self, method, part, status=None, **options):
        """Answer with a status, or close the connection without an answer."""
        self.faults.append(Fault(method, part, status, **options))

    def create(self, repo, private=False, files=None):
        self.repos[repo] = Repo(private)
        content = {".gitattributes": b"*.safetensors filter=lfs\n", **(files or {})}
        self.repos[repo].add("main", "initial commit", content)

    def files(self, repo, revision="main"):
        return self.repos[repo].at(revision).files

    def messages(self, repo):
        return [commit.message for commit in self.repos[repo].commits.values()]


class Refusal(Exception):
    """The answer to a request that is refused."""

    def __init__(self, status, message, code=None, page=None, headers=(), **more):
        super().__init__(message)
        self.status = status
        self.headers = {"X-Error-Message": message, **dict(headers)}
        if code:
            self.headers["X-Error-Code"] = code
        self.content = {"error": message, **more} if page is None else page


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def log_message(self, *_):
        pass

    def do_GET(self):
        self._answer()

    do_HEAD = do_POST = do_PUT = do_GET

    def _answer(self):
        path = unquote(urlsplit(self.path).path)
        self.hub.requests.append((self.command, path))
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            if self._has_fault(path):
                self.close_connection = True
                return
            status, headers, content = 200, {}, self._dispatch(path)
            if isinstance(content, tuple):
                headers, content = content
        except Refusal as error:
            status, headers, content = error.status, error.headers, error.content
        self._send(status, headers, content)

    def _has_fault(self, path):
        for fault in self.hub.faults:
            if fault.method == self.command and fault.part in path and fault.left:
                fault.left -= 1
                if fault.action:
                    fault.action()
                time.sleep(fault.seconds)
                if fault.status is None:
                    return not fault.action
                raise Refusal(fault.status, fault.answer, page=fault.page)
        return False

    def _send(self, status, headers, content):
        kind = "application/octet-stream"
        if not isinstance(content, bytes):
            kind, content = "application/json", json.dumps(content).encode()
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": len(content), **headers}
        for name, value in headers.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _dispatch(self, path):
        for method, pattern, answer in ROUTES:
            match = re.fullmatch(pattern, path)
            if match and self.command in method.split():
                return answer(self, **match.groupdict())
        raise Refusal(404, f"no route for {self.command} {path}")

    # --- who may do what --------------------------------------------------------------

    def _user(self):
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if token and token not in self.hub.tokens:
            # As the Hub would not do, with what must not be repeated.
            raise Refusal(401, f"Invalid credentials in Authorization header: {token}")
        return self.hub.tokens.get(token, (None, None))

    def _writable(self, repo):
        user, role = self._user()
        if user is None:
            raise Refusal(401, "Unauthorized")
        if role != "write" or repo.split("/")[0] != user:
            raise Refusal(403, "You don't have the rights to write here")

    def _find(self, repo, rev="main"):
        user, _ = self._user()
        found = self.hub.repos.get(repo)
        if found is None or (found.private and repo.split("/")[0] != user):
            raise Refusal(404, "Repository not found", "RepoNotFound")
        commit = found.at(rev)
        if commit is None:
            raise Refusal(404, f"Invalid rev id: {rev}", "RevisionNotFound")
        return found, commit

    # --- answers ----------------------------------------------------------------------

    def whoami(self):
        user, _ = self._user()
        if user is None:
            raise Refusal(401, "Unauthorized")
        return {"name": user, "type": "user", "orgs": []}

    def create(self):
        asked = json.loads(self.body)
        repo = f"{asked['organization'] or self._user()[0]}/{asked['name']}"
        self._writable(repo)
        if repo in self.hub.repos:
            url = f"{self.hub.url}/{repo}"
            raise Refusal(409, "You already created this model repo", url=url)
        private = asked.get("private", asked.get("visibility") == "private")
        self.hub.create(repo, bool(private))
        return {"url": f"{self.hub.url}/{repo}", "name": repo}

    def branch(self, repo, rev):
        self._writable(repo)
        found, commit = self._find(repo)
        if rev in found.branches:
            raise Refusal(409, "Reference already exists")
        found.branches[rev] = commit.oid
        return {}

    def info(self, repo, rev="main"):
        found, commit = self._find(repo, rev)
        siblings = [{"rfilename": name} for name in commit.files]
        return {
            "id": repo,
            "modelId": repo,
            "sha": commit.oid,
            "private": found.private,
            "siblings": siblings,
            "tags": [],
            "downloads": 0,
        }

    def tree(self, repo, rev):
        _, commit = self._find(repo, rev)
        return [self._entry(name, content) for name, content in commit.files.items()]

    def _entry(self, name, content):
        entry = {"type": "file", "path": name, "size": len(content)}
        entry["oid"] = git_hash(content)
        if is_large(name):
            sha256 = hashlib.sha256(content).hexdigest()
            entry["lfs"] = {"oid": sha256, "size": len(content), "pointerSize": 130}
        return entry

    def validate_yaml(self):
        head = json.loads(self.body)["content"]
        if not head.startswith("---\n"):
            return {"errors": [], "warnings": [{"message": "empty metadata"}]}
        return {"errors": [], "warnings": []}

    def preupload(self, repo, rev):
        self._writable(repo)
        _, commit = self._find(repo, rev)
        return {"files": [self._mode(one, commit) for one in self._asked_files()]}

    def _asked_files(self):
        return json.loads(self.body)["files"]

    def _mode(self, asked, commit):
        name = asked["path"]
        present = commit.files.get(name)
        mode, oid = ("lfs", sha256_of) if is_large(name) else ("regular", git_hash)
        return {
            "path": name,
            "uploadMode": mode,
            "shouldIgnore": False,
            "oid": None if present is None else oid(present),
        }

    def batch(self, repo):
        self._writable(repo)
        objects = []
        for one in json.loads(self.body)["objects"]:
            answer = {"oid": one["oid"], "size": one["size"]}
            if one["oid"] not in self.hub.stored:
                href = f"{self.hub.url}/storage/{one['oid']}"
                answer["actions"] = {"upload": {"href": href, "header": {}}}
            objects.append(answer)
        return {"transfer": "basic", "objects": objects}

    def store(self, oid):
        if sha256_of(self.body) != oid:
            raise Refusal(400, "another content")
        self.hub.stored[oid] = self.body
        return b""

    def commit(self, repo, rev):
        self._writable(repo)
        found, before = self._find(repo, rev)
        header, *changes = [json.loads(line) for line in self.body.splitlines()]
        parent = header["value"].get("parentCommit")
        if parent not in (None, before.oid):
            raise Refusal(412, "A commit has happened since")
        files = dict(before.files)
        for change in changes:
            value = change["value"]
            if change["key"] == "deletedFile":
                del files[value["path"]]
            elif change["key"] == "lfsFile":
                files[value["path"]] = self.hub.stored[value["oid"]]
            else:
                files[value["path"]] = base64.b64decode(value["content"])
        oid = found.add(rev, header["value"]["summary"], files)
        return {"commitUrl": f"{self.hub.url}/{repo}/commit/{oid}", "commitOid": oid}

    def resolve(self, repo, rev, name):
        _, commit = self._find(repo, rev)
        content = commit.files.get(name)
        if content is None:
            # The cache notes for this commit that there is no such file.
            headers = {"X-Repo-Commit": commit.oid}
            raise Refusal(404, "Entry not found", "EntryNotFound", headers=headers)
        oid = sha256_of(content) if is_large(name) else git_hash(content)
        return {"ETag": f'"{oid}"', "X-Repo-Commit": commit.oid}, content


def is_large(name):
    return name.endswith(".safetensors")


def sha256_of(content):
    return hashlib.sha256(content).hexdigest()


def git_hash(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


ROUTES = (
    ("GET", "/api/whoami-v2", _Handler.whoami),
    ("POST", "/api/repos/create", _Handler.create),
    ("POST", "/api/validate-yaml", _Handler.validate_yaml),
    ("POST", f"/api/models/{REPO}/branch/{REV}", _Handler.branch),
    ("GET", f"/api/models/{REPO}", _Handler.info),
    ("GET", f"/api/models/{REPO}/revision/{REV}", _Handler.info),
    ("GET", f"/api/models/{REPO}/tree/{REV}", _Handler.tree),
    ("POST", f"/api/models/{REPO}/preupload/{REV}", _Handler.preupload),
    ("POST", f"/api/models/{REPO}/commit/{REV}", _Handler.commit),
    ("POST", rf"/{REPO}\.git/info/lfs/objects/batch", _Handler.batch),
    ("PUT", "/storage/(?P<oid>[0-9a-f]+)", _Handler.store),
    ("GET HEAD", f"/{REPO}/resolve/{REV}/(?P<name>.+)", _Handler.resolve),
)
