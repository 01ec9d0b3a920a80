/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device over a window of the host file F, of TOTAL bytes. Before it is
 * included: TYPE as in the table, KEY and NAME, its path here and in the table.
 */
#ifndef SELFTESTS_WINDOW_H
#define SELFTESTS_WINDOW_H

#include "device.h"

#define F HOST "/f"
#define TOTAL 262144
#define SEED 5

FIXTURE(window)
{
	off_t bytes;		/* of the window */
	int nr;
};

FIXTURE_VARIANT(window)
{
	off_t offset;
	off_t size;		/* 0: to the end of the host file */
};

FIXTURE_VARIANT_ADD(window, whole) { 0, 0 };
FIXTURE_VARIANT_ADD(window, aligned) { 8192, 65536 };
FIXTURE_VARIANT_ADD(window, sectors) { 512 * 63, 512 * 99 };
FIXTURE_VARIANT_ADD(window, odd_offset) { 12345, 40960 };
FIXTURE_VARIANT_ADD(window, odd_both) { 4097, 49999 };
FIXTURE_VARIANT_ADD(window, one_byte) { 777, 1 };
FIXTURE_VARIANT_ADD(window, odd_to_the_end) { 1001, 0 };

FIXTURE_SETUP(window)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, fill(F, TOTAL, SEED));
	self->bytes = variant->size ?: TOTAL - variant->offset;
	if (variant->size) {
		ASSERT_EQ(0, table(NAME " " F " " TYPE " offset=%lld,size=%lld",
				   (long long)variant->offset,
				   (long long)variant->size)) {
			TH_LOG("last_error: %s", last_error());
		}
	} else {
		ASSERT_EQ(0, table(NAME " " F " " TYPE " offset=%lld",
				   (long long)variant->offset));
	}
	self->nr = device_nr(KEY);
	ASSERT_LE(0, self->nr);
}

/* No other byte was written. */
FIXTURE_TEARDOWN(window)
{
	off_t end = variant->offset + self->bytes;

	EXPECT_EQ(TOTAL, size_of(F));
	EXPECT_EQ(0, fill_is(F, 0, variant->offset, 0, SEED));
	EXPECT_EQ(0, fill_is(F, end, TOTAL - end, 0, SEED));
	teardown_mount();
}

#endif /* SELFTESTS_WINDOW_H */
