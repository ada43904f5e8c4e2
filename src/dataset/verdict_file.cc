#include "dataset/verdict_file.h"

#include <optional>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "dataset/state_file.h"

namespace larder::dataset {

namespace {

using Json = nlohmann::ordered_json;

constexpr uint64_t kFormatVersion = 1;

std::string_view JudgeName(Judge judge) {
  return judge == Judge::kProbation ? "probation" : "gates";
}

// The member when it is there and of that type.
const Json* Member(const Json& object, const char* name, bool (Json::*is_type)() const noexcept) {
  const auto found = object.find(name);
  if (found == object.end() || !((*found).*is_type)()) return nullptr;
  return &*found;
}

std::optional<std::string> Text(const Json& object, const char* name) {
  const Json* const member = Member(object, name, &Json::is_string);
  if (member == nullptr) return std::nullopt;
  return *member->get_ptr<const std::string*>();
}

std::optional<uint64_t> Number(const Json& object, const char* name) {
  const Json* const member = Member(object, name, &Json::is_number_unsigned);
  if (member == nullptr) return std::nullopt;
  return *member->get_ptr<const uint64_t*>();
}

std::optional<Verdict> ReadFindings(const Json& document) {
  const Json* const findings = Member(document, "findings", &Json::is_array);
  if (findings == nullptr || findings->empty()) return std::nullopt;
  Verdict verdict;
  for (const Json& finding : *findings) {
    if (!finding.is_object()) return std::nullopt;
    auto gate = Text(finding, "gate");
    auto sentence = Text(finding, "sentence");
    if (!gate || !sentence) return std::nullopt;
    verdict.push_back({.gate = *std::move(gate), .sentence = *std::move(sentence)});
  }
  return verdict;
}

std::optional<Refusal> ReadRefusal(const Json& document) {
  const auto version = Number(document, "version");
  const auto refused_at_ms = Number(document, "refused_at_ms");
  const auto by = Text(document, "by");
  auto findings = ReadFindings(document);
  if (!version || !refused_at_ms || !by || !findings) return std::nullopt;
  if (*version == 0 || *version >= kVersionNumberLimit || *refused_at_ms > INT64_MAX) {
    return std::nullopt;
  }
  if (*by != JudgeName(Judge::kGates) && *by != JudgeName(Judge::kProbation)) return std::nullopt;
  return Refusal{.version = *version,
                 .refused_at_ms = static_cast<int64_t>(*refused_at_ms),
                 .by = *by == JudgeName(Judge::kGates) ? Judge::kGates : Judge::kProbation,
                 .findings = *std::move(findings)};
}

}  // namespace

std::string EncodeVerdict(const Refusal& refusal) {
  Json findings = Json::array();
  for (const Finding& finding : refusal.findings) {
    findings.push_back({{"gate", finding.gate}, {"sentence", finding.sentence}});
  }
  const Json document = {{"format", kFormatVersion},
                         {"version", refusal.version},
                         {"refused_at_ms", static_cast<uint64_t>(refusal.refused_at_ms)},
                         {"by", JudgeName(refusal.by)},
                         {"findings", std::move(findings)}};
  return document.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Refusal> ParseVerdict(std::string_view bytes) {
  const Json document = Json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  const auto format = document.is_object() ? Number(document, "format") : std::nullopt;
  if (!format) return Fail(ErrorCode::kCorrupt, "it is no JSON object with a format");
  if (*format > kFormatVersion) {
    return Fail(ErrorCode::kUnsupported,
                fmt::format("format {}, this program understands {}", *format, kFormatVersion));
  }
  auto refusal = ReadRefusal(document);
  if (!refusal) return Fail(ErrorCode::kCorrupt, "its members are not those of format 1");
  return *std::move(refusal);
}

}  // namespace larder::dataset
