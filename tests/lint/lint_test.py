"""The lint test: what the build cannot refuse and review should not have to look for.

    lint_test.py               checks the samples (does every rule fire?), then the tree
    lint_test.py --tree DIR    checks another tree

A line that must break a rule says so with its reason, there or on the line above:
    std::this_thread::sleep_for(delay);  // lint-allow(sleep): the delay is what is tested
Layers and includes cannot be allowed away: change the table in layers.py, and that of docs/ARCHITECTURE.md
with it.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import debris  # noqa: E402
import layers  # noqa: E402
import lengths  # noqa: E402
import banned  # noqa: E402
import samples  # noqa: E402

SKIPPED_FOLDERS = {".git", "build", "var", ".cache", "__pycache__"}


def check_tree(files):
    """Violations of all files; `files` maps paths from the root, with slashes, to bytes."""
    found = []
    for path, content in sorted(files.items()):
        found += debris.check_bytes(path, content)
        if debris.is_text(path, content):
            text = content.decode("utf-8", errors="replace")
            for check in (debris.check_text, lengths.check, banned.check, layers.check_includes):
                found += check(path, text)
    return found + layers.check_libraries(files)


def paths_of_git(root):
    """What is committed or about to be; None when the tree is no clone."""
    command = ["git", "-C", root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    return sorted(set(path for path in listed.decode().split("\0") if path))


def paths_of_walk(root):
    paths = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS]
        paths += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return sorted(paths)


def read_tree(root):
    files = {}
    for path in paths_of_git(root) or paths_of_walk(root):
        whole = os.path.join(root, path)
        if os.path.isfile(whole) and not os.path.islink(whole):
            with open(whole, "rb") as file:
                files[path] = file.read()
    return files


def check_samples():
    """Complaints about the rules themselves."""
    complaints = []
    fired = set()
    for name, files, expected in samples.SAMPLES:
        rules = {violation.rule for violation in check_tree(files)}
        fired |= rules
        if rules != expected:
            complaints.append(f"sample {name!r}: {sorted(rules)} fired, not {sorted(expected)}")
    silent = samples.ALL_RULES - fired
    if silent:
        complaints.append(f"no sample makes {sorted(silent)} fire")
    return complaints


def main(arguments):
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    if arguments[:1] == ["--tree"]:
        root = arguments[1]
    complaints = check_samples()
    for complaint in complaints:
        print(f"lint's own test: {complaint}")
    files = read_tree(root)
    violations = check_tree(files)
    for violation in violations:
        print(f"{violation.path}:{violation.line}: [{violation.rule}] {violation.message}")
    print(f"{len(files)} files, {len(samples.SAMPLES)} samples, {len(violations)} violations")
    return 1 if violations or complaints or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
