// Guard: an importer of the program, whose exceptions become errors: nothing is thrown through the
// threads of Larder.
#pragma once

#include <memory>

#include "larder/error.h"
#include "larder/importer.h"

namespace larder::library {

// Null stays null. Asks for the name and the settings, once and for all. Errors: kInternal (what
// was thrown).
Result<std::shared_ptr<const Importer>> Guard(std::shared_ptr<const Importer> importer);

}  // namespace larder::library
