// IdleList: a worker's connections in the order of their last activity.
//
// Intrusive: the links stand in the Connection. Cost: O(1), a few stores.
#pragma once

#include "server/connection.h"

namespace larder::server {

class IdleList {
 public:
  Connection* longest_idle() const { return first_; }

  void Add(Connection& connection) {
    connection.idle_before = last_;
    connection.idle_after = nullptr;
    (last_ == nullptr ? first_ : last_->idle_after) = &connection;
    last_ = &connection;
  }
  void Remove(Connection& connection) {
    Connection* const before = connection.idle_before;
    Connection* const after = connection.idle_after;
    (before == nullptr ? first_ : before->idle_after) = after;
    (after == nullptr ? last_ : after->idle_before) = before;
  }
  void MoveToEnd(Connection& connection) {
    if (last_ == &connection) return;
    Remove(connection);
    Add(connection);
  }

 private:
  Connection* first_ = nullptr;
  Connection* last_ = nullptr;
};

}  // namespace larder::server
