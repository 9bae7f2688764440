"""The Containerfile and what it is built of."""
import pathlib
import re
import shutil
import tempfile

from repository import PROGRAMS, ROOT, fails, succeeds, text, toml

FILE = "deploy/Containerfile"


def instructions():
    """Pairs of a word and its arguments, lines joined; the last stage only for what is asked of the image."""
    joined = re.sub(r"\\\n", " ", text(FILE))
    lines = [line.strip() for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(line.split(None, 1)) for line in lines]


def image():
    found = instructions()
    last = max(index for index, (word, _) in enumerate(found) if word == "FROM")
    return found[last:]


def of(word):
    return [arguments for name, arguments in image() if name == word]


def hadolint():
    succeeds(PROGRAMS / "hadolint", ROOT / FILE)


def hadolint_finds_what_is_wrong():
    with tempfile.TemporaryDirectory() as folder:
        wrong = pathlib.Path(folder) / "Containerfile"
        wrong.write_text("FROM debian\nRUN cd /tmp\nCMD lakegate serve\n")
        fails("DL3006", PROGRAMS / "hadolint", wrong)


def user_is_a_number_and_not_root():
    user, group = of("USER")[-1].split(":")
    assert user.isdigit() and int(user) > 0 and group == "0", of("USER")
    writable = [copy for copy in of("COPY") if copy.endswith("/var/cache/lakegate")]
    assert writable and f"--chown={user}:0" in writable[0], writable
    assert "install -d -m 0770 /image/var/cache/lakegate" in text(FILE)


def programs_need_no_shell():
    for word in ("ENTRYPOINT", "CMD"):
        assert all(arguments.startswith("[") for arguments in of(word)), of(word)
    health = of("HEALTHCHECK")[0]
    assert 'CMD ["/usr/local/bin/lakegate", "ready"]' in health, health
    assert of("STOPSIGNAL") == ["SIGTERM"]


def images_are_pinned():
    for word, arguments in instructions():
        if word == "FROM":
            name = arguments.split()[0]
            assert ":" in name.split("/")[-1] and not name.endswith(":latest"), name


def versions_are_those_of_the_workspace():
    package = toml("Cargo.toml")["workspace"]["package"]
    compiler = re.search(r"ARG RUST_VERSION=(\S+)", text(FILE))[1]
    assert compiler.startswith(package["rust-version"] + "."), (compiler, package["rust-version"])
    label = re.search(r'image\.version="([^"]+)"', text(FILE))[1]
    assert label == package["version"], label


def ports_are_those_of_the_configuration():
    exposed = {int(port) for port in of("EXPOSE")[0].split()}
    for path in ("deploy/compose/lakegate.toml", "deploy/kubernetes/base/lakegate.toml"):
        config = toml(path)
        listened = {int(config[section]["listen"].rsplit(":", 1)[1]) for section in ("pg", "flight", "http")}
        assert exposed == listened, (path, exposed, listened)


def context_has_all_that_cargo_reads():
    lines = text(".containerignore").splitlines()
    kept = [line[1:] for line in lines if line.startswith("!")]
    assert [line for line in lines if line and line[0] not in "#!"] == ["*"], lines
    assert (ROOT / ".dockerignore").read_text() == text(".containerignore")
    with tempfile.TemporaryDirectory() as folder:
        for name in kept:
            source, target = ROOT / name, pathlib.Path(folder) / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target)
            else:
                shutil.copy(source, target)
        succeeds("cargo", "metadata", "--locked", "--offline", "--no-deps", "--format-version", "1", cwd=folder)
        copied = pathlib.Path(folder).resolve()
        for source in [path for room in ("catalog", "gateway", "udfs") for path in copied.glob(f"{room}/src/**/*.rs")]:
            for included in re.findall(r'include_(?:str|bytes)!\("([^"]+)"\)', source.read_text()):
                assert (source.parent / included).exists(), f"{source}: {included} is not in the context"


CHECKS = [hadolint, hadolint_finds_what_is_wrong, user_is_a_number_and_not_root, programs_need_no_shell, images_are_pinned,
          versions_are_those_of_the_workspace, ports_are_those_of_the_configuration, context_has_all_that_cargo_reads]
