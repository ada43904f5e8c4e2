// GroupCommit: threads that wait for a sync, of which one makes it for all.
//
// Threads: all members by who has the mutex that guards it, but Wait and Wake without that.
// Cost:    who waits sleeps once and is woken once, and needs no mutex to know that its sync is
//          done. A sync that is made alone costs two additions.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace larder::log {

class GroupCommit {
 public:
  bool syncing() const { return syncing_; }

  // A round begins. What is appended after SetTarget is of the next one.
  void Begin() {
    syncing_ = true;
    target_ = UINT64_MAX;
    ++round_;
  }
  void SetTarget(uint64_t target) { target_ = target; }
  // It is done, or has failed: what to wake, which is better done without the mutex, for whose sake
  // those who wake would sleep again. All who waited for it; and one of those who wait for the
  // next, to make that: or all of them, when others may have made it meanwhile, so that one who has
  // nothing left to wait for would not make it. Nobody begins to wait before another round begins,
  // so a wake that comes late still finds whom it is for, or they were woken by that round.
  struct Ended {
    std::atomic<uint32_t>* done;
    std::atomic<uint32_t>* next;
    bool all;
  };
  Ended End(bool others_sync) {
    syncing_ = false;
    const Ended ended{.done = &Wakes(round_), .next = &Wakes(round_ + 1), .all = others_sync};
    ended.done->fetch_add(1);
    ended.next->fetch_add(1);
    return ended;
  }
  static void Wake(const Ended& ended) {
    ended.done->notify_all();
    if (ended.all) {
      ended.next->notify_all();
    } else {
      ended.next->notify_one();
    }
  }
  // There is something new to look at for all who wait.
  void WakeAll() {
    for (std::atomic<uint32_t>& wakes : wakes_) {
      wakes.fetch_add(1);
      wakes.notify_all();
    }
  }

  // What to wait for while a sync goes on, when everything up to `number` is to be on the disk.
  struct Place {
    const std::atomic<uint32_t>* wakes;
    uint32_t seen;
  };
  Place PlaceOf(uint64_t number) const {
    const std::atomic<uint32_t>& wakes = Wakes(number <= target_ ? round_ : round_ + 1);
    return {.wakes = &wakes, .seen = wakes.load()};
  }
  // Returns when that has been woken since PlaceOf.
  static void Wait(const Place& place) { place.wakes->wait(place.seen); }

 private:
  std::atomic<uint32_t>& Wakes(uint64_t round) { return wakes_[round % 2]; }
  const std::atomic<uint32_t>& Wakes(uint64_t round) const { return wakes_[round % 2]; }

  bool syncing_ = false;
  uint64_t target_ = 0;
  uint64_t round_ = 0;
  // Of the rounds with even numbers, and with odd ones: nobody waits for more than two.
  std::array<std::atomic<uint32_t>, 2> wakes_{};
};

}  // namespace larder::log
