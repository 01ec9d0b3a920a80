// SPDX-License-Identifier: GPL-2.0
// Can bytes be copied from and to a folio of several pages?
#include <linux/highmem.h>
void probe(struct folio *folio, char *buf);
void probe(struct folio *folio, char *buf)
{
	memcpy_from_folio(buf, folio, 0, 1);
	memcpy_to_folio(folio, 0, buf, 1);
}
