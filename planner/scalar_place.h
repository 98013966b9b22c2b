// Where the text of a scalar stands in the source: the parser tells only where its opening mark is.
#pragma once

#include <cstddef>

#include "planner/document.h"
#include "planner/source_text.h"

namespace runbookd::planner {

// Fills text_spot, text_indent and comment of a node that has its text. False = a quotation mark is
// never closed.
bool locate_scalar(SourceText const& source, std::size_t opening, Node& node);

}  // namespace runbookd::planner
