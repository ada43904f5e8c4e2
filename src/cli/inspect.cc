// larder inspect: what a Snapshot says about itself.
#include <memory>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/json.h"
#include "cli/subcommands.h"
#include "snapshot/snapshot.h"

namespace larder::cli {

namespace {

double PerKey(uint64_t bytes, uint64_t keys) {
  return keys == 0 ? 0 : static_cast<double>(bytes) / static_cast<double>(keys);
}

std::string Hex(uint64_t number) { return fmt::format("{:016x}", number); }

Json DescribeRecords(const snapshot::Header& header) {
  Json by_type = Json::object();
  for (int type = 0; type < kValueTypeCount; ++type)
    by_type[std::string(ValueTypeName(static_cast<ValueType>(type)))] =
        header.records_by_type[static_cast<size_t>(type)];
  return {{"live", header.record_count},         {"by_type", by_type},
          {"expiring", header.expiries.records}, {"dead", header.dead_records},
          {"dead_bytes", header.dead_bytes},     {"collections", header.collection_count}};
}

// Everything as JSON; the text for people is made from the same.
Json Describe(const snapshot::Snapshot& snapshot) {
  const snapshot::Header& header = snapshot.header();
  const uint64_t keys = header.record_count;
  const uint64_t index_bytes = header.index_total_buckets * 64;
  const uint64_t resident = snapshot.mapping().ResidentBytes();
  Json metadata = Json::object();
  for (const auto& [name, value] : snapshot.Metadata()) metadata[name] = value;
  return {{"file", snapshot.path()},
          {"format_version", header.format_version},
          {"file_bytes", header.file_bytes},
          {"resident_bytes", resident},
          {"bytes_per_key", PerKey(header.file_bytes, keys)},
          {"resident_bytes_per_key", PerKey(resident, keys)},
          {"records", DescribeRecords(header)},
          {"index",
           {{"bytes", index_bytes},
            {"bytes_per_key", PerKey(index_bytes, keys)},
            {"home_buckets", header.index_home_buckets},
            {"total_buckets", header.index_total_buckets},
            {"longest_chain", header.longest_chain}}},
          {"sections",
           {{"records_end", header.records_end},
            {"index_offset", header.index_offset},
            {"directory_offset", header.directory_offset},
            {"directory_bytes", header.directory_bytes},
            {"metadata_offset", header.metadata_offset},
            {"metadata_bytes", header.metadata_bytes},
            {"checksums_offset", header.checksums_offset},
            {"checksum_count", header.checksum_count}}},
          {"separator", header.separator ? Json(std::string(1, *header.separator)) : Json()},
          {"key_seed", Hex(header.key_seed)},
          {"member_seed", Hex(header.member_seed)},
          {"metadata", metadata}};
}

void PrintText(const Json& facts, int indent) {
  for (const auto& [name, value] : facts.items()) {
    if (value.is_object()) {
      fmt::print("{:{}}{}:\n", "", indent, name);
      PrintText(value, indent + 2);
    } else if (value.is_number_float()) {
      fmt::print("{:{}}{}: {:.2f}\n", "", indent, name, value.get<double>());
    } else if (value.is_string()) {
      fmt::print("{:{}}{}: {}\n", "", indent, name, value.get<std::string>());
    } else if (value.is_null()) {
      fmt::print("{:{}}{}: none\n", "", indent, name);
    } else {
      fmt::print("{:{}}{}: {}\n", "", indent, name, value.dump());
    }
  }
}

int RunInspect(const std::string& path, bool json) {
  const auto snapshot = snapshot::Snapshot::Open(io::RealFileSystem(), path);
  if (!snapshot) return ReportError(snapshot.error());
  const Json facts = Describe(**snapshot);
  if (json) {
    PrintJson(facts);
  } else {
    PrintText(facts, 0);
  }
  return kExitOk;
}

}  // namespace

void AddInspect(CLI::App& app, Run& chosen) {
  auto path = std::make_shared<std::string>();
  auto json = std::make_shared<bool>(false);
  CLI::App* const inspect = app.add_subcommand("inspect", "Show what a Snapshot file contains");
  inspect->add_option("FILE", *path, "A .snap file")->required();
  inspect->add_flag("--json", *json, "Report as JSON");
  inspect->footer(
      "Examples:\n  larder inspect features.snap\n  larder inspect --json features.snap");
  inspect->callback(
      [path, json, &chosen] { chosen = [path, json] { return RunInspect(*path, *json); }; });
}

}  // namespace larder::cli
