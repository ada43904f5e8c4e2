// WorkerHost: the server as the commands of one worker see it (command::Host).
//
// Threads: called by its worker while it executes a command.
#pragma once

#include <string>
#include <string_view>
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
  void Block(command::Session& session, uint64_t timeout_ms, std::string reply) override;
  bool Unblock(uint64_t id, std::string_view error) override;
  const command::Users& users() const override;
  bool Subscribe(command::Session& session, command::ChannelKind kind,
                 std::string_view name) override;
  bool Unsubscribe(command::Session& session, command::ChannelKind kind,
                   std::string_view name) override;
  std::vector<std::string> Subscriptions(const command::Session& session,
                                         command::ChannelKind kind) const override;
  uint64_t SubscriptionCount(const command::Session& session,
                             command::ChannelKind kind) const override;
  uint64_t Publish(command::ChannelKind kind, std::string_view channel,
                   std::string_view message) override;
  std::vector<std::pair<std::string, uint64_t>> Channels(command::ChannelKind kind) const override;
  uint64_t Subscribers(command::ChannelKind kind, std::string_view name) const override;
  Result<void> SetTracking(command::Session& session, command::TrackingOptions options) override;
  command::TrackingOptions Tracking(const command::Session& session) const override;
  void StartMonitoring(command::Session& session) override;
  void StopMonitoring(command::Session& session) override;
  void TellMonitors(std::string_view line) override;
  void Kill(command::Session& session, const std::vector<uint64_t>& ids) override;
  void Pause(uint64_t timeout_ms, bool writes_only) override;
  void Unpause() override;
  Result<void> SetConfig(
      const std::vector<std::pair<std::string_view, std::string_view>>& settings) override;
  void ResetStatistics() override;

 private:
  Worker& worker_;
};

}  // namespace larder::server
