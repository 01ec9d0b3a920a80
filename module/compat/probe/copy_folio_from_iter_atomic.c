// SPDX-License-Identifier: GPL-2.0
// Can an iterator be copied into a folio?
#include <linux/uio.h>
size_t probe(struct folio *folio, struct iov_iter *iter);
size_t probe(struct folio *folio, struct iov_iter *iter)
{
	return copy_folio_from_iter_atomic(folio, 0, 1, iter);
}
