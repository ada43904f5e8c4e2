#include "server/followers.h"

#include "base/glob.h"

namespace larder::server {

using command::ChannelKind;

void Followers::Join(Connection& connection, ChannelKind kind, std::string_view name,
                     uint64_t place) {
  Index& index = indices_[static_cast<size_t>(kind)];
  auto found = index.find(name);
  if (found == index.end()) {
    found = index.emplace(std::string(name), std::vector<Subscriber>()).first;
  }
  found->second.push_back({&connection, place});
}

void Followers::Leave(Connection& connection, ChannelKind kind, std::string_view name) {
  Index& index = indices_[static_cast<size_t>(kind)];
  const auto found = index.find(name);
  if (found == index.end()) return;
  std::erase_if(found->second, [&connection](const Subscriber& subscriber) {
    return subscriber.connection == &connection;
  });
  if (found->second.empty()) index.erase(found);
}

void Followers::ForEach(const Publication& publication, const Deliver& deliver) const {
  const auto deliver_all = [&](const std::vector<Subscriber>& subscribers,
                               const std::string* pattern) {
    for (const Subscriber& subscriber : subscribers) {
      if (subscriber.place < publication.place) deliver(*subscriber.connection, pattern);
    }
  };
  const Index& index = indices_[static_cast<size_t>(publication.kind)];
  const auto found = index.find(publication.channel);
  if (found != index.end()) deliver_all(found->second, nullptr);
  if (publication.kind != ChannelKind::kChannel) return;
  for (const auto& [pattern, subscribers] : indices_[static_cast<size_t>(ChannelKind::kPattern)]) {
    if (GlobMatches(pattern, publication.channel)) deliver_all(subscribers, &pattern);
  }
}

}  // namespace larder::server
