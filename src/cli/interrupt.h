// Interrupt: SIGINT and SIGTERM as a flag, so that long work ends cleanly and removes its
// temporary files.
//
// Threads: one Interrupt at a time; the flag from any thread.
#pragma once

#include <atomic>
#include <csignal>

namespace larder::cli {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  static const std::atomic<bool>& requested();

 private:
  struct sigaction before_int_;
  struct sigaction before_term_;
};

}  // namespace larder::cli
