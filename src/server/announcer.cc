#include "server/announcer.h"

#include <string_view>

#include <nlohmann/json.hpp>

namespace larder::server {

namespace {

using Kind = dataset::Event::Kind;

std::string_view NameOf(Kind kind) {
  switch (kind) {
    case Kind::kSwitched:
      return "switched";
    case Kind::kRolledBack:
      return "rolled_back";
    case Kind::kRefused:
      return "refused";
    case Kind::kDamaged:
      return "damaged";
    case Kind::kFailed:
      return "failed";
  }
  return "";
}

bool ChangesWhatIsServed(Kind kind) { return kind != Kind::kRefused && kind != Kind::kFailed; }

}  // namespace

std::string AnnouncementChannel(const std::string& store) { return "__larder__:" + store; }

std::string AnnouncementText(const dataset::Event& event) {
  nlohmann::ordered_json text;
  text["event"] = NameOf(event.kind);
  text["store"] = event.store;
  text["previous"] = event.previous;
  text["current"] = event.current;
  if (event.version != 0) text["version"] = event.version;
  if (!event.reason.empty()) text["reason"] = event.reason;
  // Reasons repeat bytes of files, which need not be text.
  return text.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Announcer::Announcer(SharedState& shared) : shared_(shared) {
  shared_.catalogue.listeners().Add(*this);
}

Announcer::~Announcer() { shared_.catalogue.listeners().Remove(*this); }

void Announcer::Happened(const dataset::Event& event) {
  if (ChangesWhatIsServed(event.kind)) shared_.SendInvalidations();
  const std::string channel = AnnouncementChannel(event.store);
  if (shared_.channels.Count(command::ChannelKind::kChannel) == 0 &&
      shared_.channels.Count(command::ChannelKind::kPattern) == 0) {
    return;
  }
  shared_.channels.Publish(command::ChannelKind::kChannel, channel, AnnouncementText(event), 0);
}

void Announcer::StoresChanged() { shared_.SendInvalidations(); }

}  // namespace larder::server
