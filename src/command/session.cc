#include "command/session.h"

#include "command/transaction.h"

namespace larder::command {

Session::Session() = default;
Session::~Session() = default;

}  // namespace larder::command
