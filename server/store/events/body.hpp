// The parts of an event's bytes that journal records and sealed blocks share (docs/spec/events.md).
// Errors: corrupt. Pure; thread-safe.
#pragma once

#include "server/store/events/events.hpp"

namespace holdfast::events {

using Fields = std::map<std::string, wire::Value>;

void put_fields(Bytes& out, const Fields& fields);
Result<Fields> take_fields(ByteReader& in);

// An event's id, from when it was received and where its record lies.
Ulid event_id(WallTime received, const journal::Cursor& at);

// The words of a query's text, lower-case; and whether a text holds one, ASCII case ignored.
std::vector<std::string> words_of(std::string_view text);
bool holds(std::string_view text, std::string_view lower_word);

}  // namespace holdfast::events
