// SPDX-License-Identifier: GPL-2.0
/* A handle finds its node again, as long as that lives and no longer. */

#include <linux/fs.h>
#include <sys/sysmacros.h>

#include "lib/fixture.h"

#define FILE_A MNT "/a"
#define DIR_D MNT "/d"

#ifndef AT_HANDLE_CONNECTABLE
#define AT_HANDLE_CONNECTABLE 0x002
#endif

/* A handle with room for any. */
struct handle {
	union {
		struct file_handle fh;
		char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	};
};

FIXTURE(handle)
{
	struct handle handle;
};

FIXTURE_SETUP(handle)
{
	ASSERT_EQ(0, setup_mount(NULL));
}

FIXTURE_TEARDOWN(handle)
{
	teardown_mount();
}

static int get_handle_at(const char *path, struct handle *handle, int flags)
{
	int mount_id;

	memset(handle, 0, sizeof(*handle));
	handle->fh.handle_bytes = MAX_HANDLE_SZ;
	return ERR(name_to_handle_at(AT_FDCWD, path, &handle->fh, &mount_id,
				     flags));
}

static int get_handle(const char *path, struct handle *handle)
{
	return get_handle_at(path, handle, 0);
}

/* A descriptor, or minus the errno. */
static int open_handle_at(const char *mount, struct handle *handle, int flags)
{
	int dir = open(mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;

	fd = open_by_handle_at(dir, &handle->fh, flags);
	if (fd < 0)
		fd = -errno;
	close(dir);
	return fd;
}

static int open_handle(struct handle *handle, int flags)
{
	return open_handle_at(MNT, handle, flags);
}

/* The inode number behind a handle, 0 for none; errno then tells why. */
static unsigned long long handle_ino(struct handle *handle)
{
	int fd = open_handle(handle, O_PATH);
	struct stat st;
	int err;

	if (fd < 0) {
		errno = -fd;
		return 0;
	}
	err = fstat(fd, &st);
	close(fd);
	return err ? 0 : st.st_ino;
}

/* 0, or why it finds nothing. */
static int handle_err(struct handle *handle)
{
	return handle_ino(handle) ? 0 : errno;
}

/* 0 if the file behind a handle has this text, else an errno. */
static int handle_text_is(struct handle *handle, const char *text)
{
	int fd = open_handle(handle, O_RDONLY);
	char path[64];
	int err;

	if (fd < 0)
		return -fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	err = text_is(path, text);
	close(fd);
	return err;
}

static int forget_nodes(void)
{
	return put_text("/proc/sys/vm/drop_caches", "2");
}

TEST_F(handle, every_kind_of_node_is_found_again)
{
	const char *path[] = { MNT, FILE_A, DIR_D, MNT "/link", MNT "/fifo",
			       MNT "/dev", DIR_D "/below" };
	struct handle handle[7];
	int i;

	ASSERT_EQ(0, put_text(FILE_A, "text"));
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, symlink("a", MNT "/link"));
	ASSERT_EQ(0, mkfifo(MNT "/fifo", 0644));
	ASSERT_EQ(0, mknod(MNT "/dev", S_IFCHR, makedev(1, 3)));
	ASSERT_EQ(0, put_text(DIR_D "/below", "below"));
	for (i = 0; i < 7; i++)
		ASSERT_EQ(0, get_handle(path[i], &handle[i]));
	ASSERT_EQ(0, forget_nodes());
	for (i = 0; i < 7; i++)
		EXPECT_EQ(ino_of(path[i]), handle_ino(&handle[i])) {
			TH_LOG("%s", path[i]);
		}
	EXPECT_EQ(0, handle_text_is(&handle[1], "text"));
	EXPECT_EQ(0, handle_text_is(&handle[6], "below"));
	i = open_handle(&handle[2], O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, i);
	EXPECT_EQ(0, ERR(faccessat(i, "below", F_OK, 0)));
	EXPECT_EQ(0, ERR(faccessat(i, "../a", F_OK, 0)));
	close(i);
}

TEST_F(handle, a_node_has_one_for_all_its_life)
{
	struct handle again;

	ASSERT_EQ(0, put_text(FILE_A, "text"));
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, get_handle(FILE_A, &self->handle));
	ASSERT_EQ(0, rename(FILE_A, DIR_D "/b"));
	EXPECT_EQ(0, handle_text_is(&self->handle, "text"));
	ASSERT_EQ(0, rename(DIR_D, MNT "/e"));
	ASSERT_EQ(0, forget_nodes());
	EXPECT_EQ(0, handle_text_is(&self->handle, "text"));
	ASSERT_EQ(0, get_handle(MNT "/e/b", &again));
	EXPECT_EQ(0, memcmp(&again, &self->handle, sizeof(again)));

	/* Another name does, too. */
	ASSERT_EQ(0, link(MNT "/e/b", MNT "/c"));
	ASSERT_EQ(0, unlink(MNT "/e/b"));
	ASSERT_EQ(0, get_handle(MNT "/c", &again));
	EXPECT_EQ(0, memcmp(&again, &self->handle, sizeof(again)));
	EXPECT_EQ(0, handle_text_is(&self->handle, "text"));

	/* It may be written through. */
	ASSERT_EQ(0, put_text(MNT "/c", "more"));
	EXPECT_EQ(0, handle_text_is(&again, "more"));
}

TEST_F(handle, an_open_file_without_a_name_is_found)
{
	int fd, mount_id;

	ASSERT_EQ(0, put_text(FILE_A, "text"));
	ASSERT_EQ(0, get_handle(FILE_A, &self->handle));
	fd = open(FILE_A, O_RDWR);
	ASSERT_EQ(0, unlink(FILE_A));
	EXPECT_EQ(0, handle_text_is(&self->handle, "text"));
	close(fd);
	EXPECT_EQ(ESTALE, handle_err(&self->handle));

	/* A directory as well, and a file that never had a name. */
	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, get_handle(DIR_D, &self->handle));
	fd = open(DIR_D, O_RDONLY);
	ASSERT_EQ(0, rmdir(DIR_D));
	EXPECT_EQ(0, handle_err(&self->handle));
	close(fd);
	EXPECT_EQ(ESTALE, handle_err(&self->handle));

	fd = open(MNT, O_TMPFILE | O_RDWR, 0600);
	ASSERT_EQ(0, ERR(write(fd, "temp", 4)));
	self->handle.fh.handle_bytes = MAX_HANDLE_SZ;
	ASSERT_EQ(0, ERR(name_to_handle_at(fd, "", &self->handle.fh, &mount_id,
					   AT_EMPTY_PATH)));
	EXPECT_EQ(0, handle_text_is(&self->handle, "temp"));
	close(fd);
	EXPECT_EQ(ESTALE, handle_err(&self->handle));
}

TEST_F(handle, the_same_name_anew_is_another_node)
{
	ASSERT_EQ(0, put_text(FILE_A, "old"));
	ASSERT_EQ(0, get_handle(FILE_A, &self->handle));
	ASSERT_EQ(0, unlink(FILE_A));
	ASSERT_EQ(0, put_text(FILE_A, "new"));
	EXPECT_EQ(ESTALE, handle_text_is(&self->handle, "new"));
	ASSERT_EQ(0, get_handle(FILE_A, &self->handle));
	ASSERT_EQ(0, put_text(MNT "/b", "newer"));
	ASSERT_EQ(0, rename(MNT "/b", FILE_A));
	EXPECT_EQ(ESTALE, handle_err(&self->handle));
}

TEST_F(handle, every_byte_of_it_counts)
{
	struct handle bad;
	int i;

	ASSERT_EQ(0, put_text(FILE_A, "text"));
	ASSERT_EQ(0, get_handle(FILE_A, &self->handle));
	for (i = 0; i < (int)self->handle.fh.handle_bytes; i++) {
		bad = self->handle;
		bad.fh.f_handle[i] ^= 1;
		EXPECT_EQ(ESTALE, handle_err(&bad)) {
			TH_LOG("byte %d", i);
		}
		bad.fh.f_handle[i] ^= 0x81;
		EXPECT_EQ(ESTALE, handle_err(&bad));
	}
	bad = self->handle;
	bad.fh.handle_bytes -= 4;
	EXPECT_EQ(ESTALE, handle_err(&bad));
	bad.fh.handle_bytes = 0;
	EXPECT_EQ(EINVAL, handle_err(&bad));
	bad = self->handle;
	memset(bad.fh.f_handle, 0, bad.fh.handle_bytes);
	EXPECT_EQ(ESTALE, handle_err(&bad));
	memset(bad.fh.f_handle, 0xff, bad.fh.handle_bytes);
	EXPECT_EQ(ESTALE, handle_err(&bad));
	if (is_rumpfs()) {
		bad = self->handle;
		bad.fh.handle_type = 1;
		EXPECT_EQ(ESTALE, handle_err(&bad));
		/* It claims a parent that it does not hold: all is there. */
		bad.fh.handle_type = 0x82;
		EXPECT_EQ(0, handle_err(&bad));
	}
	EXPECT_EQ(0, handle_err(&self->handle));
}

TEST_F(handle, too_small_a_room_is_told)
{
	unsigned int bytes;
	int mount_id;

	ASSERT_EQ(0, put_text(FILE_A, "text"));
	ASSERT_EQ(0, get_handle(FILE_A, &self->handle));
	bytes = self->handle.fh.handle_bytes;
	EXPECT_EQ(12, bytes);
	self->handle.fh.handle_bytes = bytes - 4;
	EXPECT_EQ(EOVERFLOW, ERR(name_to_handle_at(AT_FDCWD, FILE_A,
						   &self->handle.fh,
						   &mount_id, 0)));
	EXPECT_EQ(bytes, self->handle.fh.handle_bytes);
	EXPECT_EQ(0, ERR(name_to_handle_at(AT_FDCWD, FILE_A, &self->handle.fh,
					   &mount_id, 0)));
	EXPECT_EQ(0, handle_text_is(&self->handle, "text"));
}

TEST_F(handle, another_mount_does_not_know_it)
{
	ASSERT_EQ(0, put_text(FILE_A, "text"));
	ASSERT_EQ(0, get_handle(FILE_A, &self->handle));
	ASSERT_EQ(0, mount_at(MNT2, NULL));
	ASSERT_EQ(0, put_text(MNT2 "/a", "other"));
	EXPECT_EQ(-ESTALE, open_handle_at(MNT2, &self->handle, O_RDONLY));
	ASSERT_EQ(0, umount(MNT));
	ASSERT_EQ(0, mount_at(MNT, NULL));
	ASSERT_EQ(0, put_text(FILE_A, "later"));
	EXPECT_EQ(ESTALE, handle_err(&self->handle));
	umount(MNT2);
}

TEST_F(handle, users_may_ask_but_not_open)
{
	ASSERT_EQ(0, put_text(FILE_A, "text"));
	EXPECT_EQ(0, AS_USER(1000, get_handle(FILE_A, &self->handle)));
	ASSERT_EQ(0, get_handle(FILE_A, &self->handle));
	EXPECT_EQ(EPERM, AS_USER(1000, handle_err(&self->handle)));
}

TEST_F(handle, one_with_a_parent_leads_to_a_path)
{
	char proc[64], path[256] = {};
	int fd;

	ASSERT_EQ(0, mkdir(DIR_D, 0755));
	ASSERT_EQ(0, put_text(DIR_D "/f", "text"));
	fd = get_handle_at(DIR_D "/f", &self->handle, AT_HANDLE_CONNECTABLE);
	if (fd == EINVAL || (fd == EOPNOTSUPP && !is_rumpfs()))
		SKIP(return, "not on this kernel, or not with tmpfs");
	ASSERT_EQ(0, fd);
	EXPECT_EQ(24, self->handle.fh.handle_bytes);
	ASSERT_EQ(0, rename(DIR_D, MNT "/e"));
	fd = open_handle(&self->handle, O_RDONLY);
	ASSERT_LE(0, fd);
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	ASSERT_LT(0, readlink(proc, path, sizeof(path) - 1));
	EXPECT_STREQ(MNT "/e/f", path);
	close(fd);
	ASSERT_EQ(0, unlink(MNT "/e/f"));
	EXPECT_EQ(ESTALE, handle_err(&self->handle));
}

/* An overlay keeps handles of its layers, and makes its own of them. */
TEST_F(handle, an_overlay_over_it_has_handles)
{
	struct handle lower;

	if (run("modprobe overlay; grep -qw overlay /proc/filesystems"))
		SKIP(return, "no overlayfs here");
	ASSERT_EQ(0, mkdir(MNT "/l", 0755));
	ASSERT_EQ(0, mkdir(MNT "/u", 0755));
	ASSERT_EQ(0, mkdir(MNT "/work", 0755));
	ASSERT_EQ(0, put_text(MNT "/l/f", "lower"));
	ASSERT_EQ(0, put_text(MNT "/l/g", "left"));
	ASSERT_EQ(0, mount("none", MNT2, "overlay", 0,
			   "lowerdir=" MNT "/l,upperdir=" MNT "/u,workdir=" MNT
			   "/work,index=on,nfs_export=on"));
	EXPECT_EQ(0, run("grep ' " MNT2 " ' /proc/self/mounts | grep -q nfs_export=on"));
	ASSERT_EQ(0, get_handle(MNT2 "/f", &self->handle));
	ASSERT_EQ(0, get_handle(MNT2 "/g", &lower));
	/* Copied up, and moved. */
	ASSERT_EQ(0, put_text(MNT2 "/f", "upper"));
	ASSERT_EQ(0, rename(MNT2 "/f", MNT2 "/h"));
	ASSERT_EQ(0, forget_nodes());
	EXPECT_LE(0, open_handle_at(MNT2, &self->handle, O_RDONLY));
	EXPECT_LE(0, open_handle_at(MNT2, &lower, O_RDONLY));
	EXPECT_EQ(0, text_is(MNT2 "/h", "upper"));
	ASSERT_EQ(0, unlink(MNT2 "/g"));
	ASSERT_EQ(0, put_text(MNT2 "/g", "anew"));
	EXPECT_EQ(0, text_is(MNT2 "/g", "anew"));
	umount2(MNT2, MNT_DETACH);
}

/* Keys */

FIXTURE(key_handle)
{
	struct handle handle;
};

FIXTURE_SETUP(key_handle)
{
	if (!is_rumpfs())
		SKIP(return, "keys of rumpfs");
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, put_text(HOST "/f", "host"));
	ASSERT_EQ(0, put_text(HOST "/g", "other"));
}

FIXTURE_TEARDOWN(key_handle)
{
	teardown_mount();
}

TEST_F(key_handle, a_key_is_found_again)
{
	struct handle deep;

	ASSERT_EQ(0, table("/k " HOST "/f reg\n/x/y/k " HOST "/g reg"));
	ASSERT_EQ(0, get_handle(MNT "/k", &self->handle));
	ASSERT_EQ(0, get_handle(MNT "/x/y/k", &deep));
	EXPECT_EQ(0, handle_text_is(&self->handle, "host"));
	EXPECT_EQ(0, handle_text_is(&deep, "other"));
	/* When its node was thrown away. */
	ASSERT_EQ(0, forget_nodes());
	EXPECT_EQ(0, handle_text_is(&self->handle, "host"));
	EXPECT_EQ(0, handle_text_is(&deep, "other"));
	ASSERT_EQ(0, forget_nodes());
	EXPECT_EQ(ino_of(MNT "/x/y/k"), handle_ino(&deep));

	/* Other keys come and go. */
	ASSERT_EQ(0, table("/x/y/l " HOST "/f reg\n-/k"));
	EXPECT_EQ(0, handle_text_is(&deep, "other"));
	EXPECT_EQ(ESTALE, handle_err(&self->handle));
}

TEST_F(key_handle, a_key_that_is_gone_is_not)
{
	int fd;

	ASSERT_EQ(0, table("/k " HOST "/f reg"));
	ASSERT_EQ(0, get_handle(MNT "/k", &self->handle));
	fd = open(MNT "/k", O_RDONLY);
	ASSERT_EQ(0, table("-/k"));
	/* Who has it open goes on, but nobody else begins. */
	EXPECT_EQ(ESTALE, handle_err(&self->handle));
	close(fd);
	EXPECT_EQ(ESTALE, handle_err(&self->handle));
	ASSERT_EQ(0, table("/k " HOST "/f reg"));
	EXPECT_EQ(ESTALE, handle_err(&self->handle));
	ASSERT_EQ(0, get_handle(MNT "/k", &self->handle));
	ASSERT_EQ(0, table("=/k " HOST "/g reg"));
	EXPECT_EQ(ESTALE, handle_err(&self->handle));
	ASSERT_EQ(0, get_handle(MNT "/k", &self->handle));
	EXPECT_EQ(0, handle_text_is(&self->handle, "other"));
}

/* CPU time that so many vain questions for a key take, ns; 0 for a wrong one. */
static long long cost_of_asking(struct handle *handle, int n)
{
	struct timespec begin, end;
	int i;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	for (i = 0; i < n; i++)
		if (handle_err(handle) != ESTALE)
			return 0;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	return (end.tv_sec - begin.tv_sec) * 1000000000LL + end.tv_nsec -
	       begin.tv_nsec;
}

TEST_F(key_handle, a_key_is_looked_for_among_many)
{
	int nr = turns(10000), i, len = 0, tries;
	char text[4096] = "";
	long long few, many = 0;

	ASSERT_EQ(0, table("/k " HOST "/f reg"));
	ASSERT_EQ(0, get_handle(MNT "/k", &self->handle));
	ASSERT_EQ(0, table("-/k"));
	ASSERT_EQ(0, forget_nodes());
	few = cost_of_asking(&self->handle, 100);
	ASSERT_LT(0, few);
	for (i = 0; i < nr; i++) {
		len += sprintf(text + len, "/m/%d " HOST "/f reg\n", i);
		if (len < 4000 && i < nr - 1)
			continue;
		ASSERT_EQ(0, table_write(text, len));
		len = 0;
	}
	/* The machine is not ours alone; one by one it would be a hundredfold. */
	for (tries = 0; tries < 5; tries++) {
		many = cost_of_asking(&self->handle, 100);
		ASSERT_LT(0, many);
		if (many < 4 * few)
			break;
	}
	EXPECT_LT(many, 4 * few) {
		TH_LOG("%lld ns among none, %lld among many", few, many);
	}
	ASSERT_EQ(0, get_handle(MNT "/m/777", &self->handle));
	ASSERT_EQ(0, forget_nodes());
	EXPECT_EQ(0, handle_text_is(&self->handle, "host"));
}

TEST_F(key_handle, what_a_key_hides_is_found)
{
	ASSERT_EQ(0, put_text(MNT "/k", "memory"));
	ASSERT_EQ(0, get_handle(MNT "/k", &self->handle));
	ASSERT_EQ(0, table("/k " HOST "/f reg"));
	EXPECT_EQ(0, text_is(MNT "/k", "host"));
	EXPECT_EQ(0, handle_text_is(&self->handle, "memory"));
	ASSERT_EQ(0, table("-/k"));
	EXPECT_EQ(0, handle_text_is(&self->handle, "memory"));
}

TEST_F(key_handle, every_byte_of_it_counts)
{
	struct handle bad;
	int i;

	ASSERT_EQ(0, table("/k " HOST "/f reg"));
	ASSERT_EQ(0, get_handle(MNT "/k", &self->handle));
	for (i = 0; i < (int)self->handle.fh.handle_bytes; i++) {
		bad = self->handle;
		bad.fh.f_handle[i] ^= 0x81;
		EXPECT_EQ(ESTALE, handle_err(&bad)) {
			TH_LOG("byte %d", i);
		}
		ASSERT_EQ(0, forget_nodes());
		EXPECT_EQ(ESTALE, handle_err(&bad));
	}
	EXPECT_EQ(0, handle_text_is(&self->handle, "host"));
}

TEST_F(key_handle, a_disk_and_a_directory_above_are_found)
{
	struct handle above;

	ASSERT_EQ(0, run("truncate -s 1M " HOST "/img"));
	ASSERT_EQ(0, table("/dev/k " HOST "/img blk"));
	ASSERT_EQ(0, get_handle(MNT "/dev/k", &self->handle));
	ASSERT_EQ(0, get_handle(MNT "/dev", &above));
	ASSERT_EQ(0, forget_nodes());
	EXPECT_EQ(ino_of(MNT "/dev/k"), handle_ino(&self->handle));
	EXPECT_EQ(ino_of(MNT "/dev"), handle_ino(&above));
	ASSERT_EQ(0, table("-/dev/k"));
	EXPECT_EQ(ESTALE, handle_err(&self->handle));
	EXPECT_EQ(ESTALE, handle_err(&above));
}

/*
 * Below a mapped directory
 *
 *	/mnt/host/d	seen at /mnt/rump/m
 *	|-- f		"file"
 *	`-- sub/
 *	    `-- g	"below"
 */
#define D HOST "/d"
#define M MNT "/m"

static const char long_name[] =
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn"
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn";

FIXTURE(mirror_handle)
{
	struct handle handle;
};

FIXTURE_SETUP(mirror_handle)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, mkdir(D, 0755));
	ASSERT_EQ(0, mkdir(D "/sub", 0755));
	ASSERT_EQ(0, put_text(D "/f", "file"));
	ASSERT_EQ(0, put_text(D "/sub/g", "below"));
	ASSERT_EQ(0, put_text(HOST "/f", "host"));
	ASSERT_EQ(0, table("/m " D " subdirs"));
}

FIXTURE_TEARDOWN(mirror_handle)
{
	teardown_mount();
}

TEST_F(mirror_handle, every_node_is_found_again)
{
	const char *path[] = { M, M "/f", M "/sub", M "/sub/g", M "/key",
			       M "/new", M "/new/key" };
	struct handle handle[7];
	int i, forget;

	ASSERT_EQ(0, table("/m/key " HOST "/f reg\n/m/new/key " HOST "/f reg"));
	for (i = 0; i < 7; i++) {
		ASSERT_EQ(0, get_handle(path[i], &handle[i]));
		if (i)
			EXPECT_TRUE(memcmp(&handle[0], &handle[i],
					   sizeof(handle[0])));
	}
	for (forget = 0; forget < 2; forget++) {
		for (i = 0; i < 7; i++) {
			EXPECT_EQ(ino_of(path[i]), handle_ino(&handle[i])) {
				TH_LOG("%s: errno %d", path[i], errno);
			}
		}
		EXPECT_EQ(0, handle_text_is(&handle[1], "file"));
		EXPECT_EQ(0, handle_text_is(&handle[3], "below"));
		EXPECT_EQ(0, handle_text_is(&handle[6], "host"));
		ASSERT_EQ(0, forget_nodes());
	}
	EXPECT_EQ(0, get_handle_at(M "/f", &self->handle,
				   AT_HANDLE_CONNECTABLE) == EINVAL ? 0 :
		     handle_text_is(&self->handle, "file"));
}

TEST_F(mirror_handle, is_stale_when_the_object_is_not_there)
{
	struct handle below, dir;

	ASSERT_EQ(0, get_handle(M "/f", &self->handle));
	ASSERT_EQ(0, get_handle(M "/sub/g", &below));
	ASSERT_EQ(0, get_handle(M "/sub", &dir));

	/* Renamed, and back. */
	ASSERT_EQ(0, rename(D "/sub", D "/away"));
	EXPECT_EQ(ESTALE, handle_err(&below));
	EXPECT_EQ(ESTALE, handle_err(&dir));
	ASSERT_EQ(0, rename(D "/away", D "/sub"));
	EXPECT_EQ(0, handle_text_is(&below, "below"));
	EXPECT_EQ(ino_of(M "/sub"), handle_ino(&dir));

	/* Replaced, known here and not. */
	ASSERT_EQ(0, put_text(D "/other", "other"));
	ASSERT_EQ(0, rename(D "/other", D "/f"));
	EXPECT_EQ(ESTALE, handle_err(&self->handle));
	ASSERT_EQ(0, get_handle(M "/f", &self->handle));
	EXPECT_EQ(0, handle_text_is(&self->handle, "other"));
	ASSERT_EQ(0, put_text(D "/third", "third"));
	ASSERT_EQ(0, rename(D "/third", D "/f"));
	ASSERT_EQ(0, forget_nodes());
	EXPECT_EQ(ESTALE, handle_err(&self->handle));

	/* Removed. */
	ASSERT_EQ(0, unlink(D "/sub/g"));
	EXPECT_EQ(ESTALE, handle_err(&below));
	ASSERT_EQ(0, rmdir(D "/sub"));
	EXPECT_EQ(ESTALE, handle_err(&dir));
}

TEST_F(mirror_handle, is_of_one_key)
{
	ASSERT_EQ(0, get_handle(M "/f", &self->handle));
	ASSERT_EQ(0, table("/m/f " HOST "/f reg"));
	EXPECT_EQ(ESTALE, handle_err(&self->handle));
	ASSERT_EQ(0, table("-/m/f"));
	EXPECT_EQ(0, handle_text_is(&self->handle, "file"));
	ASSERT_EQ(0, table("-/m\n/m " D " subdirs"));
	EXPECT_EQ(0, text_is(M "/f", "file"));
	EXPECT_EQ(ESTALE, handle_err(&self->handle));
}

/* A path that has no room in a handle is not kept: the node itself must be. */
TEST_F(mirror_handle, of_a_long_path_is_known_as_long_as_its_node)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), D "/%s", long_name);
	ASSERT_EQ(0, put_text(path, "long"));
	snprintf(path, sizeof(path), M "/%s", long_name);
	ASSERT_EQ(0, get_handle(path, &self->handle));
	fd = open(path, O_RDONLY);
	EXPECT_EQ(0, handle_text_is(&self->handle, "long"));
	ASSERT_EQ(0, forget_nodes());
	EXPECT_EQ(0, handle_text_is(&self->handle, "long"));
	close(fd);
	ASSERT_EQ(0, forget_nodes());
	EXPECT_EQ(ESTALE, handle_err(&self->handle));
	EXPECT_EQ(0, text_is(path, "long"));
	EXPECT_EQ(0, handle_text_is(&self->handle, "long"));
}

TEST_F(mirror_handle, tells_the_room_it_takes)
{
	struct handle exact = { };
	int mount_id;

	EXPECT_EQ(EOVERFLOW, ERR(name_to_handle_at(AT_FDCWD, M "/sub/g",
						   &exact.fh, &mount_id, 0)));
	EXPECT_LT(36, exact.fh.handle_bytes);
	ASSERT_EQ(0, ERR(name_to_handle_at(AT_FDCWD, M "/sub/g", &exact.fh,
					   &mount_id, 0)));
	ASSERT_EQ(0, forget_nodes());
	EXPECT_EQ(0, handle_text_is(&exact, "below"));
}

TEST_F(mirror_handle, every_byte_of_it_counts)
{
	struct handle bad;
	int i;

	ASSERT_EQ(0, get_handle(M "/f", &self->handle));
	for (i = 0; i < (int)self->handle.fh.handle_bytes; i++) {
		bad = self->handle;
		bad.fh.f_handle[i] ^= 0x81;
		/* Those of the path do once it has to be walked. */
		if (i < 36)
			EXPECT_EQ(ESTALE, handle_err(&bad));
		ASSERT_EQ(0, forget_nodes());
		if (i < 37) {
			EXPECT_EQ(ESTALE, handle_err(&bad)) {
				TH_LOG("byte %d", i);
			}
		}
	}
	EXPECT_EQ(0, handle_text_is(&self->handle, "file"));
}

/*
 * Numbers of host objects carry an index of their device, and there are 32768:
 * whoever may open handles could make up as many devices.
 */
TEST_F(mirror_handle, one_that_is_made_up_uses_nothing_up)
{
	enum { DEVICES = 1 << 15, DEVICE = 20 };
	struct stat host;
	struct handle bad;
	__u32 dev;

	if (is_sanitized())
		SKIP(return, "the sanitizers' kernel takes minutes for so many");
	ASSERT_EQ(0, get_handle(M "/f", &self->handle));
	bad = self->handle;
	for (dev = 1; dev <= DEVICES; dev++) {
		const __u32 made_up = dev << 8 | 0xf0000000;

		memcpy(bad.fh.f_handle + DEVICE, &made_up, sizeof(dev));
		if (handle_err(&bad) != ESTALE)
			break;
	}
	EXPECT_EQ(DEVICES + 1, dev);

	ASSERT_EQ(0, mount("none", D "/sub", "tmpfs", 0, NULL));
	ASSERT_EQ(0, put_text(D "/sub/new", "new"));
	ASSERT_EQ(0, stat(D "/sub/new", &host));
	EXPECT_EQ(host.st_ino, ino_of(M "/sub/new") & ((1ULL << 48) - 1));
}

TEST_HARNESS_MAIN
