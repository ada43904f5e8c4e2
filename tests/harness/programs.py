"""The built programs, from the environment that ctest sets (tests/CMakeLists.txt)."""

import os

_BUILD = os.environ.get("LARDER_BINARY_DIR", "build/release")
LARDER = os.environ.get("LARDER_PROGRAM", os.path.join(_BUILD, "larder"))
MAKE_RECORDS = os.path.join(_BUILD, "larder_make_records")
LOAD = os.path.join(_BUILD, "larder_load")
QUEUE_WORKER = os.path.join(_BUILD, "larder_queue_worker")
