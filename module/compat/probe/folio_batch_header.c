// SPDX-License-Identifier: GPL-2.0
// Has a batch of folios a header of its own?
#include <linux/folio_batch.h>
void probe(struct folio_batch *batch);
void probe(struct folio_batch *batch)
{
	folio_batch_init(batch);
}
