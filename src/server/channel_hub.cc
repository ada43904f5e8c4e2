#include "server/channel_hub.h"

#include <fmt/format.h>

#include "base/glob.h"

namespace larder::server {

using command::ChannelKind;

uint64_t ChannelHub::Join(unsigned worker, ChannelKind kind, std::string_view name) {
  const MutexLock lock(mutex_);
  Index& index = IndexOf(kind);
  auto found = index.find(name);
  if (found == index.end()) found = index.emplace(std::string(name), Subscribed()).first;
  Subscribed& subscribed = found->second;
  if (subscribed.by_worker.size() <= worker) subscribed.by_worker.resize(worker + 1);
  ++subscribed.by_worker[worker];
  ++subscribed.total;
  return ++last_place_;
}

void ChannelHub::Leave(unsigned worker, ChannelKind kind, std::string_view name) {
  const MutexLock lock(mutex_);
  Index& index = IndexOf(kind);
  const auto found = index.find(name);
  --found->second.by_worker[worker];
  if (--found->second.total == 0) index.erase(found);
}

uint64_t ChannelHub::AddReceivers(const Subscribed& subscribed, std::vector<bool>& workers) {
  if (workers.size() < subscribed.by_worker.size()) workers.resize(subscribed.by_worker.size());
  for (size_t i = 0; i < subscribed.by_worker.size(); ++i) {
    if (subscribed.by_worker[i] != 0) workers[i] = true;
  }
  return subscribed.total;
}

ChannelHub::Sent ChannelHub::Publish(ChannelKind kind, std::string_view channel,
                                     std::string_view message, uint64_t publisher) {
  const MutexLock lock(mutex_);
  std::vector<bool> workers;
  uint64_t receivers = 0;
  const auto found = IndexOf(kind).find(channel);
  if (found != IndexOf(kind).end()) receivers += AddReceivers(found->second, workers);
  if (kind == ChannelKind::kChannel) {
    for (const auto& [pattern, subscribed] : IndexOf(ChannelKind::kPattern)) {
      if (GlobMatches(pattern, channel)) receivers += AddReceivers(subscribed, workers);
    }
  }
  if (receivers == 0) return {};
  auto publication = std::make_shared<Publication>();
  publication->kind = kind;
  publication->place = ++last_place_;
  publication->publisher = publisher;
  publication->channel = channel;
  publication->body =
      fmt::format("${}\r\n{}\r\n${}\r\n{}\r\n", channel.size(), channel, message.size(), message);
  for (unsigned worker = 0; worker < workers.size(); ++worker) {
    if (workers[worker]) send_(worker, publication);
  }
  return {std::move(publication), receivers};
}

std::vector<std::pair<std::string, uint64_t>> ChannelHub::Names(ChannelKind kind) const {
  const MutexLock lock(mutex_);
  std::vector<std::pair<std::string, uint64_t>> names;
  for (const auto& [name, subscribed] : IndexOf(kind)) names.emplace_back(name, subscribed.total);
  return names;
}

uint64_t ChannelHub::Subscribers(ChannelKind kind, std::string_view name) const {
  const MutexLock lock(mutex_);
  const auto found = IndexOf(kind).find(name);
  return found == IndexOf(kind).end() ? 0 : found->second.total;
}

uint64_t ChannelHub::Count(ChannelKind kind) const {
  const MutexLock lock(mutex_);
  return IndexOf(kind).size();
}

}  // namespace larder::server
