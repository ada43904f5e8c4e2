// JSON for scripts: one document on stdout (nlohmann-json underneath).
#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace larder::cli {

using Json = nlohmann::ordered_json;

// Two-space indented, a newline at the end. Bytes that are not UTF-8 become U+FFFD: what may have
// them is put in with PutBytes.
void PrintJson(const Json& document);

// On one line, for a stream of documents; flushed.
void PrintJsonLine(const Json& document);

// `object[name] = bytes`; what is not UTF-8 stands as base64, and NAME_encoding says so (for
// "value": "encoding", as in short JSONL).
void PutBytes(Json& object, const std::string& name, std::string_view bytes);

bool IsUtf8(std::string_view bytes);
std::string Base64(std::string_view bytes);

// As a JSON string, quotes included; bytes that are not UTF-8 as \xNN.
std::string JsonText(std::string_view bytes);

}  // namespace larder::cli
