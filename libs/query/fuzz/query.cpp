// Any bytes as a query: what parses has a normal text that parses to the same tree; and no event
// that it accepts is ruled out by its plan. The part behind a zero byte is the event's message.
#include <cstdlib>
#include <set>

#include "libs/query/plan.hpp"

using namespace holdfast;
using namespace holdfast::query;

namespace {

class NoFields final : public Fields {
 public:
  bool any(const Use&) const override { return false; }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::string_view text = all.substr(0, all.find('\0'));
  const std::string_view message = text.size() < size ? all.substr(text.size() + 1) : text;
  const auto node = parse(text);
  if (!node) {
    if (node.error().message.empty()) std::abort();
    return 0;
  }
  const auto again = parse(to_text(*node));
  if (!again || *again != *node) {
    if (to_text(*node).size() > kQueryBytesMax) return 0;  // quoted it is longer
    std::abort();
  }
  const NoFields fields;
  const Ulid device{};
  const Document document{1, 1, &device, "log", 2, message, &fields};
  std::set<std::uint64_t> terms{device_hash(device), word_hash("log")};
  each_term(message, [&](std::uint64_t term) { terms.insert(term); });
  const Plan planned = plan(*node);
  const bool may =
      planned.need.blocks(1U, [&](std::uint64_t hash) { return terms.contains(hash) ? 1U : 0U; }) !=
          0 &&
      planned.from <= 1 && 1 < planned.to && (planned.severities & 4U) != 0 &&
      (!planned.devices || !planned.devices->empty());
  if (matches(*node, document) && !may) std::abort();
  return 0;
}
