// The handlers of all commands, one file per family. Called by the dispatcher only, through the
// table, once arity and flags have been checked.
#pragma once

#include "command/spec.h"

namespace larder::command {

// connection.cc
void ClientGetName(Context& context, Arguments args);
void ClientHelp(Context& context, Arguments args);
void ClientId(Context& context, Arguments args);
void ClientSetInfo(Context& context, Arguments args);
void ClientSetName(Context& context, Arguments args);
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
void CommandGetKeys(Context& context, Arguments args);
void CommandGetKeysAndFlags(Context& context, Arguments args);
void CommandHelp(Context& context, Arguments args);
void CommandInfo(Context& context, Arguments args);
void CommandList(Context& context, Arguments args);

// config.cc
void ConfigGet(Context& context, Arguments args);
void ConfigHelp(Context& context, Arguments args);
void ConfigResetStat(Context& context, Arguments args);
void ConfigSet(Context& context, Arguments args);

// server_info.cc
void DbSize(Context& context, Arguments args);
void Info(Context& context, Arguments args);
void LastSave(Context& context, Arguments args);
void Role(Context& context, Arguments args);
void Time(Context& context, Arguments args);
void Wait(Context& context, Arguments args);

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
void ExpireTime(Context& context, Arguments args);
void KeysMatching(Context& context, Arguments args);
void PExpireTime(Context& context, Arguments args);
void Pttl(Context& context, Arguments args);
void RandomKey(Context& context, Arguments args);
void Scan(Context& context, Arguments args);
void Touch(Context& context, Arguments args);
void Ttl(Context& context, Arguments args);
void Type(Context& context, Arguments args);

// strings.cc
void Get(Context& context, Arguments args);
void GetRange(Context& context, Arguments args);
void Lcs(Context& context, Arguments args);
void MGet(Context& context, Arguments args);
void StrLen(Context& context, Arguments args);
void SubStr(Context& context, Arguments args);

// hashes.cc
void HExists(Context& context, Arguments args);
void HGet(Context& context, Arguments args);
void HGetAll(Context& context, Arguments args);
void HKeys(Context& context, Arguments args);
void HLen(Context& context, Arguments args);
void HMGet(Context& context, Arguments args);
void HRandField(Context& context, Arguments args);
void HScan(Context& context, Arguments args);
void HStrLen(Context& context, Arguments args);
void HVals(Context& context, Arguments args);

// lists.cc
void LIndex(Context& context, Arguments args);
void LLen(Context& context, Arguments args);
void LPos(Context& context, Arguments args);
void LRange(Context& context, Arguments args);

// sets.cc
void SCard(Context& context, Arguments args);
void SIsMember(Context& context, Arguments args);
void SMIsMember(Context& context, Arguments args);
void SMembers(Context& context, Arguments args);
void SRandMember(Context& context, Arguments args);
void SScan(Context& context, Arguments args);

// sorted_sets.cc
void ZCard(Context& context, Arguments args);
void ZCount(Context& context, Arguments args);
void ZLexCount(Context& context, Arguments args);
void ZMScore(Context& context, Arguments args);
void ZRandMember(Context& context, Arguments args);
void ZRank(Context& context, Arguments args);
void ZRevRank(Context& context, Arguments args);
void ZScan(Context& context, Arguments args);
void ZScore(Context& context, Arguments args);

// authentication.cc
void Auth(Context& context, Arguments args);
void AclCat(Context& context, Arguments args);
void AclDryRun(Context& context, Arguments args);
void AclGenPass(Context& context, Arguments args);
void AclGetUser(Context& context, Arguments args);
void AclHelp(Context& context, Arguments args);
void AclList(Context& context, Arguments args);
void AclUsers(Context& context, Arguments args);
void AclWhoAmI(Context& context, Arguments args);
void AclLog(Context& context, Arguments args);

// transactions.cc
void Discard(Context& context, Arguments args);
void Exec(Context& context, Arguments args);
void Multi(Context& context, Arguments args);
void Unwatch(Context& context, Arguments args);
void Watch(Context& context, Arguments args);

// client_list.cc
void ClientInfoLine(Context& context, Arguments args);
void ClientList(Context& context, Arguments args);

// client_control.cc
void ClientCaching(Context& context, Arguments args);
void ClientGetRedir(Context& context, Arguments args);
void ClientKill(Context& context, Arguments args);
void ClientNoEvict(Context& context, Arguments args);
void ClientNoTouch(Context& context, Arguments args);
void ClientPause(Context& context, Arguments args);
void ClientReply(Context& context, Arguments args);
void ClientTracking(Context& context, Arguments args);
void ClientTrackingInfo(Context& context, Arguments args);
void ClientUnblock(Context& context, Arguments args);
void ClientUnpause(Context& context, Arguments args);

// channels.cc
void PSubscribe(Context& context, Arguments args);
void Publish(Context& context, Arguments args);
void PubSubChannels(Context& context, Arguments args);
void PubSubHelp(Context& context, Arguments args);
void PubSubNumPat(Context& context, Arguments args);
void PubSubNumSub(Context& context, Arguments args);
void PubSubShardChannels(Context& context, Arguments args);
void PubSubShardNumSub(Context& context, Arguments args);
void PUnsubscribe(Context& context, Arguments args);
void SPublish(Context& context, Arguments args);
void SSubscribe(Context& context, Arguments args);
void Subscribe(Context& context, Arguments args);
void SUnsubscribe(Context& context, Arguments args);
void Unsubscribe(Context& context, Arguments args);

// monitor.cc
void Monitor(Context& context, Arguments args);

// slow_log.cc
void SlowLogGet(Context& context, Arguments args);
void SlowLogHelp(Context& context, Arguments args);
void SlowLogLen(Context& context, Arguments args);
void SlowLogReset(Context& context, Arguments args);

// latency.cc
void LatencyDoctor(Context& context, Arguments args);
void LatencyGraph(Context& context, Arguments args);
void LatencyHelp(Context& context, Arguments args);
void LatencyHistogram(Context& context, Arguments args);
void LatencyHistory(Context& context, Arguments args);
void LatencyLatest(Context& context, Arguments args);
void LatencyReset(Context& context, Arguments args);

// memory.cc
void MemoryDoctor(Context& context, Arguments args);
void MemoryHelp(Context& context, Arguments args);
void MemoryMallocStats(Context& context, Arguments args);
void MemoryPurge(Context& context, Arguments args);
void MemoryStats(Context& context, Arguments args);
void MemoryUsage(Context& context, Arguments args);

// modules.cc
void ModuleHelp(Context& context, Arguments args);
void ModuleList(Context& context, Arguments args);

// cluster.cc
void NoCluster(Context& context, Arguments args);

// scripting.cc
void EvalSha(Context& context, Arguments args);
void FunctionCall(Context& context, Arguments args);
void FunctionDump(Context& context, Arguments args);
void FunctionHelp(Context& context, Arguments args);
void FunctionKill(Context& context, Arguments args);
void FunctionList(Context& context, Arguments args);
void FunctionStats(Context& context, Arguments args);
void ScriptExists(Context& context, Arguments args);
void ScriptFlush(Context& context, Arguments args);
void ScriptHelp(Context& context, Arguments args);
void ScriptKill(Context& context, Arguments args);

// help.cc
void XGroupHelp(Context& context, Arguments args);

// lolwut.cc
void Lolwut(Context& context, Arguments args);

// object.cc
void ObjectEncoding(Context& context, Arguments args);
void ObjectFreq(Context& context, Arguments args);
void ObjectHelp(Context& context, Arguments args);
void ObjectIdleTime(Context& context, Arguments args);
void ObjectRefCount(Context& context, Arguments args);

// dump.cc
void Dump(Context& context, Arguments args);

// sort.cc
void SortReadOnly(Context& context, Arguments args);

// bits.cc
void BitCount(Context& context, Arguments args);
void BitFieldReadOnly(Context& context, Arguments args);
void BitPos(Context& context, Arguments args);
void GetBit(Context& context, Arguments args);

// hyperloglog.cc
void PfCount(Context& context, Arguments args);

// streams.cc
void XInfoConsumers(Context& context, Arguments args);
void XInfoGroups(Context& context, Arguments args);
void XInfoHelp(Context& context, Arguments args);
void XInfoStream(Context& context, Arguments args);
void XLen(Context& context, Arguments args);
void XPending(Context& context, Arguments args);
void XRange(Context& context, Arguments args);
void XRead(Context& context, Arguments args);
void XRevRange(Context& context, Arguments args);

// set_algebra.cc
void SDiff(Context& context, Arguments args);
void SInter(Context& context, Arguments args);
void SInterCard(Context& context, Arguments args);
void SUnion(Context& context, Arguments args);

// sorted_set_ranges.cc
void ZRange(Context& context, Arguments args);
void ZRangeByLex(Context& context, Arguments args);
void ZRangeByScore(Context& context, Arguments args);
void ZRevRange(Context& context, Arguments args);
void ZRevRangeByLex(Context& context, Arguments args);
void ZRevRangeByScore(Context& context, Arguments args);

// sorted_set_algebra.cc
void ZDiff(Context& context, Arguments args);
void ZInter(Context& context, Arguments args);
void ZInterCard(Context& context, Arguments args);
void ZUnion(Context& context, Arguments args);

// geo.cc
void GeoDist(Context& context, Arguments args);
void GeoHash(Context& context, Arguments args);
void GeoPos(Context& context, Arguments args);
void GeoRadiusByMemberReadOnly(Context& context, Arguments args);
void GeoRadiusReadOnly(Context& context, Arguments args);
void GeoSearch(Context& context, Arguments args);

// json.cc
void JsonArrLen(Context& context, Arguments args);
void JsonGet(Context& context, Arguments args);
void JsonMGet(Context& context, Arguments args);
void JsonObjKeys(Context& context, Arguments args);
void JsonObjLen(Context& context, Arguments args);
void JsonResp(Context& context, Arguments args);
void JsonStrLen(Context& context, Arguments args);
void JsonType(Context& context, Arguments args);

}  // namespace larder::command
