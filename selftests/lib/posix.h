/* SPDX-License-Identifier: GPL-2.0 */
/* Lines of play.h are played in a mount of their own. */
#ifndef SELFTESTS_POSIX_H
#define SELFTESTS_POSIX_H

#include "play.h"

FIXTURE(posix)
{
};

FIXTURE_SETUP(posix)
{
	ASSERT_EQ(0, setup_mount("mode=0755"));
	ASSERT_EQ(0, chdir(MNT));
}

FIXTURE_TEARDOWN(posix)
{
	become(NULL);
	ASSERT_EQ(0, chdir("/"));
	teardown_mount();
}

#endif /* SELFTESTS_POSIX_H */
