"""Runs phpredis_test.php against a server of its own. With --publish DIRECTORY it is the command by
which that script puts version 2 in place."""

import os
import shlex
import subprocess
import sys
import tempfile

import client_data


def main():
    if sys.argv[1:2] == ["--publish"]:
        client_data.publish(sys.argv[2], 2)
        return 0
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "phpredis_test.php")
    with tempfile.TemporaryDirectory() as directory, client_data.serve(directory) as server:
        publish = shlex.join([sys.executable, os.path.abspath(__file__), "--publish", directory])
        return subprocess.run(["php", script, str(server.port), publish], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
