#include "larder/value.h"

#include <memory>
#include <type_traits>

#include "snapshot/value.h"

namespace larder {

namespace {

using snapshot::CollectionView;

// The public views hold a CollectionView without showing it.
static_assert(sizeof(CollectionView) == 144 && alignof(CollectionView) == 8);
static_assert(std::is_trivially_copyable_v<CollectionView> &&
              std::is_trivially_destructible_v<CollectionView>);

const CollectionView& In(const std::array<std::byte, sizeof(CollectionView)>& places) {
  return *std::launder(reinterpret_cast<const CollectionView*>(places.data()));
}

}  // namespace

ElementsView::ElementsView(const Value& value, ValueType type) {
  const Value none{.type = type, .encoded = {}, .expires_at_ms = {}, .version = {}};
  auto* const view = reinterpret_cast<CollectionView*>(places_.data());
  std::construct_at(view, value.type == type ? value : none);
  size_ = view->count();
}

std::string_view ElementsView::Piece(uint64_t number) const { return In(places_).Text(number); }

std::optional<uint64_t> ElementsView::FindElement(std::string_view text) const {
  return In(places_).FindMember(text);
}

double ElementsView::ScoreOf(uint64_t element) const { return In(places_).Score(element); }

uint64_t ElementsView::FirstFrom(double score) const { return In(places_).LowerBound(score); }

}  // namespace larder
