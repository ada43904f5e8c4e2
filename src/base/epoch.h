// EpochDomain: lets a writer know when no reader can still see what it has replaced.
//
// Each reader (a worker thread) owns one word on its own cache line. It writes the global epoch
// there before it looks at shared pointers and zero when it is done; a writer replaces the pointer,
// advances the epoch and waits until every word is zero or new. Readers write no shared word and
// take no lock. (The scheme of FASTER's light epoch, without its deferred actions.)
//
// Threads:  Enter/Leave by the reader's own thread; WaitForReaders by any thread that is not inside
//           an Enter itself (it would wait for itself); concurrent waits are fine.
// Cost:     Enter is one exchange, Leave one store.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace larder {

inline constexpr size_t kMaxEpochReaders = 1024;  // worker threads plus library readers

class EpochDomain {
  struct alignas(64) Slot {
    std::atomic<uint64_t> word{0};
    std::atomic<bool> taken{false};
  };

 public:
  class Reader {
   public:
    Reader() = default;
    Reader(Reader&& other) noexcept;
    Reader& operator=(Reader&& other) noexcept;
    ~Reader();

    // From here to Leave(), whatever the reader loads from shared pointers stays alive.
    void Enter() {
      slot_->word.exchange(domain_->epoch_.load(std::memory_order_seq_cst),
                           std::memory_order_seq_cst);
    }
    void Leave() { slot_->word.store(0, std::memory_order_release); }

   private:
    friend class EpochDomain;
    Reader(EpochDomain* domain, Slot* slot) : domain_(domain), slot_(slot) {}
    EpochDomain* domain_ = nullptr;
    Slot* slot_ = nullptr;
  };

  EpochDomain();
  ~EpochDomain();
  EpochDomain(const EpochDomain&) = delete;
  EpochDomain& operator=(const EpochDomain&) = delete;

  // A word for the calling thread; it is given back when the Reader is destroyed. None: all
  // kMaxEpochReaders are taken.
  std::optional<Reader> TryRegister();
  // The same for threads that are bounded far below that; aborts when there is none.
  Reader Register();

  // Call after the shared pointer was replaced: returns when every reader that might have seen the
  // old one has left or entered anew.
  void WaitForReaders();

 private:
  std::atomic<uint64_t> epoch_{1};
  std::unique_ptr<std::array<Slot, kMaxEpochReaders>> slots_;
};

}  // namespace larder
