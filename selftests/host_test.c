// SPDX-License-Identifier: GPL-2.0
/* What cannot be mapped, and what the host says about it. */

#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "lib/fixture.h"

/*
 *	/mnt/host
 *	|-- f		64 KB of pattern
 *	|-- d/
 *	|-- link	-> f
 *	|-- abs		-> /mnt/host/f
 *	|-- loop	-> loop
 *	|-- dangling	-> none
 *	|-- dlink	-> d
 *	|-- fifo, sock
 *	`-- ro/		read-only tmpfs with g in it
 */
#define F HOST "/f"

static const char long_name[] =
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";

static int make_host(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX,
				    .sun_path = HOST "/sock" };
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);
	int err = setup_mount(NULL);

	if (err)
		return err;
	if (fill(F, 65536, 1) || mkdir(HOST "/d", 0755) ||
	    symlink("f", HOST "/link") || symlink(F, HOST "/abs") ||
	    symlink("loop", HOST "/loop") ||
	    symlink("none", HOST "/dangling") || symlink("d", HOST "/dlink") ||
	    mkfifo(HOST "/fifo", 0644) ||
	    bind(sock, (void *)&addr, sizeof(addr)) ||
	    mkdir(HOST "/ro", 0755) ||
	    mount("none", HOST "/ro", "tmpfs", 0, NULL) ||
	    put_text(HOST "/ro/g", "read only") ||
	    mount(NULL, HOST "/ro", NULL, MS_REMOUNT | MS_RDONLY, NULL) ||
	    put_text(MNT "/mine", "mine"))
		return errno ?: EIO;
	close(sock);
	return 0;
}

FIXTURE(host)
{
};

FIXTURE_SETUP(host)
{
	ASSERT_EQ(0, make_host());
}

FIXTURE_TEARDOWN(host)
{
	teardown_mount();
}

FIXTURE_VARIANT(host)
{
	const char *path;
	const char *options;
	int expected_reg;
	int expected_blk;
};

#define CASE(name, path, options, reg, blk) \
	FIXTURE_VARIANT_ADD(host, name) { path, options, reg, blk }

CASE(file, F, "", 0, 0);
CASE(symlink, HOST "/link", "", 0, 0);
CASE(absolute_symlink, HOST "/abs", "", 0, 0);
CASE(dots, HOST "/d/../f", "", 0, 0);
CASE(slashes, "//mnt///host//f", "", 0, 0);
CASE(missing, HOST "/none", "", ENOENT, ENOENT);
CASE(missing_directory, HOST "/none/f", "", ENOENT, ENOENT);
CASE(dangling_symlink, HOST "/dangling", "", ENOENT, ENOENT);
CASE(symlink_loop, HOST "/loop", "", ELOOP, ELOOP);
CASE(file_in_the_path, F "/x", "", ENOTDIR, ENOTDIR);
CASE(file_with_a_slash, F "/", "", ENOTDIR, ENOTDIR);
CASE(directory, HOST "/d", "", EISDIR, EISDIR);
CASE(directory_by_symlink, HOST "/dlink", "", EISDIR, EISDIR);
CASE(directory_read_only, HOST "/d", "ro", EISDIR, EISDIR);
CASE(fifo, HOST "/fifo", "", EINVAL, EINVAL);
CASE(fifo_read_only, HOST "/fifo", "ro", EINVAL, EINVAL);
CASE(socket, HOST "/sock", "", EINVAL, EINVAL);
CASE(character_device, "/dev/null", "", EINVAL, EINVAL);
CASE(on_proc, "/proc/self/mem", "ro", ELOOP, ELOOP);
CASE(read_only_mount, HOST "/ro/g", "", EROFS, EACCES);
CASE(read_only_mount_ro, HOST "/ro/g", "ro", 0, 0);
CASE(on_rumpfs, MNT "/mine", "", ELOOP, ELOOP);
CASE(directory_on_rumpfs, MNT, "", ELOOP, ELOOP);
CASE(on_rumpfs_ro, MNT "/mine", "ro", ELOOP, ELOOP);

/* These are the host's own words; the sentence has them, too. */
static bool tells_the_errno(int err)
{
	char number[8];

	if (err != ENOENT && err != ENOTDIR && err != EROFS && err != EACCES)
		return true;
	snprintf(number, sizeof(number), "(-%d)", err);
	return last_error_has(strerrorname_np(err)) || last_error_has(number);
}

TEST_F(host, decides_for_reg)
{
	EXPECT_EQ(variant->expected_reg,
		  table("/k %s reg %s", variant->path, variant->options)) {
		TH_LOG("last_error: %s", last_error());
	}
	EXPECT_EQ(variant->expected_reg ? ENOENT : 0, stat_err(MNT "/k"));
	if (variant->expected_reg)
		EXPECT_TRUE(last_error_has("1:"));
	EXPECT_TRUE(tells_the_errno(variant->expected_reg));
}

TEST_F(host, decides_for_blk)
{
	EXPECT_EQ(variant->expected_blk,
		  table("/k %s blk %s", variant->path, variant->options)) {
		TH_LOG("last_error: %s", last_error());
	}
	EXPECT_EQ(variant->expected_blk ? ENOENT : 0, stat_err(MNT "/k"));
	EXPECT_TRUE(tells_the_errno(variant->expected_blk));
}

TEST_F(host, decides_for_replace)
{
	ASSERT_EQ(0, table("/k " F " reg ro"));
	EXPECT_EQ(variant->expected_reg,
		  table("=/k %s reg %s", variant->path, variant->options));
	if (variant->expected_reg)
		EXPECT_EQ(0, rows_are("/k " F " reg ro\n"));
}

FIXTURE(path)
{
};

FIXTURE_SETUP(path)
{
	ASSERT_EQ(0, make_host());
}

FIXTURE_TEARDOWN(path)
{
	teardown_mount();
}

TEST_F(path, a_long_name_on_the_host)
{
	EXPECT_EQ(ENAMETOOLONG, table("/k " HOST "/%s reg", long_name));
}

/* Who waits for a pipe has said where it goes, and O_APPEND comes too late. */
static int splice_while_appending(off_t at)
{
	int ends[2], fd = open(MNT "/k", O_RDWR), err;
	pid_t pid;

	if (pipe(ends))
		return errno;
	pid = fork();
	if (!pid)
		_exit(splice(ends[0], NULL, fd, &at, 100, 0) != 1);
	err = WAIT_FOR(state_of(pid) == 'S') ? 0 : ETIME;
	fcntl(fd, F_SETFL, O_APPEND);
	if (write(ends[1], "x", 1) != 1)
		kill(pid, SIGKILL);
	err = wait_status(pid) ?: err;
	close(ends[0]);
	close(ends[1]);
	close(fd);
	return err;
}

TEST_F(path, a_splice_goes_where_it_was_told)
{
	ASSERT_EQ(0, put_text(F, "0123456789"));
	ASSERT_EQ(0, table("/k " F " reg"));
	EXPECT_EQ(0, splice_while_appending(3));
	EXPECT_EQ(0, text_is(F, "012x456789"));
	ASSERT_EQ(0, table("=/k " F " reg offset=1,size=8"));
	EXPECT_EQ(0, splice_while_appending(3));
	EXPECT_EQ(0, text_is(F, "012xx56789"));
}

/* A key through which one would get back into rumpfs. */
TEST_F(path, a_symlink_into_rumpfs_is_refused)
{
	ASSERT_EQ(0, symlink(MNT "/mine", HOST "/back"));
	ASSERT_EQ(0, table("/key " F " reg"));
	EXPECT_EQ(ELOOP, table("/k " HOST "/back reg"));
	EXPECT_EQ(ELOOP, table("/k " MNT "/key reg"));

	/* A directory of rumpfs on the way to another file system is none. */
	ASSERT_EQ(0, mkdir(MNT "/m", 0755));
	ASSERT_EQ(0, mount(HOST, MNT "/m", NULL, MS_BIND, NULL));
	EXPECT_EQ(0, table("/k " MNT "/m/f reg"));
	EXPECT_EQ(0, fill_is(MNT "/k", 0, 65536, 0, 1));
	ASSERT_EQ(0, umount(MNT "/m"));
}

/* What becomes of the path later is asked again at each open. */
TEST_F(path, a_path_that_leads_back_later_is_refused_then)
{
	ASSERT_EQ(0, symlink(F, HOST "/turn"));
	ASSERT_EQ(0, table("/k " HOST "/turn reg"));
	ASSERT_EQ(0, open_err(MNT "/k", O_RDONLY));
	ASSERT_EQ(0, unlink(HOST "/turn"));
	ASSERT_EQ(0, symlink(MNT "/mine", HOST "/turn"));
	EXPECT_EQ(ELOOP, open_err(MNT "/k", O_RDONLY));
	ASSERT_EQ(0, unlink(HOST "/turn"));
	ASSERT_EQ(0, symlink(MNT "/k", HOST "/turn"));
	EXPECT_EQ(ELOOP, open_err(MNT "/k", O_RDONLY));
}

TEST_F(path, a_fifo_in_the_place_of_a_file_does_not_hang)
{
	ASSERT_EQ(0, table("/k " F " reg"));
	ASSERT_EQ(0, unlink(F));
	ASSERT_EQ(0, mkfifo(F, 0644));
	EXPECT_EQ(EINVAL, open_err(MNT "/k", O_RDONLY));
	EXPECT_EQ(EINVAL, open_err(MNT "/k", O_WRONLY));
	EXPECT_EQ(1, listed(MNT, "k"));
}

TEST_F(path, a_block_device_can_be_a_file)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	int file = open(F, O_RDWR | O_CLOEXEC), loop, nr;
	char dev[32], buf[100];

	if (control < 0)
		run("modprobe loop");
	if (control < 0)
		control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	if (control < 0)
		SKIP(return, "this kernel has no loop devices");
	nr = ioctl(control, LOOP_CTL_GET_FREE);
	ASSERT_LE(0, nr);
	snprintf(dev, sizeof(dev), "/dev/loop%d", nr);
	loop = open(dev, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, loop);
	ASSERT_EQ(0, ioctl(loop, LOOP_SET_FD, file));

	EXPECT_EQ(0,
		  table("/k %s reg\n/w %s reg offset=1000,size=5000", dev, dev)) {
		TH_LOG("last_error: %s", last_error());
	}
	EXPECT_EQ(EINVAL, table("/x %s reg offset=64K,size=1", dev));
	EXPECT_EQ(65536, size_of(MNT "/k"));
	EXPECT_EQ(S_IFREG, mode_of(MNT "/k") & S_IFMT);
	EXPECT_EQ(0, fill_is(MNT "/k", 0, 65536, 0, 1));
	EXPECT_EQ(5000, size_of(MNT "/w"));
	EXPECT_EQ(0, fill_is(MNT "/w", 0, 5000, 1000, 1));
	nr = open(MNT "/w", O_RDWR);
	EXPECT_EQ(3, pwrite(nr, "end of it", 9, 4997));
	EXPECT_EQ(0, fsync(nr));
	close(nr);
	EXPECT_EQ(3, get_bytes(F, buf, 3, 5997));
	EXPECT_EQ(0, memcmp(buf, "end", 3));
	EXPECT_EQ(0, fill_is(F, 6000, 100, 0, 1));
	EXPECT_EQ(0, table("flush"));
	ASSERT_EQ(0, ioctl(loop, LOOP_CLR_FD, 0));
	close(loop);
}

/* What open(2) would ask of the host: the mount and the flags of the inode. */
TEST_F(path, a_device_on_a_nodev_mount_is_refused)
{
	ASSERT_EQ(0, mkdir(HOST "/m", 0755));
	ASSERT_EQ(0, mount("none", HOST "/m", "tmpfs", MS_NODEV, NULL));
	/* There is no such device: who gets as far as opening it says so. */
	ASSERT_EQ(0, mknod(HOST "/m/dev", S_IFBLK | 0666, makedev(0, 7)));
	EXPECT_EQ(EACCES, table("/k " HOST "/m/dev reg"));
	EXPECT_EQ(EACCES, table("/k " HOST "/m/dev blk ro"));
	ASSERT_EQ(0, mount(NULL, HOST "/m", NULL, MS_REMOUNT, NULL));
	EXPECT_EQ(ENXIO, table("/k " HOST "/m/dev reg"));
}

TEST_F(path, an_append_only_file_is_read_only)
{
	int flags, fd;

	ASSERT_EQ(0, mount_ext4(HOST "/disk", HOST "/img", 8));
	ASSERT_EQ(0, put_text(HOST "/disk/f", "log"));
	ASSERT_EQ(0, table("/before " HOST "/disk/f reg"));
	fd = open(HOST "/disk/f", O_RDONLY);
	ASSERT_EQ(0, ERR(ioctl(fd, FS_IOC_GETFLAGS, &flags)));
	flags |= FS_APPEND_FL;
	ASSERT_EQ(0, ERR(ioctl(fd, FS_IOC_SETFLAGS, &flags)));
	close(fd);

	EXPECT_EQ(EPERM, table("/k " HOST "/disk/f reg"));
	EXPECT_EQ(EPERM, open_err(MNT "/before", O_WRONLY));
	EXPECT_EQ(0, text_is(MNT "/before", "log"));
	EXPECT_EQ(0, table("/k " HOST "/disk/f reg ro"));
	EXPECT_EQ(0, text_is(MNT "/k", "log"));
}

/* A stack of two stands on one rumpfs at most: no chain leads to itself. */
TEST_F(path, a_host_stacked_two_deep_is_refused)
{
	const char *layers = "lowerdir=" HOST "/ro:" HOST "/d";
	const char *stacked = "lowerdir=" HOST "/o1:" HOST "/d";

	ASSERT_EQ(0, mkdir(HOST "/o1", 0755));
	ASSERT_EQ(0, mkdir(HOST "/o2", 0755));
	ASSERT_EQ(0, ERR(mount("o1", HOST "/o1", "overlay", 0, layers)));
	ASSERT_EQ(0, ERR(mount("o2", HOST "/o2", "overlay", 0, stacked)));
	EXPECT_EQ(0, table("/k " HOST "/o1/g reg ro"));
	EXPECT_EQ(0, text_is(MNT "/k", "read only"));
	EXPECT_EQ(ELOOP, table("/deep " HOST "/o2/g reg ro"));
	EXPECT_TRUE(last_error_has("stacked 2 deep"));
	EXPECT_EQ(ELOOP, table("/deep " HOST "/o2/g blk ro"));
}

/* A message queue is a regular file without ->read_iter. */
TEST_F(path, a_file_that_has_no_bytes_is_refused)
{
	ASSERT_EQ(0, mkdir(HOST "/mq", 0755));
	ASSERT_EQ(0, mount("none", HOST "/mq", "mqueue", 0, NULL));
	ASSERT_EQ(0, open_err(HOST "/mq/q", O_RDONLY | O_CREAT));
	EXPECT_EQ(EINVAL, table("/k " HOST "/mq/q reg ro"));
	EXPECT_TRUE(last_error_has("by bytes"));
	EXPECT_EQ(EINVAL, table("/k " HOST "/mq/q blk ro"));

	/* Nor later. */
	ASSERT_EQ(0, table("/k " F " reg ro"));
	ASSERT_EQ(0, mount(HOST "/mq/q", F, NULL, MS_BIND, NULL));
	EXPECT_EQ(EINVAL, open_err(MNT "/k", O_RDONLY));
	ASSERT_EQ(0, umount(F));
	ASSERT_EQ(0, unlink(HOST "/mq/q"));
}

TEST_F(path, no_byte_lies_past_the_largest_offset)
{
	const off_t far = 1LL << 62;
	char byte[1];
	int fd;

	ASSERT_EQ(0, put_text(HOST "/huge", "x"));
	ASSERT_EQ(0, ERR(truncate(HOST "/huge", INT64_MAX)));
	ASSERT_EQ(0, table("/k " HOST "/huge reg offset=%lld", (long long)far));
	EXPECT_EQ(far - 1, size_of(MNT "/k"));
	fd = open(MNT "/k", O_RDWR);
	EXPECT_EQ(EFBIG, ERR(pwrite(fd, "x", 1, far)));
	EXPECT_EQ(EFBIG, ERR(fallocate(fd, 0, far, 1)));
	EXPECT_EQ(0, pread(fd, byte, 1, far));
	close(fd);
}

/* Nothing below the root is held: the host may umount it, or mount over it. */
TEST_F(path, keys_do_not_hold_the_mount)
{
	ASSERT_EQ(0, table("/k " HOST "/ro/g reg ro"));
	ASSERT_EQ(0, text_is(MNT "/k", "read only"));
	EXPECT_TRUE(WAIT_FOR(!umount(HOST "/ro")));
	EXPECT_EQ(ENOENT, open_err(MNT "/k", O_RDONLY));
	EXPECT_EQ(ENOENT, stat_err(MNT "/k"));
	EXPECT_EQ(1, listed(MNT, "k"));
	ASSERT_EQ(0, mount("none", HOST "/ro", "tmpfs", 0, NULL));
	ASSERT_EQ(0, put_text(HOST "/ro/g", "another"));
	EXPECT_EQ(0, text_is(MNT "/k", "another"));
}

/* Run in init's own mount namespace; its exit status. */
#define AS_INIT(statement) ({						\
	pid_t pid_ = fork();						\
	int ns_ = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);		\
									\
	if (!pid_)							\
		_exit(setns(ns_, CLONE_NEWNS) ? errno : (statement));	\
	close(ns_);							\
	pid_ < 0 ? -1 : wait_status(pid_); })

/* Written from init's own root, a path is walked from there. */
TEST_F(path, keys_of_init_are_seen_in_any_namespace)
{
	char name[64];

	snprintf(name, sizeof(name), "/run/rumpfs-test-%d", getpid());
	ASSERT_EQ(0, AS_INIT(put_text(name, "of init")));
	EXPECT_EQ(0, AS_INIT(table("/k %s reg", name)));
	EXPECT_EQ(0, text_is(MNT "/k", "of init"));
	EXPECT_EQ(0, AS_INIT(ERR(unlink(name))));
	EXPECT_EQ(ENOENT, open_err(MNT "/k", O_RDONLY));
}

TEST_HARNESS_MAIN
