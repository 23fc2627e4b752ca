"""Builds the repository's Dockerfiles with buildah, on the base image of this folder.

No registry has a part in it. The base is Debian's Python, by debootstrap, and nothing that it does
not need (base_image.py), as distroless images are; what the Dockerfiles fetch, they fetch as this machine does: its proxies, its certificates, pip's settings.
An archive is kept by what it is made of, so only a change to a program builds its image anew.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from tests.architecture.tree import ROOT
from tests.cluster.base_image import distil
from tests.cluster.binaries import cache, locked, note, run
from tests.cluster.image_archive import Built
from tests.cluster.sandbox import require
from tests.cluster.sources import context_of_programs, digest_of, digest_of_files

SUITE = "bookworm"
VERSION = "0.1.0"
# Archives of each image: two branches in turn do not build theirs anew each time.
_KEPT = 3
_BUILD_BASE = "RUN apt-get update && apt-get install -y --no-install-recommends python3-pip"


def build(program: str) -> Built:
    """Return the image of a program, built if it is not in the cache."""
    dockerfile = ROOT / f"Dockerfile.{program}"
    return _built(program, dockerfile, context_of_programs(), digest_of(program))


def build_trainer() -> Built:
    """Return the image of the examples' training, built if it is not in the cache."""
    folder = ROOT / "examples" / "digits"
    paths = [Path(name) for name in ("Dockerfile", "requirements.txt", "train.py")]
    digest = digest_of_files([folder / path for path in paths])
    return _built("digits", folder / "Dockerfile", paths, digest)


def build_bash() -> Built:
    """Return the image of Python with bash, built if it is not in the cache."""
    dockerfile = Path(__file__).with_name("bash") / "Dockerfile"
    return _built("bash", dockerfile, [], digest_of_files([dockerfile]))


def build_mysql() -> Built:
    """Return the image of a MySQL server, built if it is not in the cache."""
    return _built_database("mysql")


def build_postgres() -> Built:
    """Return the image of a PostgreSQL server, built if it is not in the cache."""
    return _built_database("postgres")


def _built_database(kind: str) -> Built:
    folder = Path(__file__).with_name(kind)
    paths = [Path("Dockerfile"), Path("start.sh")]
    digest = digest_of_files([folder / path for path in paths])
    return _built(kind, folder / "Dockerfile", paths, digest)


def _built(short: str, dockerfile: Path, context: list[Path], digest: str) -> Built:
    """Return an image by what it is made of; the context stands where its Dockerfile stands."""
    require("buildah", "debootstrap")
    name = f"docker.io/trialwatch/{short}:{VERSION}"
    made_of = hashlib.sha256(f"{digest} {_base_name()}".encode()).hexdigest()[:12]
    archive = cache() / f"image-{short}-{made_of}.tar"
    with locked(cache() / "images"):
        if not archive.exists():
            note(f"building {name}")
            _build(name, dockerfile, context, archive)
    return Built(name, archive)


def _build(name: str, dockerfile: Path, sources: list[Path], archive: Path) -> None:
    base = _base()
    with tempfile.TemporaryDirectory(dir=cache()) as folder:
        context = Path(folder, "context")
        context.mkdir()
        for path in sources:
            target = context / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(dockerfile.parent / path, target)
        _buildah(
            *("build-using-dockerfile", "--isolation=chroot", "--pull-never"),
            *_machines_settings(Path(folder)),
            *(f"--build-arg=BASE={base}", f"--build-arg=BUILD_BASE={base}-build"),
            *(f"--file={dockerfile}", f"--tag={name}", str(context)),
        )
        written = Path(folder, "image.tar")
        _buildah("push", name, f"docker-archive:{written}:{name}")
        # What had the name before; without this the store grows by an image with each build.
        _buildah("rmi", "--prune")
        written.rename(archive)
        kept = cache().glob(f"{archive.name.rpartition('-')[0]}-*.tar")
        for older in sorted(kept, key=lambda path: path.stat().st_mtime)[:-_KEPT]:
            older.unlink()


def _base() -> str:
    """Return the name of the base, once it and its twin for building are in buildah's store."""
    base = _base_name()
    known = _buildah("images", "--format={{.Name}}:{{.Tag}}").split()
    if f"{base}-build" in known:
        return base
    note("making the base of the images")
    with tempfile.TemporaryDirectory(dir=cache()) as folder:
        debian, small = Path(folder, "debian"), Path(folder, "small")
        include = "--include=ca-certificates,python3"
        run(["nice", "debootstrap", "--variant=minbase", include, SUITE, str(debian)])
        (debian / "usr/bin/python").symlink_to("python3")
        distil(debian, small)
        for root, name in ((debian, f"{base}-debian"), (small, base)):
            _buildah("build-using-dockerfile", f"--file={_added(root)}", f"--tag={name}", folder)
        with_pip = Path(folder, "with-pip")
        with_pip.write_text(f"FROM {base}-debian\n{_BUILD_BASE}\n")
        chroot = ("--isolation=chroot", "--pull-never", f"--file={with_pip}", f"--tag={base}-build")
        empty = Path(folder, "empty")
        empty.mkdir()
        settings = _machines_settings(Path(folder))
        _buildah("build-using-dockerfile", *chroot, *settings, str(empty))
    return base


def _base_name() -> str:
    """Return a name that changes with what the base is made by."""
    made_by = Path(__file__).with_name("base_image.py").read_bytes() + _BUILD_BASE.encode()
    return f"localhost/trialwatch-python:{SUITE}-{hashlib.sha256(made_by).hexdigest()[:8]}"


def _added(root: Path) -> Path:
    """Write what makes an image of a folder beside it."""
    dockerfile = root.with_suffix(".Dockerfile")
    dockerfile.write_text(f'FROM scratch\nADD {root.name} /\nCMD ["python3"]\n')
    return dockerfile


def _machines_settings(folder: Path) -> list[str]:
    """Return what lets a RUN step reach the packages as this machine does."""
    settings = run(["python3", "-m", "pip", "config", "list"]).splitlines()
    given = [line.partition("=") for line in settings if line.startswith(("global.", ":env:."))]
    pairs = {key.rpartition(".")[2]: value.strip("'\"") for key, _, value in given}
    config = folder / "pip.conf"
    lines = (f"{key} = {value}" for key, value in pairs.items())
    config.write_text("\n".join(("[global]", *lines, "")))
    # Certificates and folders of wheels that the settings name are shown as well.
    shown = {Path("/etc/ssl/certs"), *(Path(value) for value in pairs.values() if value[:1] == "/")}
    volumes = [f"--volume={path}:{path}:ro" for path in sorted(shown) if path.exists()]
    apt = "/etc/apt/apt.conf.d"
    return [f"--volume={config}:/etc/pip.conf:ro", f"--volume={apt}:{apt}:ro", *volumes]


def _buildah(*argv: str) -> str:
    store = cache() / "buildah"
    where = [f"--root={store}", f"--runroot={store}/run", "--storage-driver=overlay"]
    return run(["nice", "buildah", *where, *argv])
