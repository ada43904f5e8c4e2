// The handlers of all commands, one file per family. Called by the dispatcher only, through the
// table, once arity and flags have been checked.
#pragma once

#include "command/spec.h"

namespace larder::command {

// connection.cc
void ClientId(Context& context, Arguments args);
void ClientSetName(Context& context, Arguments args);
void ClientGetName(Context& context, Arguments args);
void ClientInfoLine(Context& context, Arguments args);
void ClientList(Context& context, Arguments args);
void ClientHelp(Context& context, Arguments args);
void ClientSetInfo(Context& context, Arguments args);
void Echo(Context& context, Arguments args);
void Hello(Context& context, Arguments args);
void Ping(Context& context, Arguments args);
void Quit(Context& context, Arguments args);
void Reset(Context& context, Arguments args);
void Select(Context& context, Arguments args);

// introspection.cc
void CommandAll(Context& context, Arguments args);
void CommandCount(Context& context, Arguments args);
void CommandDocs(Context& context, Arguments args);
void CommandInfo(Context& context, Arguments args);
void CommandList(Context& context, Arguments args);
void CommandHelp(Context& context, Arguments args);

// server_info.cc
void ConfigGet(Context& context, Arguments args);
void ConfigHelp(Context& context, Arguments args);
void DbSize(Context& context, Arguments args);
void Info(Context& context, Arguments args);
void Time(Context& context, Arguments args);

// larder.cc
void LarderAccept(Context& context, Arguments args);
void LarderDatasets(Context& context, Arguments args);
void LarderVersions(Context& context, Arguments args);
void LarderRollback(Context& context, Arguments args);
void LarderPin(Context& context, Arguments args);
void LarderUnpin(Context& context, Arguments args);
void LarderReload(Context& context, Arguments args);
void LarderHelp(Context& context, Arguments args);
void LarderLogLevel(Context& context, Arguments args);

// keys.cc
void Exists(Context& context, Arguments args);
void KeysMatching(Context& context, Arguments args);
void Pttl(Context& context, Arguments args);
void RandomKey(Context& context, Arguments args);
void Scan(Context& context, Arguments args);
void Ttl(Context& context, Arguments args);
void Type(Context& context, Arguments args);

// strings.cc
void Get(Context& context, Arguments args);
void GetRange(Context& context, Arguments args);
void MGet(Context& context, Arguments args);
void StrLen(Context& context, Arguments args);

// hashes.cc
void HExists(Context& context, Arguments args);
void HGet(Context& context, Arguments args);
void HGetAll(Context& context, Arguments args);
void HKeys(Context& context, Arguments args);
void HLen(Context& context, Arguments args);
void HMGet(Context& context, Arguments args);
void HScan(Context& context, Arguments args);
void HVals(Context& context, Arguments args);

// lists.cc
void LIndex(Context& context, Arguments args);
void LLen(Context& context, Arguments args);
void LRange(Context& context, Arguments args);

// sets.cc
void SCard(Context& context, Arguments args);
void SIsMember(Context& context, Arguments args);
void SMembers(Context& context, Arguments args);
void SScan(Context& context, Arguments args);

// sorted_sets.cc
void ZCard(Context& context, Arguments args);
void ZCount(Context& context, Arguments args);
void ZRange(Context& context, Arguments args);
void ZRank(Context& context, Arguments args);
void ZScan(Context& context, Arguments args);
void ZScore(Context& context, Arguments args);

}  // namespace larder::command
