// Channels: SUBSCRIBE and its kin, PUBLISH, PUBSUB.
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/glob.h"
#include "command/arguments.h"
#include "command/context.h"
#include "command/handlers.h"
#include "command/help.h"

namespace larder::command {
namespace {

using Reply = resp::ReplyWriter;

void PushHead(Reply& reply, uint64_t count) {
  if (reply.protocol() >= 3) return reply.Push(count);
  reply.Array(count);
}

// Redis counts shard channels by themselves, channels and patterns together.
uint64_t SubscriptionsToTell(const Context& context, ChannelKind kind) {
  const auto count = [&context](ChannelKind of) {
    return context.host.SubscriptionCount(context.session, of);
  };
  if (kind == ChannelKind::kShard) return count(kind);
  return count(ChannelKind::kChannel) + count(ChannelKind::kPattern);
}

void TellChange(Context& context, std::string_view what, ChannelKind kind, std::string_view name) {
  PushHead(context.reply, 3);
  context.reply.Bulk(what);
  context.reply.Bulk(name);
  context.reply.Integer(static_cast<int64_t>(SubscriptionsToTell(context, kind)));
}

void SubscribeAll(Context& context, Arguments args, std::string_view what, ChannelKind kind) {
  for (const std::string_view name : args.subspan(1)) {
    context.host.Subscribe(context.session, kind, name);
    TellChange(context, what, kind, name);
  }
}

void UnsubscribeAll(Context& context, Arguments args, std::string_view what, ChannelKind kind) {
  const auto leave = [&](std::string_view name) {
    context.host.Unsubscribe(context.session, kind, name);
    TellChange(context, what, kind, name);
  };
  for (const std::string_view name : args.subspan(1)) leave(name);
  if (args.size() > 1) return;
  const std::vector<std::string> names = context.host.Subscriptions(context.session, kind);
  for (const std::string& name : names) leave(name);
  if (!names.empty()) return;
  PushHead(context.reply, 3);
  context.reply.Bulk(what);
  context.reply.Null();
  context.reply.Integer(static_cast<int64_t>(SubscriptionsToTell(context, kind)));
}

void PublishTo(Context& context, Arguments args, ChannelKind kind) {
  context.reply.Integer(static_cast<int64_t>(context.host.Publish(kind, args[1], args[2])));
}

void TellNames(Context& context, Arguments args, ChannelKind kind) {
  if (args.size() > 3) {
    return context.reply.Error(fmt::format(
        "ERR unknown subcommand or wrong number of arguments for '{}'. Try PUBSUB HELP.",
        CString(args[1]).substr(0, 128)));
  }
  auto channels = context.host.Channels(kind);
  if (args.size() == 3) {
    std::erase_if(channels,
                  [&args](const auto& channel) { return !GlobMatches(args[2], channel.first); });
  }
  context.reply.Array(channels.size());
  for (const auto& [name, subscribers] : channels) context.reply.Bulk(name);
}

void TellSubscribers(Context& context, Arguments args, ChannelKind kind) {
  const Arguments names = args.subspan(2);
  context.reply.Array(names.size() * 2);
  for (const std::string_view name : names) {
    context.reply.Bulk(name);
    context.reply.Integer(static_cast<int64_t>(context.host.Subscribers(kind, name)));
  }
}

}  // namespace

void Subscribe(Context& context, Arguments args) {
  SubscribeAll(context, args, "subscribe", ChannelKind::kChannel);
}

void PSubscribe(Context& context, Arguments args) {
  SubscribeAll(context, args, "psubscribe", ChannelKind::kPattern);
}

void SSubscribe(Context& context, Arguments args) {
  if (context.in_transaction) {
    return context.reply.Error("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
  }
  SubscribeAll(context, args, "ssubscribe", ChannelKind::kShard);
}

void Unsubscribe(Context& context, Arguments args) {
  UnsubscribeAll(context, args, "unsubscribe", ChannelKind::kChannel);
}

void PUnsubscribe(Context& context, Arguments args) {
  UnsubscribeAll(context, args, "punsubscribe", ChannelKind::kPattern);
}

void SUnsubscribe(Context& context, Arguments args) {
  UnsubscribeAll(context, args, "sunsubscribe", ChannelKind::kShard);
}

void Publish(Context& context, Arguments args) { PublishTo(context, args, ChannelKind::kChannel); }

void SPublish(Context& context, Arguments args) { PublishTo(context, args, ChannelKind::kShard); }

void PubSubChannels(Context& context, Arguments args) {
  TellNames(context, args, ChannelKind::kChannel);
}

void PubSubShardChannels(Context& context, Arguments args) {
  TellNames(context, args, ChannelKind::kShard);
}

void PubSubNumSub(Context& context, Arguments args) {
  TellSubscribers(context, args, ChannelKind::kChannel);
}

void PubSubShardNumSub(Context& context, Arguments args) {
  TellSubscribers(context, args, ChannelKind::kShard);
}

void PubSubNumPat(Context& context, Arguments /*args*/) {
  context.reply.Integer(static_cast<int64_t>(context.host.Channels(ChannelKind::kPattern).size()));
}

void PubSubHelp(Context& context, Arguments /*args*/) { AnswerHelp(context, "pubsub"); }

}  // namespace larder::command
