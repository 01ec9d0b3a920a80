/* SPDX-License-Identifier: GPL-2.0 */
/* Dice that fall the same way whenever they begin with the same seed. */
#ifndef SELFTESTS_DICE_H
#define SELFTESTS_DICE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* xorshift: quick, and the same everywhere. */
struct dice {
	uint64_t state;
};

static inline uint64_t dice_roll(struct dice *dice, uint64_t sides)
{
	dice->state ^= dice->state << 13;
	dice->state ^= dice->state >> 7;
	dice->state ^= dice->state << 17;
	return (dice->state * 0x2545f4914f6cdd1dULL >> 11) % sides;
}

/* True once in so many times. */
static inline bool dice_one_in(struct dice *dice, uint64_t sides)
{
	return !dice_roll(dice, sides);
}

static inline uint64_t dice_seed(const char *name)
{
	const char *said = getenv(name);
	struct timespec ts;

	if (said && *said)
		return strtoull(said, NULL, 0) ?: 1;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (ts.tv_sec * 1000003ULL + ts.tv_nsec) % 1000000007 + 1;
}

#endif /* SELFTESTS_DICE_H */
