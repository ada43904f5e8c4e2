// LoadConnection: one connection of the load generator: sends requests, reads and checks replies.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "latencies.h"
#include "reply_check.h"
#include "reply_reader.h"
#include "workload.h"

namespace larder::bench {

using Clock = std::chrono::steady_clock;

// What all connections of a load have in common.
struct LoadPlan {
  std::string host = "127.0.0.1";
  uint16_t port = 6380;
  Protocol protocol = Protocol::kResp2;
  size_t keys_per_request = 1;
  bool any_reply = false;  // count replies as long as the first one and believe them
  bool paced = false;      // a latency for each request; otherwise for each batch
};

struct Tally {
  Findings findings;
  Latencies latencies;
};

class LoadConnection {
 public:
  LoadConnection(const LoadPlan& plan, const Workload& workload, const RecordSet& set,
                 const Choice& choice, ReplyChecker& checker, uint64_t seed);
  ~LoadConnection();
  LoadConnection(const LoadConnection&) = delete;
  LoadConnection& operator=(const LoadConnection&) = delete;

  int fd() const { return fd_; }
  bool idle() const { return due_.empty(); }
  bool unsent() const { return sent_ < output_.size(); }
  bool watches_output = false;  // the loop's note

  // Sends so many requests, due now or a while ago.
  void Send(int requests, Clock::time_point due);
  void Flush();
  // Reads and checks what has come. Throws when the connection has ended.
  void Receive(Tally& tally);

 private:
  void Connect(const LoadPlan& plan);
  void SpeakResp3();
  size_t TakeReply(std::string_view data, Findings& findings);

  const LoadPlan& plan_;
  const Workload& workload_;
  Choice choice_;
  RequestWriter writer_;
  ReplyChecker& checker_;
  int fd_ = -1;
  std::string output_;
  size_t sent_ = 0;
  std::deque<Clock::time_point> due_;  // of the requests under way
  std::vector<Asked> asked_;           // from first_asked_ on, keys_per_request for each of them
  size_t first_asked_ = 0;
  std::vector<char> input_;
  size_t filled_ = 0;
  size_t any_reply_bytes_ = 0;  // where any reply will do
  std::vector<ReplyItem> items_;
  Seen seen_;
};

}  // namespace larder::bench
