#include <gtest/gtest.h>

#include "command/test_stores.h"
