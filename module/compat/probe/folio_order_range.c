// SPDX-License-Identifier: GPL-2.0
// Can a mapping bound its folios from above, and is a bad page in one found?
#include <linux/pagemap.h>

void probe(struct address_space *mapping, struct folio *folio);

void probe(struct address_space *mapping, struct folio *folio)
{
	mapping_set_folio_order_range(mapping, 0,
				      folio_contain_hwpoisoned_page(folio));
}
