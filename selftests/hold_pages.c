// SPDX-License-Identifier: GPL-2.0
/*
 * Memory whose pages keep what is written to them.
 *
 *	hold_pages MBYTES
 *
 * Each page is written, "held" is said. For each line that is read then every
 * page is looked at and written anew: "held" again, or "lost" and exit status 1.
 */
#include <sys/mman.h>

#include "lib/check.h"

#define WORDS (PAGE / sizeof(uint64_t))
/* One word of so many is looked at. */
#define STEP 16

/* No other word is it, nor this one in another round. */
static uint64_t word_of(size_t page, size_t i, unsigned int round)
{
	return (page << 32 | round << 16 | i) * 0x9e3779b97f4a7c15ULL;
}

static bool page_is(const uint64_t *words, size_t page, unsigned int round)
{
	size_t i;

	for (i = 0; i < WORDS; i += STEP)
		if (words[page * WORDS + i] != word_of(page, i, round))
			return false;
	return true;
}

static void write_page(uint64_t *words, size_t page, unsigned int round)
{
	size_t i;

	for (i = 0; i < WORDS; i += STEP)
		words[page * WORDS + i] = word_of(page, i, round);
}

static bool go_round(uint64_t *words, size_t nr_pages, unsigned int round)
{
	size_t page;

	for (page = 0; page < nr_pages; page++) {
		if (round && !page_is(words, page, round - 1))
			return false;
		write_page(words, page, round);
	}
	return true;
}

int main(int argc, char **argv)
{
	size_t nr_pages = argc == 2 ? strtoull(argv[1], NULL, 0) * 256 : 0;
	uint64_t *words = mmap(NULL, nr_pages * PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int round = 0;
	char line[16];

	if (words == MAP_FAILED) {
		fprintf(stderr, "hold_pages MBYTES\n");
		return 2;
	}
	setlinebuf(stdout);
	do {
		if (!go_round(words, nr_pages, round++)) {
			puts("lost");
			return 1;
		}
		puts("held");
	} while (fgets(line, sizeof(line), stdin));
	return 0;
}
