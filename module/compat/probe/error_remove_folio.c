// SPDX-License-Identifier: GPL-2.0
// Does generic_error_remove_folio() exist?
#include <linux/mm.h>
int probe(struct address_space *mapping, struct folio *folio);
int probe(struct address_space *mapping, struct folio *folio)
{
	return generic_error_remove_folio(mapping, folio);
}
