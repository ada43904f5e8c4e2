#include "cli/command_line.h"
#include "io/standard_streams.h"

int main(int argc, char** argv) {
  larder::io::OccupyStandardStreams();
  return larder::cli::RunCommandLine(argc, argv);
}
