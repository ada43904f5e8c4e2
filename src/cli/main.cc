#include "cli/command_line.h"

int main(int argc, char** argv) { return larder::cli::RunCommandLine(argc, argv); }
