// Which relations have a TOAST table: where a row may be longer than a quarter of a page.
// Private to planner/.
#pragma once

#include "planner/catalog.h"

namespace runbookd::planner {

bool needs_toast(Catalog const& catalog, Relation const& relation);
// One that was made stays, whatever becomes of its columns.
void settle_toast(Catalog& catalog, RelationName const& name);

}  // namespace runbookd::planner
