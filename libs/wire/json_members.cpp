// Typed reads of members, with errors that point at them.
#include <algorithm>

#include "libs/wire/json.hpp"

namespace holdfast::wire {
namespace {

std::unexpected<Error> member_fault(std::string pointer, std::string_view what,
                                    Code code = Code::invalid_argument) {
  const std::string shown = pointer.empty() ? "the value" : "\"" + pointer + "\"";
  Error error{code, shown + " " + std::string(what), {}, {}, std::move(pointer)};
  return std::unexpected(std::move(error));
}

// Null when absent or JSON's null.
const Json* member_of(const JsonObject& object, std::string_view key) {
  const auto* found = object.if_contains(key);
  return found == nullptr || found->is_null() ? nullptr : found;
}

// The member read by `read`, nullopt when there is none.
template <class T, class Read>
Result<std::optional<T>> find_member(const JsonObject& object, std::string_view key,
                                     std::string_view at, Read read) {
  const auto* found = member_of(object, key);
  if (found == nullptr) return std::optional<T>{};
  return std::optional<T>(TRY(read(*found, pointer_to(at, key))));
}

template <class T>
Result<T> wanted(Result<std::optional<T>> found, std::string_view key, std::string_view at) {
  if (!found) return std::unexpected(std::move(found.error()));
  if (!found->has_value()) return member_fault(pointer_to(at, key), "is missing");
  return *std::move(*found);
}

Result<std::string> read_string(const Json& value, std::string pointer) {
  if (const auto* text = value.if_string()) return std::string(text->data(), text->size());
  return member_fault(std::move(pointer), "must be a string");
}

Result<bool> read_bool(const Json& value, std::string pointer) {
  if (const auto* flag = value.if_bool()) return *flag;
  return member_fault(std::move(pointer), "must be true or false");
}

Result<double> read_double(const Json& value, std::string pointer) {
  if (const auto* real = value.if_double()) return *real;
  if (const auto* whole = value.if_int64()) return static_cast<double>(*whole);
  if (const auto* large = value.if_uint64()) return static_cast<double>(*large);
  return member_fault(std::move(pointer), "must be a number");
}

Result<std::int64_t> read_int(const Json& value, std::string pointer, std::int64_t least,
                              std::int64_t most) {
  const auto* number = value.if_int64();
  if (number == nullptr && !value.is_uint64()) {
    return member_fault(std::move(pointer), "must be a whole number");
  }
  if (number == nullptr || *number < least || *number > most) {
    return member_fault(std::move(pointer), "must be between " + std::to_string(least) + " and " +
                                                std::to_string(most));
  }
  return *number;
}

// How many single letters must be changed, added or dropped between two names.
std::size_t distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  for (std::size_t i = 0; i <= right.size(); ++i) row[i] = i;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= right.size(); ++j) {
      const std::size_t changed = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({changed, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row.back();
}

std::string suggestion(std::string_view name, std::initializer_list<std::string_view> known) {
  constexpr std::size_t kNameBytesMax = 64;  // longer names resemble nothing
  if (known.size() == 0 || name.size() > kNameBytesMax) return {};
  const auto nearest = *std::ranges::min_element(
      known, {}, [name](std::string_view candidate) { return distance(name, candidate); });
  if (distance(name, nearest) > std::max<std::size_t>(2, nearest.size() / 3)) return {};
  return "; did you mean \"" + std::string(nearest) + "\"?";
}

}  // namespace

std::string pointer_to(std::string_view at, std::string_view key) {
  std::string pointer(at);
  pointer += '/';
  for (const char c : key) {
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer += c;
  }
  return pointer;
}

std::string pointer_to(std::string_view at, std::size_t index) {
  return std::string(at) + '/' + std::to_string(index);
}

Result<const JsonObject*> as_object(const Json& value, std::string_view at) {
  if (const auto* object = value.if_object()) return object;
  return member_fault(std::string(at), "must be an object");
}

Result<const JsonArray*> as_array(const Json& value, std::string_view at) {
  if (const auto* array = value.if_array()) return array;
  return member_fault(std::string(at), "must be an array");
}

Result<std::optional<std::string>> find_string(const JsonObject& object, std::string_view key,
                                               std::string_view at) {
  return find_member<std::string>(object, key, at, read_string);
}

Result<std::optional<bool>> find_bool(const JsonObject& object, std::string_view key,
                                      std::string_view at) {
  return find_member<bool>(object, key, at, read_bool);
}

Result<std::optional<std::int64_t>> find_int(const JsonObject& object, std::string_view key,
                                             std::string_view at, std::int64_t least,
                                             std::int64_t most) {
  return find_member<std::int64_t>(object, key, at, [=](const Json& value, std::string pointer) {
    return read_int(value, std::move(pointer), least, most);
  });
}

Result<std::optional<double>> find_double(const JsonObject& object, std::string_view key,
                                          std::string_view at) {
  return find_member<double>(object, key, at, read_double);
}

Result<const JsonObject*> find_object(const JsonObject& object, std::string_view key,
                                      std::string_view at) {
  const auto* found = member_of(object, key);
  if (found == nullptr) return nullptr;
  return as_object(*found, pointer_to(at, key));
}

Result<const JsonArray*> find_array(const JsonObject& object, std::string_view key,
                                    std::string_view at) {
  const auto* found = member_of(object, key);
  if (found == nullptr) return nullptr;
  return as_array(*found, pointer_to(at, key));
}

Result<std::string> get_string(const JsonObject& object, std::string_view key,
                               std::string_view at) {
  return wanted(find_string(object, key, at), key, at);
}

Result<bool> get_bool(const JsonObject& object, std::string_view key, std::string_view at) {
  return wanted(find_bool(object, key, at), key, at);
}

Result<std::int64_t> get_int(const JsonObject& object, std::string_view key, std::string_view at,
                             std::int64_t least, std::int64_t most) {
  return wanted(find_int(object, key, at, least, most), key, at);
}

Result<double> get_double(const JsonObject& object, std::string_view key, std::string_view at) {
  return wanted(find_double(object, key, at), key, at);
}

Result<const JsonObject*> get_object(const JsonObject& object, std::string_view key,
                                     std::string_view at) {
  const auto* found = TRY(find_object(object, key, at));
  if (found == nullptr) return member_fault(pointer_to(at, key), "is missing");
  return found;
}

Result<const JsonArray*> get_array(const JsonObject& object, std::string_view key,
                                   std::string_view at) {
  const auto* found = TRY(find_array(object, key, at));
  if (found == nullptr) return member_fault(pointer_to(at, key), "is missing");
  return found;
}

Status only_members(const JsonObject& object, std::initializer_list<std::string_view> known,
                    std::string_view at) {
  for (const auto& member : object) {
    const std::string_view name = member.key();
    if (std::ranges::find(known, name) != known.end()) continue;
    return member_fault(pointer_to(at, name), "is not known" + suggestion(name, known),
                        Code::unknown_field);
  }
  return {};
}

Result<Value> to_value(const Json& scalar) {
  if (scalar.is_null()) return Value{};
  if (const auto* flag = scalar.if_bool()) return Value{*flag};
  if (const auto* whole = scalar.if_int64()) return Value{*whole};
  if (const auto* large = scalar.if_uint64()) return Value{static_cast<double>(*large)};
  if (const auto* real = scalar.if_double()) return Value{*real};
  if (const auto* text = scalar.if_string()) return Value{std::string(text->data(), text->size())};
  return fail(Code::invalid_argument, "a number, string, boolean or null is wanted here");
}

Error as_payload(Error error) {
  const bool large = error.code == Code::body_too_large || error.code == Code::payload_too_large;
  error.code = large ? Code::payload_too_large : Code::payload_malformed;
  return error;
}

}  // namespace holdfast::wire
