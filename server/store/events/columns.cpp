#include "server/store/events/columns.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <unordered_map>

#include "server/store/series/ints.hpp"

namespace holdfast::events {
namespace {

using series::put_ints;
using series::take_ints;
using Ints = std::vector<std::int64_t>;

constexpr char kHole = 1;
constexpr std::size_t kChunkBytes = 64 * 1024;
constexpr std::size_t kEncodedFieldsMax = 4 * kFieldBytesMax;
enum Form : std::uint8_t { dictionary = 0, plain = 1, integers = 2, addresses = 3 };

bool integer_of(std::string_view text, std::int64_t& out) {
  if (text.empty() || text.size() > 18) return false;
  std::int64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + (c - '0');
  }
  out = value;
  return text[0] != '0' || text.size() == 1;
}

// Only in its shortest spelling.
bool ipv4_of(std::string_view text, std::int64_t& out) {
  if (text.size() < 7 || text.size() > 15) return false;
  std::int64_t value = 0;
  std::size_t at = 0;
  for (int part = 0; part < 4; ++part) {
    const std::size_t dot = part == 3 ? text.size() : text.find('.', at);
    std::int64_t byte = 0;
    if (dot == std::string_view::npos || !integer_of(text.substr(at, dot - at), byte) || byte > 255)
      return false;
    value = value << 8 | byte;
    at = dot + 1;
  }
  out = value;
  return true;
}

std::string_view integer_text(std::int64_t value, Arena& arena) {
  char room[24];
  return arena.copy({room, std::to_chars(room, room + sizeof room, value).ptr});
}

std::string_view ipv4_text(std::int64_t value, Arena& arena) {
  char room[24];
  char* at = room;
  for (int shift = 24; shift >= 0; shift -= 8) {
    at = std::to_chars(at, room + sizeof room, value >> shift & 255).ptr;
    *at++ = '.';
  }
  return arena.copy({room, at - 1});
}

template <class Parse>
bool all_parse(const Views& texts, Ints& out, Parse&& parse) {
  out.resize(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i)
    if (!parse(texts[i], out[i])) return false;
  return true;
}

// Numbers things as they appear.
class Places {
 public:
  std::int64_t place(std::string_view text) {
    const auto [at, fresh] = places_.try_emplace(text, static_cast<std::int64_t>(list_.size()));
    if (fresh) list_.push_back(text);
    return at->second;
  }
  const Views& list() const { return list_; }

 private:
  std::unordered_map<std::string_view, std::int64_t> places_;
  Views list_;
};

bool is_part(char c) {
  return query::detail::class_of(c) != 0 && static_cast<unsigned char>(c) < 0x80;
}

// Splits a message into its template, appended to `shape`, and its values.
void split(std::string_view message, std::string& shape, Views& values) {
  shape.clear();
  values.clear();
  if (message.find(kHole) != std::string_view::npos) {
    shape = kHole;
    values.push_back(message);
    return;
  }
  std::size_t i = 0;
  while (i < message.size()) {
    const std::size_t start = i;
    while (i < message.size() && !is_part(message[i])) ++i;
    shape.append(message, start, i - start);
    const std::size_t word = i;
    bool digit = false;
    while (i < message.size() &&
           (is_part(message[i]) ||
            (message[i] == '.' && i > word && i + 1 < message.size() && is_part(message[i + 1])))) {
      digit = digit || (message[i] >= '0' && message[i] <= '9');
      ++i;
    }
    if (digit) {
      shape += kHole;
      values.push_back(message.substr(word, i - word));
    } else {
      shape.append(message, word, i - word);
    }
  }
}

}  // namespace

char* Arena::take(std::size_t size) {
  if (size > left_) {
    left_ = std::max(size, kChunkBytes);
    at_ = chunks_.emplace_back(std::make_unique_for_overwrite<char[]>(left_)).get();
  }
  left_ -= size;
  return std::exchange(at_, at_ + size);
}

std::string_view Arena::copy(std::string_view text) {
  char* const at = take(text.size());
  if (!text.empty()) std::memcpy(at, text.data(), text.size());
  return {at, text.size()};
}

// ---- texts

void put_list(Bytes& out, const Views& texts) {
  put_varint(out, texts.size());
  for (const std::string_view text : texts) {
    put_varint(out, text.size());
    append(out, view_of(text));
  }
}

Result<Views> take_list(ByteReader& in, std::size_t entries_max) {
  const std::uint64_t entries = TRY(in.varint());
  if (entries > entries_max) return fail(Code::corrupt, "a block has more entries than events");
  Views out;
  for (std::uint64_t i = 0; i < entries; ++i)
    out.push_back(text_of(TRY(in.take(TRY(in.varint())))));
  return out;
}

Result<std::vector<std::uint32_t>> take_places(ByteReader& in, std::size_t count,
                                               std::uint64_t of) {
  Ints places(count);
  TRY(take_ints(in, places));
  std::vector<std::uint32_t> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (places[i] < 0 || static_cast<std::uint64_t>(places[i]) >= of)
      return fail(Code::corrupt, "an event names no entry of its block");
    out[i] = static_cast<std::uint32_t>(places[i]);
  }
  return out;
}

void put_texts(Bytes& out, const Views& texts) {
  Ints numbers;
  if (all_parse(texts, numbers, integer_of)) {
    out.push_back(integers);
    return put_ints(out, numbers);
  }
  if (all_parse(texts, numbers, ipv4_of)) {
    out.push_back(addresses);
    return put_ints(out, numbers);
  }
  Places places;
  for (std::size_t i = 0; i < texts.size() && places.list().size() <= texts.size() / 2; ++i)
    numbers[i] = places.place(texts[i]);
  if (places.list().size() <= texts.size() / 2) {
    out.push_back(dictionary);
    put_list(out, places.list());
    return put_ints(out, numbers);
  }
  out.push_back(plain);
  for (std::size_t i = 0; i < texts.size(); ++i)
    numbers[i] = static_cast<std::int64_t>(texts[i].size());
  put_ints(out, numbers);
  for (const std::string_view text : texts) append(out, view_of(text));
}

Result<Views> take_texts(ByteReader& in, std::size_t count, Arena& arena) {
  const std::uint8_t form = TRY(in.le<std::uint8_t>());
  Views out(count);
  if (form == dictionary) {
    const Views list = TRY(take_list(in, count));
    const auto places = TRY(take_places(in, count, list.size()));
    for (std::size_t i = 0; i < count; ++i) out[i] = list[places[i]];
    return out;
  }
  Ints numbers(count);
  TRY(take_ints(in, numbers));
  for (std::size_t i = 0; i < count; ++i) {
    if (numbers[i] < 0) return fail(Code::corrupt, "a text of a block has a negative length");
    switch (form) {
      case plain:
        out[i] = text_of(TRY(in.take(static_cast<std::size_t>(numbers[i]))));
        break;
      case integers:
        out[i] = integer_text(numbers[i], arena);
        break;
      case addresses:
        out[i] = ipv4_text(numbers[i], arena);
        break;
      default:
        return fail(Code::corrupt, "a column of texts has an unknown form");
    }
  }
  return out;
}

// ---- messages

void put_messages(Bytes& out, const Views& messages) {
  std::unordered_map<std::string, std::int64_t> known;
  std::vector<const std::string*> templates;
  std::vector<std::vector<Views>> columns;  // of each template
  Ints each;
  std::string shape;
  Views values;
  for (const std::string_view message : messages) {
    split(message, shape, values);
    const auto [at, fresh] = known.try_emplace(shape, static_cast<std::int64_t>(known.size()));
    if (fresh) {
      templates.push_back(&at->first);
      columns.emplace_back(values.size());
    }
    each.push_back(at->second);
    auto& places = columns[static_cast<std::size_t>(at->second)];
    for (std::size_t i = 0; i < values.size(); ++i) places[i].push_back(values[i]);
  }
  Views list;
  for (const std::string* text : templates) list.emplace_back(*text);
  put_list(out, list);
  put_ints(out, each);
  for (const auto& places : columns)
    for (const Views& column : places) put_texts(out, column);
}

Result<Views> take_messages(View part, std::size_t count, Arena& arena) {
  ByteReader in(part);
  const Views templates = TRY(take_list(in, count));
  const auto each = TRY(take_places(in, count, templates.size()));
  std::vector<std::size_t> uses(templates.size(), 0);
  for (const std::uint32_t place : each) ++uses[place];
  std::vector<std::vector<Views>> columns(templates.size());
  for (std::size_t i = 0; i < templates.size(); ++i) {
    const auto holes = static_cast<std::size_t>(std::ranges::count(templates[i], kHole));
    for (std::size_t hole = 0; hole < holes; ++hole)
      columns[i].push_back(TRY(take_texts(in, uses[i], arena)));
    uses[i] = 0;
  }
  if (!in.done()) return fail(Code::corrupt, "a block has bytes beyond its end");
  Views out(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::string_view shape = templates[each[i]];
    const auto& places = columns[each[i]];
    const std::size_t use = uses[each[i]]++;
    std::size_t size = shape.size() - places.size();
    for (const Views& column : places) size += column[use].size();
    if (size > kMessageBytesMax) return fail(Code::corrupt, "a message is longer than any can be");
    char* const begin = arena.take(size);
    char* to = begin;
    std::size_t from = 0;
    for (const Views& column : places) {
      const std::size_t hole = shape.find(kHole, from);
      to = std::copy(shape.begin() + static_cast<std::ptrdiff_t>(from),
                     shape.begin() + static_cast<std::ptrdiff_t>(hole), to);
      to = std::ranges::copy(column[use], to).out;
      from = hole + 1;
    }
    std::copy(shape.begin() + static_cast<std::ptrdiff_t>(from), shape.end(), to);
    out[i] = {begin, size};
  }
  return out;
}

// ---- fields

namespace {

constexpr std::uint8_t kIntegerKind = 3, kDoubleKind = 4, kTextKind = 5;

// What the events of one shape hold, member by member.
struct Shape {
  struct Member {
    std::string_view name;
    std::uint8_t kind = 0;
    Ints integers;
    Bytes doubles;
    Views texts;
  };
  std::vector<Member> members;
  std::size_t uses = 0;
};

// The shape's own bytes into `key`, values into `values`.
void look_at(std::string_view encoded, std::string& key,
             std::vector<std::pair<std::string_view, query::Scalar>>& values) {
  key.clear();
  values.clear();
  EncodedFields(encoded).any([&](std::string_view name, const query::Scalar& value) {
    std::size_t kind = value.index();  // null, bool, integer, double, text
    kind = kind == 1 ? 1U + (std::get<bool>(value) ? 1U : 0U) : kind == 0 ? 0 : kind + 1;
    key.append(name).append(1, '\0').append(1, static_cast<char>(kind));
    values.emplace_back(name, value);
    return false;
  });
}

void put_column(Bytes& out, const Shape::Member& member) {
  if (member.kind == kIntegerKind) put_ints(out, member.integers);
  if (member.kind == kDoubleKind) append(out, member.doubles);
  if (member.kind == kTextKind) put_texts(out, member.texts);
}

Status take_column(ByteReader& in, Shape::Member& member, std::size_t count, Arena& arena) {
  if (member.kind == kIntegerKind) {
    member.integers.resize(count);
    TRY(take_ints(in, member.integers));
  } else if (member.kind == kDoubleKind) {
    const View bytes = TRY(in.take(count * 8));
    member.doubles.assign(bytes.begin(), bytes.end());
  } else if (member.kind == kTextKind) {
    member.texts = TRY(take_texts(in, count, arena));
  }
  return {};
}

Result<std::vector<Shape>> take_shapes(ByteReader& in, std::size_t count) {
  const std::uint64_t shapes = TRY(in.varint());
  if (shapes > count) return fail(Code::corrupt, "a block has more shapes than events");
  std::vector<Shape> out(shapes);
  for (Shape& shape : out) {
    const std::uint64_t members = TRY(in.varint());
    if (members > kFieldsMax) return fail(Code::corrupt, "an event has too many fields");
    for (std::uint64_t i = 0; i < members; ++i) {
      Shape::Member member;
      member.name = text_of(TRY(in.take(TRY(in.varint()))));
      member.kind = TRY(in.le<std::uint8_t>());
      if (member.kind > kTextKind || (i > 0 && shape.members.back().name >= member.name))
        return fail(Code::corrupt, "an event's fields are in disorder");
      shape.members.push_back(std::move(member));
    }
  }
  return out;
}

void put_row(Bytes& out, const Shape& shape, std::size_t use) {
  put_varint(out, shape.members.size());
  for (const Shape::Member& member : shape.members) {
    put_varint(out, member.name.size());
    append(out, view_of(member.name));
    out.push_back(member.kind);
    if (member.kind == kIntegerKind) {
      put_varint(out, zigzag(member.integers[use]));
    } else if (member.kind == kDoubleKind) {
      append(out, View(member.doubles).subspan(use * 8, 8));
    } else if (member.kind == kTextKind) {
      put_varint(out, member.texts[use].size());
      append(out, view_of(member.texts[use]));
    }
  }
}

}  // namespace

void put_field_columns(Bytes& out, const Views& fields) {
  std::unordered_map<std::string, std::int64_t> known;
  std::vector<Shape> shapes;
  Ints each;
  std::string key;
  std::vector<std::pair<std::string_view, query::Scalar>> values;
  for (const std::string_view encoded : fields) {
    look_at(encoded, key, values);
    const auto [at, fresh] = known.try_emplace(key, static_cast<std::int64_t>(shapes.size()));
    each.push_back(at->second);
    if (fresh) {
      shapes.emplace_back();
      std::size_t end = 0;
      for (const auto& [name, value] : values) {
        end += name.size() + 2;
        shapes.back().members.push_back(
            {name, static_cast<std::uint8_t>(key[end - 1]), {}, {}, {}});
      }
    }
    auto& members = shapes[static_cast<std::size_t>(at->second)].members;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const query::Scalar& value = values[i].second;
      if (const auto* integer = std::get_if<std::int64_t>(&value))
        members[i].integers.push_back(*integer);
      if (const auto* number = std::get_if<double>(&value))
        store_le(members[i].doubles, std::bit_cast<std::uint64_t>(*number));
      if (const auto* text = std::get_if<std::string_view>(&value))
        members[i].texts.push_back(*text);
    }
  }
  put_varint(out, shapes.size());
  for (const Shape& shape : shapes) {
    put_varint(out, shape.members.size());
    for (const Shape::Member& member : shape.members) {
      put_varint(out, member.name.size());
      append(out, view_of(member.name));
      out.push_back(member.kind);
    }
  }
  put_ints(out, each);
  for (const Shape& shape : shapes)
    for (const Shape::Member& member : shape.members) put_column(out, member);
}

Result<Views> take_field_columns(View part, std::size_t count, Arena& arena) {
  ByteReader in(part);
  std::vector<Shape> shapes = TRY(take_shapes(in, count));
  const auto each = TRY(take_places(in, count, shapes.size()));
  for (const std::uint32_t place : each) ++shapes[place].uses;
  for (Shape& shape : shapes) {
    for (Shape::Member& member : shape.members) TRY(take_column(in, member, shape.uses, arena));
    shape.uses = 0;
  }
  if (!in.done()) return fail(Code::corrupt, "a block has bytes beyond its end");
  Views out(count);
  Bytes row;
  for (std::size_t i = 0; i < count; ++i) {
    Shape& shape = shapes[each[i]];
    row.clear();
    put_row(row, shape, shape.uses++);
    if (row.size() > kEncodedFieldsMax)
      return fail(Code::corrupt, "an event's fields are larger than any can be");
    out[i] = arena.copy(text_of(row));
  }
  return out;
}

}  // namespace holdfast::events
