// SPDX-License-Identifier: GPL-2.0
/* A mount takes its options, tells them, and is gone after umount. */

#include <sys/mman.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/statfs.h>
#include <sys/swap.h>
#include <sys/sysinfo.h>

#include "lib/fixture.h"

#define MAGIC 0x72756d70

FIXTURE(mount)
{
};

FIXTURE_SETUP(mount)
{
	ASSERT_EQ(0, load_module());
	ASSERT_EQ(0, enter_sandbox());
	reset_table();
}

FIXTURE_TEARDOWN(mount)
{
	reset_table();
	umount2(MNT, MNT_DETACH);
}

static struct statfs fs_of(const char *path)
{
	struct statfs st = {};

	statfs(path, &st);
	return st;
}

/* The options of the mount as /proc/mounts shows them. */
static const char *shown_options(const char *dir)
{
	static char line[1024], options[512];
	FILE *file = fopen("/proc/self/mounts", "r");
	char at[128], type[64];

	options[0] = '\0';
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*s %127s %63s %511s", at, type, options) ==
			    3 &&
		    !strcmp(at, dir))
			break;
		options[0] = '\0';
	}
	if (file)
		fclose(file);
	return options;
}

static bool shows(const char *options, const char *word)
{
	const char *at = strstr(options, word);

	return at && (at == options || at[-1] == ',');
}

/* The number behind "word=" with its K, M or G, in bytes; -1 without it. */
static long long shown_number(const char *options, const char *word, int base)
{
	const char *at = strstr(options, word);
	unsigned long long n;
	char *end;

	if (!at)
		return -1;
	n = strtoull(at + strlen(word), &end, base);
	switch (*end) {
	case 'g':
	case 'G':
		n <<= 10;
		/* fall through */
	case 'm':
	case 'M':
		n <<= 10;
		/* fall through */
	case 'k':
	case 'K':
		n <<= 10;
	}
	return n;
}

/* Set one option on a new context: the errno, and what the log says. */
static int set_option(const char *key, const char *value, char *log, size_t len)
{
	int fd = fsopen(fs_name(), FSOPEN_CLOEXEC), err;
	ssize_t got;

	if (fd < 0)
		return errno;
	err = ERR(fsconfig(fd, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG,
			   key, value, 0));
	/* What parsing lets pass may be refused when the tree is made. */
	if (!err)
		err = ERR(fsconfig(fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
	got = read(fd, log, len - 1);
	log[got < 0 ? 0 : got] = '\0';
	close(fd);
	return err;
}

TEST_F(mount, defaults_are_as_promised)
{
	struct sysinfo info;
	struct statfs st;
	struct stat root;

	ASSERT_EQ(0, mount_at(MNT, NULL));
	ASSERT_EQ(0, stat(MNT, &root));
	EXPECT_EQ(S_IFDIR | 0755, root.st_mode);
	EXPECT_EQ(0, root.st_uid);
	EXPECT_EQ(0, root.st_gid);
	EXPECT_EQ(0, count_names(MNT));

	st = fs_of(MNT);
	EXPECT_EQ(MAGIC, st.f_type);
	EXPECT_EQ(255, st.f_namelen);
	EXPECT_EQ(PAGE, st.f_bsize);

	/* Half of RAM. */
	sysinfo(&info);
	EXPECT_EQ(info.totalram * info.mem_unit / PAGE / 2, st.f_blocks);
	EXPECT_LT(0, st.f_files);

	/* Nothing but defaults: nothing to show. */
	EXPECT_FALSE(shows(shown_options(MNT), "size="));
	EXPECT_FALSE(shows(shown_options(MNT), "nr_inodes="));
	EXPECT_FALSE(shows(shown_options(MNT), "mode="));
	EXPECT_FALSE(shows(shown_options(MNT), "uid="));
	EXPECT_FALSE(shows(shown_options(MNT), "gid="));
	EXPECT_TRUE(shows(shown_options(MNT), "rw"));
}

TEST_F(mount, options_are_taken_and_shown)
{
	struct stat root;
	const char *options;

	ASSERT_EQ(0, mount_at(MNT,
			      "size=2M,nr_inodes=1k,mode=1770,uid=12,gid=34"));
	ASSERT_EQ(0, stat(MNT, &root));
	EXPECT_EQ(S_IFDIR | 01770, root.st_mode);
	EXPECT_EQ(12, root.st_uid);
	EXPECT_EQ(34, root.st_gid);
	EXPECT_EQ(512, fs_of(MNT).f_blocks);
	EXPECT_EQ(1024, fs_of(MNT).f_files);

	options = shown_options(MNT);
	EXPECT_EQ(2 << 20, shown_number(options, "size=", 10));
	EXPECT_EQ(1024, shown_number(options, "nr_inodes=", 10));
	EXPECT_EQ(01770, shown_number(options, "mode=", 8));
	EXPECT_EQ(12, shown_number(options, ",uid=", 10));
	EXPECT_EQ(34, shown_number(options, ",gid=", 10));
}

TEST_F(mount, what_it_shows_it_takes)
{
	char options[512];

	ASSERT_EQ(0, mount_at(MNT, "size=1234k,nr_inodes=77,mode=0700,uid=5"));
	snprintf(options, sizeof(options), "%s",
		 strstr(shown_options(MNT), "size="));
	ASSERT_EQ(0, mount_at(MNT2, options));
	EXPECT_EQ(0,
		  strcmp(options, strstr(shown_options(MNT2), "size=") ?: "")) {
		TH_LOG("%s", options);
	}
	EXPECT_EQ(fs_of(MNT).f_blocks, fs_of(MNT2).f_blocks);
}

FIXTURE(size)
{
};

FIXTURE_SETUP(size)
{
	ASSERT_EQ(0, load_module());
	ASSERT_EQ(0, enter_sandbox());
}

FIXTURE_TEARDOWN(size)
{
	umount2(MNT, MNT_DETACH);
}

FIXTURE_VARIANT(size)
{
	const char *options;
	unsigned long long expected_pages;
};

FIXTURE_VARIANT_ADD(size, plain) { .options = "size=40960", .expected_pages = 10 };
FIXTURE_VARIANT_ADD(size, rounded_up) { .options = "size=40961", .expected_pages = 11 };
FIXTURE_VARIANT_ADD(size, kilo) { .options = "size=400K", .expected_pages = 100 };
FIXTURE_VARIANT_ADD(size, mega) { .options = "size=3M", .expected_pages = 768 };
FIXTURE_VARIANT_ADD(size, giga) { .options = "size=1G", .expected_pages = 262144 };
FIXTURE_VARIANT_ADD(size, tera) { .options = "size=1T", .expected_pages = 268435456 };
FIXTURE_VARIANT_ADD(size, lower_case) { .options = "size=5m", .expected_pages = 1280 };
FIXTURE_VARIANT_ADD(size, lower_kilo) { .options = "size=16k", .expected_pages = 4 };
FIXTURE_VARIANT_ADD(size, hex) { .options = "size=0x4000", .expected_pages = 4 };
FIXTURE_VARIANT_ADD(size, last_wins) { .options = "size=1M,size=2M", .expected_pages = 512 };

TEST_F(size, is_understood)
{
	ASSERT_EQ(0, mount_at(MNT, variant->options));
	EXPECT_EQ(variant->expected_pages, fs_of(MNT).f_blocks);
}

TEST_F(mount, a_share_of_memory)
{
	struct sysinfo info;

	/* More than there is may be promised. */
	sysinfo(&info);
	ASSERT_EQ(0, mount_at(MNT2, "size=150%"));
	EXPECT_GE(1,
		  llabs((long long)(info.totalram * info.mem_unit / PAGE) * 3 /
				2 -
			(long long)fs_of(MNT2).f_blocks));
	umount2(MNT2, MNT_DETACH);
	if (is_rumpfs()) {
		ASSERT_EQ(0, mount_at(MNT2, "nr_inodes=50%"));
		EXPECT_EQ(info.totalram * info.mem_unit / PAGE / 2,
			  fs_of(MNT2).f_files);
		umount2(MNT2, MNT_DETACH);
	}
	ASSERT_EQ(0, mount_at(MNT, "size=10%"));
	EXPECT_GE(1,
		  llabs((long long)(info.totalram * info.mem_unit / PAGE / 10) -
			(long long)fs_of(MNT).f_blocks));
}

FIXTURE(refused)
{
};

FIXTURE_SETUP(refused)
{
	ASSERT_EQ(0, load_module());
	ASSERT_EQ(0, enter_sandbox());
}

FIXTURE_TEARDOWN(refused)
{
}

FIXTURE_VARIANT(refused)
{
	const char *key;
	const char *value;
};

FIXTURE_VARIANT_ADD(refused, size_word) { "size", "much" };
FIXTURE_VARIANT_ADD(refused, size_unit) { "size", "12Q" };
FIXTURE_VARIANT_ADD(refused, size_empty) { "size", "" };
FIXTURE_VARIANT_ADD(refused, size_negative) { "size", "-1" };
FIXTURE_VARIANT_ADD(refused, size_too_large) { "size", "9000000T" };
FIXTURE_VARIANT_ADD(refused, share_too_large) { "size", "99999999999999999%" };
FIXTURE_VARIANT_ADD(refused, size_in_blocks) { "nr_blocks", "100" };
FIXTURE_VARIANT_ADD(refused, inodes_word) { "nr_inodes", "many" };
FIXTURE_VARIANT_ADD(refused, mode_digit) { "mode", "0789" };
FIXTURE_VARIANT_ADD(refused, uid_negative) { "uid", "-1" };
FIXTURE_VARIANT_ADD(refused, uid_none) { "uid", "4294967295" };
FIXTURE_VARIANT_ADD(refused, gid_word) { "gid", "staff" };
FIXTURE_VARIANT_ADD(refused, gid_none) { "gid", "4294967295" };
FIXTURE_VARIANT_ADD(refused, unknown_flag) { "noxattr", NULL };
FIXTURE_VARIANT_ADD(refused, unknown_word) { "huge", "always" };
FIXTURE_VARIANT_ADD(refused, table_word) { "etfs", "none" };
FIXTURE_VARIANT_ADD(refused, table_empty) { "etfs", "" };
FIXTURE_VARIANT_ADD(refused, table_flag) { "etfs", NULL };
FIXTURE_VARIANT_ADD(refused, grey_whiteouts) { "whiteout", "grey" };

TEST_F(refused, with_a_sentence_that_names_the_word)
{
	char log[512], prefix[64];

	snprintf(prefix, sizeof(prefix), "e %s: ", fs_name());
	EXPECT_EQ(EINVAL,
		  set_option(variant->key, variant->value, log, sizeof(log)));
	EXPECT_EQ(0, strncmp(log, prefix, strlen(prefix))) {
		TH_LOG("the log says: %s", log);
	}
	EXPECT_NE(NULL, strstr(log, variant->key)) {
		TH_LOG("the log says: %s", log);
	}
}

TEST_F(refused, by_mount_too)
{
	char options[64];

	snprintf(options, sizeof(options), "%s%s%s", variant->key,
		 variant->value ? "=" : "", variant->value ?: "");
	EXPECT_EQ(EINVAL, mount_at(MNT, options));
	EXPECT_EQ(0, strcmp("", shown_options(MNT)));
}

TEST_F(mount, remount_keeps_what_cannot_change)
{
	const char *fixed[] = { "mode=0700", "uid=1", "gid=1" };
	struct stat root;
	size_t i;

	ASSERT_EQ(0, mount_at(MNT, "mode=0711,uid=7,size=1M"));
	for (i = 0; i < ARRAY_SIZE(fixed); i++)
		EXPECT_EQ(EINVAL,
			  ERR(mount(NULL, MNT, NULL, MS_REMOUNT, fixed[i]))) {
			TH_LOG("%s", fixed[i]);
		}
	EXPECT_EQ(EINVAL, ERR(mount(NULL, MNT, NULL, MS_REMOUNT, "noxattr")));

	/* Unchanged is allowed: what mount(8) passes along. */
	EXPECT_EQ(0, ERR(mount(NULL, MNT, NULL, MS_REMOUNT,
			       "mode=0711,uid=7,gid=0,size=2M")));
	ASSERT_EQ(0, stat(MNT, &root));
	EXPECT_EQ(S_IFDIR | 0711, root.st_mode);
	EXPECT_EQ(7, root.st_uid);
	EXPECT_EQ(512, fs_of(MNT).f_blocks);

	/* A remount that is refused changes nothing. */
	EXPECT_EQ(EINVAL,
		  ERR(mount(NULL, MNT, NULL, MS_REMOUNT, "size=3M,uid=8")));
	EXPECT_EQ(512, fs_of(MNT).f_blocks);

	/* Without a word about it the size stays. */
	EXPECT_EQ(0, ERR(mount(NULL, MNT, NULL, MS_REMOUNT | MS_NOATIME, "")));
	EXPECT_EQ(512, fs_of(MNT).f_blocks);
}

TEST_F(mount, a_private_table_shows_no_host_key)
{
	ASSERT_EQ(0, put_text(HOST "/f", "host"));
	ASSERT_EQ(0, table("/before /mnt/host/f reg"));
	ASSERT_EQ(0, mount_at(MNT, "etfs=private"));
	ASSERT_EQ(0, mount_at(MNT2, "etfs=host"));
	EXPECT_TRUE(shows(shown_options(MNT), "etfs=private"));
	EXPECT_FALSE(shows(shown_options(MNT2), "etfs="));

	ASSERT_EQ(0, table("/d/after /mnt/host/f reg"));
	EXPECT_EQ(2, count_names(MNT2));
	EXPECT_EQ(0, text_is(MNT2 "/d/after", "host"));
	EXPECT_EQ(0, count_names(MNT));
	EXPECT_EQ(ENOENT, stat_err(MNT "/before"));
	EXPECT_EQ(ENOENT, stat_err(MNT "/d"));
	EXPECT_EQ(2, nlink_of(MNT));

	/* What is put there is hidden by no key. */
	ASSERT_EQ(0, mkdir(MNT "/d", 0755));
	ASSERT_EQ(0, put_text(MNT "/d/late", "mine"));
	ASSERT_EQ(0, table("/d/late /mnt/host/f reg"));
	EXPECT_EQ(0, text_is(MNT "/d/late", "mine"));
	EXPECT_EQ(0, text_is(MNT2 "/d/late", "host"));
	EXPECT_EQ(0, rename(MNT "/d", MNT "/e"));
	umount2(MNT2, MNT_DETACH);
}

TEST_F(mount, remount_keeps_the_table)
{
	ASSERT_EQ(0, mount_at(MNT, "etfs=private"));
	EXPECT_EQ(EINVAL,
		  ERR(mount(NULL, MNT, NULL, MS_REMOUNT, "etfs=host")));
	EXPECT_TRUE(shows(shown_options(MNT), "etfs=private"));
	EXPECT_EQ(0, ERR(mount(NULL, MNT, NULL, MS_REMOUNT, "etfs=private")));
	EXPECT_EQ(0, ERR(mount(NULL, MNT, NULL, MS_REMOUNT, "size=2M")));
	EXPECT_TRUE(shows(shown_options(MNT), "etfs=private"));

	ASSERT_EQ(0, mount_at(MNT2, NULL));
	EXPECT_EQ(EINVAL,
		  ERR(mount(NULL, MNT2, NULL, MS_REMOUNT, "etfs=private")));
	EXPECT_EQ(0, ERR(mount(NULL, MNT2, NULL, MS_REMOUNT, "etfs=host")));
	umount2(MNT2, MNT_DETACH);
}

TEST_F(mount, a_remount_is_refused_in_words)
{
	char log[512] = "";
	int fd;

	ASSERT_EQ(0, mount_at(MNT, NULL));
	fd = fspick(AT_FDCWD, MNT, FSPICK_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, ERR(fsconfig(fd, FSCONFIG_SET_STRING, "etfs", "private",
				  0)));
	EXPECT_EQ(EINVAL,
		  ERR(fsconfig(fd, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0)));
	EXPECT_LT(0, read(fd, log, sizeof(log) - 1));
	EXPECT_NE(NULL, strstr(log, "e rumpfs: etfs")) {
		TH_LOG("the log says: %s", log);
	}
	close(fd);
}

/* Mount and unmount again and again: a private table goes with its mount. */
TEST_F(mount, private_tables_come_and_go)
{
	int round;

	for (round = 0; round < 100; round++) {
		ASSERT_EQ(0, mount_at(MNT, "etfs=private"));
		ASSERT_EQ(0, put_text(MNT "/a", "x"));
		ASSERT_TRUE(WAIT_FOR(!umount(MNT)));
	}
}

/* As on tmpfs: there is nothing to freeze, and no disk to swap to. */
TEST_F(mount, is_not_frozen)
{
	int fd;

	ASSERT_EQ(0, mount_at(MNT, NULL));
	fd = open(MNT, O_RDONLY | O_DIRECTORY);
	EXPECT_EQ(EOPNOTSUPP, ERR(ioctl(fd, FIFREEZE, 0)));
	EXPECT_EQ(EINVAL, ERR(ioctl(fd, FITHAW, 0)));
	close(fd);
}

TEST_F(mount, is_not_swapped_to)
{
	ASSERT_EQ(0, mount_at(MNT, NULL));
	ASSERT_EQ(0, fill(MNT "/swap", 1 << 20, 1));
	ASSERT_EQ(0, chmod(MNT "/swap", 0600));
	ASSERT_EQ(0, run("mkswap " MNT "/swap"));
	EXPECT_EQ(EINVAL, ERR(swapon(MNT "/swap", 0)));
	if (!is_rumpfs())
		return;
	/* Nor through a key, aligned or not. */
	ASSERT_EQ(0, run("cp " MNT "/swap " HOST "/swap"));
	ASSERT_EQ(0, run("(printf '%%0512d' 0; cat " MNT "/swap) >" HOST
			 "/shifted"));
	ASSERT_EQ(0, table("/key " HOST "/swap reg\n/shifted " HOST
			   "/shifted reg offset=512"));
	EXPECT_EQ(EINVAL, ERR(swapon(MNT "/key", 0)));
	EXPECT_EQ(EINVAL, ERR(swapon(MNT "/shifted", 0)));
}

TEST_F(mount, read_only_is_refused_to_a_writer)
{
	void *map;
	int fd;

	ASSERT_EQ(0, mount_at(MNT, NULL));
	ASSERT_EQ(0, put_text(MNT "/a", "x"));
	fd = open(MNT "/a", O_WRONLY);
	EXPECT_EQ(EBUSY,
		  ERR(mount(NULL, MNT, NULL, MS_REMOUNT | MS_RDONLY, NULL)));
	close(fd);
	fd = open(MNT "/a", O_RDONLY);
	ASSERT_EQ(0, unlink(MNT "/a"));
	EXPECT_EQ(EBUSY,
		  ERR(mount(NULL, MNT, NULL, MS_REMOUNT | MS_RDONLY, NULL)));
	close(fd);
	EXPECT_TRUE(WAIT_FOR(!mount(NULL, MNT, NULL, MS_REMOUNT | MS_RDONLY,
				    NULL)));
	EXPECT_TRUE(shows(shown_options(MNT), "ro"));
	EXPECT_EQ(EROFS, put_text(MNT "/b", "x"));

	/* And back. */
	ASSERT_EQ(0, mount(NULL, MNT, NULL, MS_REMOUNT, NULL));
	EXPECT_EQ(0, put_text(MNT "/b", "x"));

	/* A mapping that may be stored to is a writer, too. */
	fd = open(MNT "/b", O_RDWR);
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(EBUSY,
		  ERR(mount(NULL, MNT, NULL, MS_REMOUNT | MS_RDONLY, NULL)));
	munmap(map, PAGE);
	EXPECT_TRUE(WAIT_FOR(!mount(NULL, MNT, NULL, MS_REMOUNT | MS_RDONLY,
				    NULL)));
}

TEST_F(mount, each_mount_is_a_tree_of_its_own)
{
	struct stat a, b;

	ASSERT_EQ(0, mount_at(MNT, NULL));
	ASSERT_EQ(0, mount_at(MNT2, NULL));
	ASSERT_EQ(0, put_text(MNT "/a", "x"));
	EXPECT_EQ(ENOENT, stat_err(MNT2 "/a"));
	ASSERT_EQ(0, stat(MNT, &a));
	ASSERT_EQ(0, stat(MNT2, &b));
	EXPECT_NE(a.st_dev, b.st_dev);
	ASSERT_EQ(0, mkdir(MNT "/d", 0755));
	EXPECT_EQ(ERR(rename(MNT "/a", MNT2 "/a")), EXDEV);
}

TEST_F(mount, umount_takes_a_full_tree_along)
{
	int rounds = is_sanitized() ? 2 : 5, round, fd;

	for (round = 0; round < rounds; round++) {
		ASSERT_EQ(0, mount_at(MNT, NULL));
		ASSERT_EQ(0, run("mkdir -p " MNT "/a/b/c && cp /etc/passwd " MNT
				 "/a/b &&"
				 "ln -s x " MNT "/l && ln " MNT
				 "/a/b/passwd " MNT "/p &&"
				 "mkfifo " MNT "/f"));
		fd = open(MNT "/p", O_RDONLY);
		EXPECT_EQ(EBUSY, ERR(umount(MNT)));
		close(fd);
		EXPECT_TRUE(WAIT_FOR(!umount(MNT)));
		EXPECT_EQ(0, count_names(MNT));
	}
}

TEST_F(mount, a_detached_mount_works_until_its_last_file)
{
	char byte = 0;
	int fd;

	ASSERT_EQ(0, mount_at(MNT, NULL));
	ASSERT_EQ(0, put_text(MNT "/a", "x"));
	fd = open(MNT "/a", O_RDWR);
	ASSERT_EQ(0, umount2(MNT, MNT_DETACH));
	EXPECT_EQ(1, pread(fd, &byte, 1, 0));
	EXPECT_EQ('x', byte);
	EXPECT_EQ(1, pwrite(fd, "y", 1, 5000));
	close(fd);
}

TEST_HARNESS_MAIN
