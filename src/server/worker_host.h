// WorkerHost: the server as the commands of one worker see it (command::Host).
//
// Threads: called by its worker while it executes a command.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "command/host.h"

namespace larder::server {

class Worker;

class WorkerHost : public command::Host {
 public:
  explicit WorkerHost(Worker& worker) : worker_(worker) {}

  command::ServerInfo server_info() const override;
  std::vector<command::ClientInfo> clients() const override;
  command::ClientInfo client(const command::Session& session) const override;
  std::vector<std::pair<std::string, std::string>> config() const override;
  void Defer(command::Session& session, WaitsFor waits_for, Work work) override;

 private:
  Worker& worker_;
};

}  // namespace larder::server
