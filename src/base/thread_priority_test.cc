#include "base/thread_priority.h"

#include <thread>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

namespace larder {
namespace {

int PriorityOfThisThread() { return getpriority(PRIO_PROCESS, static_cast<id_t>(gettid())); }

TEST(ThreadPriority, IsLoweredForTheThreadAndThoseItStartsAndForNoOther) {
  const int before = PriorityOfThisThread();
  int lowered = -1;
  int inherited = -1;
  std::thread([&] {
    LowerThreadPriority();
    lowered = PriorityOfThisThread();
    std::thread([&] { inherited = PriorityOfThisThread(); }).join();
  }).join();
  EXPECT_EQ(lowered, kLowPriorityNice);
  EXPECT_EQ(inherited, kLowPriorityNice);
  EXPECT_EQ(PriorityOfThisThread(), before);
}

}  // namespace
}  // namespace larder
