// The parts of an event's bytes that journal records and sealed blocks share (docs/spec/events.md),
// and events as rows of views. Errors: corrupt. Pure; thread-safe.
#pragma once

#include "server/store/events/events.hpp"

namespace holdfast::events {

using FieldMap = std::map<std::string, wire::Value>;

void put_fields(Bytes& out, const FieldMap& fields);
Result<FieldMap> take_fields(ByteReader& in);
Status check_fields(std::string_view encoded);

// An event's id, from when it was received and where its record lies.
Ulid event_id(WallTime received, const journal::Cursor& at);

// An event as it lies in memory and files: texts and fields are views into what it came from.
struct Row {
  journal::Cursor at;
  std::int64_t received = 0, time = 0, claimed = 0;
  std::uint8_t source = 0, severity = 0;
  Ulid device{}, subject{};  // all zero: the server; the device
  std::string_view kind, message, fields;
  std::size_t text_bytes() const { return kind.size() + message.size() + fields.size(); }
};
Result<Row> row_of(const journal::Stored& record);  // views into the record's body
Result<Event> event_of(const Row& row);

// A row's fields, which were checked, for the query language.
class EncodedFields final : public query::Fields {
 public:
  explicit EncodedFields(std::string_view encoded) : encoded_(encoded) {}
  bool any(const Use& use) const override;

 private:
  std::string_view encoded_;
};

query::Document head_of(const Row& row);  // all but message and fields
bool matches(const query::Node& node, const Row& row);

// The terms of an event's texts, device and subject; some may come twice.
template <class F>
void each_term(const Row& row, F&& use) {
  use(query::device_hash(row.device));
  if (row.subject != Ulid{}) use(query::device_hash(row.subject));
  query::each_term(row.kind, use);
  query::each_term(row.message, use);
  EncodedFields(row.fields).any([&](std::string_view, const query::Scalar& value) {
    std::array<char, 32> room;
    query::each_term(query::text_of(value, room), use);
    return false;
  });
}

}  // namespace holdfast::events
