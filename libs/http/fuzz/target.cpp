// Request targets: what decodes, encodes to something that decodes to the same.
#include <cassert>

#include "libs/http/target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::http;
  const auto target = parse_target({reinterpret_cast<const char*>(data), size});
  if (!target) return 0;
  std::string path;
  for (const std::string& segment : target->segments) {
    assert(segment != ".." && segment != ".");
    path += '/' + encode_component(segment);
  }
  if (path.empty()) path = "/";
  const std::string text = with_query(path, target->query);
  const auto again = parse_target(text);
  if (!again) {
    assert(text.size() > kTargetMax);  // encoding may be longer than the bound
    return 0;
  }
  assert(again->segments == target->segments);
  // A parameter without a name and a value is written as "=", which reads the same.
  assert(again->query == target->query);
  return 0;
}
