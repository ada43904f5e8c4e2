"""Installs the npm packages of node/package-lock.json below the build directory, if they are not
there yet; the argument is that directory. Scripts of the packages are not run."""

import os
import shutil
import subprocess
import sys

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "node")
FILES = ("package.json", "package-lock.json")


def read(path):
    with open(path, "rb") as file:
        return file.read()


def is_current(directory):
    try:
        return all(read(os.path.join(directory, name)) == read(os.path.join(SOURCE, name))
                   for name in FILES)
    except FileNotFoundError:
        return False


def main():
    directory = sys.argv[1]
    # The copies are put in their places last, so they tell that everything is there.
    if is_current(directory):
        return 0
    shutil.rmtree(directory, ignore_errors=True)
    fresh = directory + ".new"
    shutil.rmtree(fresh, ignore_errors=True)
    os.makedirs(fresh)
    for name in FILES:
        shutil.copy(os.path.join(SOURCE, name), fresh)
    done = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"],
        cwd=fresh, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"npm could not install {SOURCE}/package-lock.json; it needs its registry, once:")
        print(done.stdout + done.stderr)
        return 1
    os.rename(fresh, directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
