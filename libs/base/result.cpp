#include "libs/base/result.hpp"

namespace holdfast {

std::string Error::text() const {
  std::string out;
  for (auto it = context.rbegin(); it != context.rend(); ++it) out += *it + ": ";
  return out + message;
}

const CodeRow& row_of(Code code) {
  for (const CodeRow& row : kCodeTable) {
    if (row.code == code) return row;
  }
  return kCodeTable.front();
}

std::optional<Code> code_named(std::string_view name) {
  for (const CodeRow& row : kCodeTable) {
    if (row.name == name) return row.code;
  }
  return std::nullopt;
}

}  // namespace holdfast
