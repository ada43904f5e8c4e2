// The tips of COMMAND INFO, as the tables share them. For command/table/ only.
#pragma once

#include <string_view>

namespace larder::command {

inline constexpr std::string_view kTipsNondeterministicOutput[] = {"nondeterministic_output"};
inline constexpr std::string_view kTipsNondeterministicOutputOrder[] = {
    "nondeterministic_output_order"};
inline constexpr std::string_view
    kTipsNondeterministicOutputRequestPolicyAllNodesResponsePolicySpecial[] = {
        "nondeterministic_output", "request_policy:all_nodes", "response_policy:special"};
inline constexpr std::string_view
    kTipsNondeterministicOutputRequestPolicyAllShardsResponsePolicySpecial[] = {
        "nondeterministic_output", "request_policy:all_shards", "response_policy:special"};
inline constexpr std::string_view kTipsNondeterministicOutputRequestPolicySpecial[] = {
    "nondeterministic_output", "request_policy:special"};
inline constexpr std::string_view kTipsRequestPolicyAllNodesNondeterministicOutput[] = {
    "request_policy:all_nodes", "nondeterministic_output"};
inline constexpr std::string_view
    kTipsRequestPolicyAllNodesResponsePolicyAggSumNondeterministicOutput[] = {
        "request_policy:all_nodes", "response_policy:agg_sum", "nondeterministic_output"};
inline constexpr std::string_view kTipsRequestPolicyAllNodesResponsePolicyAllSucceeded[] = {
    "request_policy:all_nodes", "response_policy:all_succeeded"};
inline constexpr std::string_view kTipsRequestPolicyAllShardsNondeterministicOutput[] = {
    "request_policy:all_shards", "nondeterministic_output"};
inline constexpr std::string_view kTipsRequestPolicyAllShardsNondeterministicOutputOrder[] = {
    "request_policy:all_shards", "nondeterministic_output_order"};
inline constexpr std::string_view kTipsRequestPolicyAllShardsResponsePolicyAggLogicalAnd[] = {
    "request_policy:all_shards", "response_policy:agg_logical_and"};
inline constexpr std::string_view kTipsRequestPolicyAllShardsResponsePolicyAggMin[] = {
    "request_policy:all_shards", "response_policy:agg_min"};
inline constexpr std::string_view kTipsRequestPolicyAllShardsResponsePolicyAggSum[] = {
    "request_policy:all_shards", "response_policy:agg_sum"};
inline constexpr std::string_view kTipsRequestPolicyAllShardsResponsePolicyAllSucceeded[] = {
    "request_policy:all_shards", "response_policy:all_succeeded"};
inline constexpr std::string_view kTipsRequestPolicyAllShardsResponsePolicyOneSucceeded[] = {
    "request_policy:all_shards", "response_policy:one_succeeded"};
inline constexpr std::string_view kTipsRequestPolicyMultiShard[] = {"request_policy:multi_shard"};
inline constexpr std::string_view kTipsRequestPolicyMultiShardResponsePolicyAggMin[] = {
    "request_policy:multi_shard", "response_policy:agg_min"};
inline constexpr std::string_view kTipsRequestPolicyMultiShardResponsePolicyAggSum[] = {
    "request_policy:multi_shard", "response_policy:agg_sum"};
inline constexpr std::string_view kTipsRequestPolicyMultiShardResponsePolicyAllSucceeded[] = {
    "request_policy:multi_shard", "response_policy:all_succeeded"};

}  // namespace larder::command
