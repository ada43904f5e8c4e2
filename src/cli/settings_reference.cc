// docs/configuration.md, made from the table of settings.
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/settings.h"

namespace larder::cli {

namespace {

constexpr std::string_view kIntroduction = R"(# Configuration

Made from the table in `src/cli/settings.cc` by `cli_test`; do not edit by hand. To make it anew after a
change: `LARDER_REWRITE_DOCS=1 build/release/cli_test`, run in `src/cli/`.

`larder serve --config larder.toml` reads it, `larder check-config larder.toml` tells what is wrong with it:
unknown keys, wrong types, values out of range, two stores or listeners that are one, each with file, line
and column. Relative paths are relative to the file. `examples/larder.toml` is a complete one.

The file is [TOML](https://toml.io/en/v1.0.0). Durations are `"500ms"`, `"5s"`, `"2m"`, `"1h"`; sizes are bytes
or `"64KiB"`, `"512MiB"`, `"1GiB"`; shares are `"30%"`, or `"off"`. A running server takes a changed file
([operations.md](operations.md), "Reloading").

```toml
[server]
threads = 4

[limits]
max_clients = 20000

[log]
format = "json"

[[listener]]
address = "127.0.0.1:6380"

[[listener]]
address = "unix:/run/larder/larder.sock"

[[listener]]
address = "0.0.0.0:6390"
tls_certificate = "/etc/larder/server.pem"
tls_key = "/etc/larder/server.key"

[[user]]
name = "default"
enabled = false

[[user]]
name = "shop"
password_sha256 = "b5d54c39e66671c9731b9f471e585d8262cd4f54963f0c93082d8dcf334d4c78"

[[store]]
name = "features"
source = "/srv/features/features.jsonl.zst"
directory = "/var/lib/larder/features"

[store.gate]
max_record_shrink = "10%"
required_keys = ["model", { key = "weights", type = "hash" }]
canaries = [{ key = "schema", value = "7" }]

[store.probation]
window = "5m"

[[store]]
name = "countries"
source = "/usr/share/iso-codes/json/iso_3166-1.json"
key_field = "alpha_2"
```
)";

std::string_view TypeText(SettingType type) {
  switch (type) {
    case SettingType::kText:
      return "string";
    case SettingType::kTexts:
      return "string or array of them";
    case SettingType::kBoolean:
      return "boolean";
    case SettingType::kNumber:
    case SettingType::kNumberOrWord:
      return "number";
    case SettingType::kChoice:
      return "";
    case SettingType::kDuration:
      return "duration";
    case SettingType::kBytes:
      return "size";
    case SettingType::kShare:
      return "share";
    case SettingType::kTables:
      return "array";
  }
  return "";
}

std::string BoundsText(const Setting& setting) {
  switch (setting.type) {
    case SettingType::kNumber:
    case SettingType::kNumberOrWord:
      if (setting.largest == kAnyNumber)
        return setting.smallest == 0 ? "" : fmt::format(", at least {}", setting.smallest);
      return fmt::format(", {} to {}", setting.smallest, setting.largest);
    case SettingType::kDuration:
      return setting.smallest == 0 ? "" : fmt::format(", at least {} ms", setting.smallest);
    case SettingType::kBytes:
      return setting.smallest == 0 ? "" : fmt::format(", at least {}", setting.smallest);
    case SettingType::kShare:
      return setting.largest == kMaxGrowthPercent ? ""
                                                  : fmt::format(", at most {}%", setting.largest);
    default:
      return "";
  }
}

std::string ValuesText(const Setting& setting) {
  std::string text(TypeText(setting.type));
  text += BoundsText(setting);
  if (setting.choices.empty()) return text;
  if (!text.empty()) text += setting.type == SettingType::kTexts ? ": " : ", or ";
  return text + fmt::format("`\"{}\"`", fmt::join(setting.choices, "\"`, `\""));
}

std::string DefaultText(const Setting& setting) {
  if (setting.required) return "must be given";
  if (!setting.fallback_shown.empty()) return std::string(setting.fallback_shown);
  const bool bare = setting.type == SettingType::kNumber || setting.type == SettingType::kBoolean;
  return bare ? fmt::format("`{}`", setting.fallback) : fmt::format("`\"{}\"`", setting.fallback);
}

}  // namespace

std::string ConfigurationReference() {
  std::string text(kIntroduction);
  for (const SettingTable& table : SettingTables()) {
    if (table.name.empty()) continue;
    const bool written = table.title.starts_with('[');
    text +=
        written ? fmt::format("\n## `{}`\n", table.title) : fmt::format("\n### {}\n", table.title);
    if (!table.meaning.empty()) text += fmt::format("\n{}\n", table.meaning);
    text += "\n| key | values | default | meaning |\n|---|---|---|---|\n";
    for (const Setting& setting : Settings()) {
      // What holds tables of its own has a heading of its own.
      if (setting.table != table.name || setting.meaning.empty()) continue;
      text += fmt::format("| `{}` | {} | {} | {} |\n", setting.key, ValuesText(setting),
                          DefaultText(setting), setting.meaning);
    }
  }
  return text;
}

}  // namespace larder::cli
