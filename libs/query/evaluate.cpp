#include "libs/query/evaluate.hpp"

#include <algorithm>
#include <compare>

namespace holdfast::query {
namespace {

Truth truth(bool yes) {
  return yes ? Truth::yes : Truth::no;
}

bool in_order(Op op, std::partial_ordering order) {
  switch (op) {
    case Op::has:
    case Op::equal:
      return order == std::partial_ordering::equivalent;
    case Op::less:
      return order < 0;
    case Op::less_equal:
      return order <= 0;
    case Op::greater:
      return order > 0;
    default:
      return order >= 0;
  }
}

template <class T>
Truth compare(Op op, const std::optional<T>& have, const std::optional<T>& want) {
  return have && want ? truth(in_order(op, *have <=> *want)) : Truth::unknown;
}

bool equal_folded(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, [](char a, char b) { return fold(a) == b; });
}

bool text_matches(const Term& term, std::string_view text) {
  if (term.exists) return true;
  if (term.net && holds_address(text, *term.net)) return true;
  return term.op == Op::equal ? equal_folded(text, term.text)
                              : holds(text, term.text, term.open_start, term.open_end);
}

Truth text_part(const Term& term, const std::optional<std::string_view>& text) {
  if (!text) return Truth::unknown;
  return truth((term.op == Op::has || term.op == Op::equal) && text_matches(term, *text));
}

Truth anywhere(const Term& term, const Document& document) {
  const bool found = (document.kind && text_matches(term, *document.kind)) ||
                     (document.message && text_matches(term, *document.message)) ||
                     (document.fields != nullptr &&
                      document.fields->any([&](std::string_view, const Scalar& value) {
                        std::array<char, 32> room;
                        return text_matches(term, text_of(value, room));
                      }));
  if (found) return Truth::yes;
  return document.kind && document.message && document.fields != nullptr ? Truth::no
                                                                         : Truth::unknown;
}

Truth own(const Term& term, const Document& document) {
  if (document.fields == nullptr) return Truth::unknown;
  const std::string_view wanted = own_field(term.field);
  return truth(document.fields->any([&](std::string_view name, const Scalar& value) {
    return name == wanted && value_matches(term, value);
  }));
}

Truth term_truth(const Term& term, const Document& document) {
  if (term.field.empty()) return anywhere(term, document);
  const Builtin builtin = builtin_of(term.field);
  if (term.exists && builtin != Builtin::none) return Truth::yes;
  switch (builtin) {
    case Builtin::time:
      return compare(term.op, document.time, term.time);
    case Builtin::received:
      return compare(term.op, document.received, term.time);
    case Builtin::severity:
      return compare(term.op, document.severity, term.severity);
    case Builtin::device:
      return document.device == nullptr ? Truth::unknown : truth(term.device == *document.device);
    case Builtin::kind:
      return text_part(term, document.kind);
    case Builtin::message:
      return text_part(term, document.message);
    default:
      return own(term, document);
  }
}

}  // namespace

bool value_matches(const Term& term, const Scalar& value) {
  if (term.exists) return true;
  const auto* integer = std::get_if<std::int64_t>(&value);
  const auto* real = std::get_if<double>(&value);
  if ((integer != nullptr || real != nullptr) && term.number) {
    const double as_real = integer != nullptr ? static_cast<double>(*integer) : *real;
    // Two integers compare exactly.
    const auto order = integer != nullptr && term.integer
                           ? std::partial_ordering(*integer <=> *term.integer)
                           : as_real <=> *term.number;
    return in_order(term.op, order);
  }
  if (term.op != Op::has && term.op != Op::equal) return false;
  std::array<char, 32> room;
  return text_matches(term, text_of(value, room));
}

Truth evaluate(const Node& node, const Document& document) {
  switch (node.kind) {
    case Node::Kind::all:
      return Truth::yes;
    case Node::Kind::term:
      return term_truth(node.term, document);
    case Node::Kind::negated: {
      const Truth inner = evaluate(node.of[0], document);
      return inner == Truth::unknown ? inner : truth(inner == Truth::no);
    }
    default:
      break;
  }
  // both: the least of its parts; either: the greatest.
  const bool both = node.kind == Node::Kind::both;
  Truth out = both ? Truth::yes : Truth::no;
  for (const Node& part : node.of) {
    const Truth one = evaluate(part, document);
    out = both ? std::min(out, one) : std::max(out, one);
    if (out == (both ? Truth::no : Truth::yes)) break;
  }
  return out;
}

}  // namespace holdfast::query
