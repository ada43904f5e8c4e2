// Announcer: tells clients what happens to the stores: a message on the store's channel for those
// who subscribe, and Redis's invalidation of all keys for those who track, when what is served has
// changed. Both after every worker has moved: whoever is told of a version and asks again reads it.
//
// The channel of store NAME is "__larder__:NAME"; a message is one JSON object (docs/operations.md,
// "Announcements").
//
// Ownership:  listens to the catalogue from its making to its end.
// Threads:    made and destroyed by one; told by whatever thread changes a store, and waits for
//             nobody but the locks of the hub and the mailboxes.
#pragma once

#include <string>

#include "dataset/event_listeners.h"
#include "server/shared_state.h"

namespace larder::server {

std::string AnnouncementChannel(const std::string& store);
std::string AnnouncementText(const dataset::Event& event);

class Announcer final : public dataset::EventListener {
 public:
  explicit Announcer(SharedState& shared);
  ~Announcer() override;
  Announcer(const Announcer&) = delete;
  Announcer& operator=(const Announcer&) = delete;

  void Happened(const dataset::Event& event) override;
  void StoresChanged() override;

 private:
  SharedState& shared_;
};

}  // namespace larder::server
