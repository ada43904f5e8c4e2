"""How often a test repeats itself: LARDER_TEST_SCALE, as src/base/test_scale.h reads it."""

import os


def scaled(full, least=1):
    percent = int(os.environ.get("LARDER_TEST_SCALE") or 100) or 100
    return max(least, full * percent // 100)
