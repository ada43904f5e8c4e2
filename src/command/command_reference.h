// The text of docs/commands.md, made from the tables; a test compares the two.
#pragma once

#include <string>

namespace larder::command {

std::string CommandReference();

}  // namespace larder::command
