// A format of the program's own: importer SOURCE OUTPUT compiles lines of KEY=VALUE.
#include <cstdio>

#include "larder/build.h"

struct Pairs : larder::Importer {
  std::string_view name() const override { return "pairs"; }
  std::string settings() const override { return "1"; }
  larder::Result<larder::ImportReport> Import(larder::SourceText& text,
                                              larder::RecordSink& sink) const override {
    larder::ImportReport report;
    auto batch = sink.NewBatch();
    larder::SourceLines lines(text);
    while (const auto line = lines.Next()) {
      const size_t at = line->find('=');
      if (at == line->npos) return lines.Bad("there is no =");
      const auto added = batch->Add({.key = line->substr(0, at), .text = line->substr(at + 1)});
      if (!added) return std::unexpected(added.error());
      ++report.records;
    }
    if (!lines.status()) return std::unexpected(lines.status().error());
    if (auto all = sink.Append(std::move(batch)); !all) return std::unexpected(all.error());
    return report;
  }
};

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const auto built =
      larder::BuildSnapshot(argv[1], argv[2], {.import = {.importer = std::make_shared<Pairs>()}});
  std::puts(built ? "compiled" : built.error().message().c_str());
  return built ? 0 : 1;
}
