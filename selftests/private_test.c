// SPDX-License-Identifier: GPL-2.0
/* The directory of each mount in sysfs, and the tables that are of one mount. */

#include <linux/capability.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>

#include "lib/door.h"
#include "lib/together.h"
#include "lib/userns.h"

#define F HOST "/f"
#define G HOST "/g"
#define KEY MNT "/k"
#define USER 1000

static char buf[4 * PAGE];

FIXTURE(private)
{
	char *id;
};

FIXTURE_SETUP(private)
{
	ASSERT_EQ(0, setup_mount("etfs=private"));
	ASSERT_EQ(0, fill(F, sizeof(buf), 1));
	ASSERT_EQ(0, put_text(G, "bytes"));
	self->id = strdup(door(MNT, ""));
}

FIXTURE_TEARDOWN(private)
{
	umount2(MNT2, MNT_DETACH);
	teardown_mount();
	/* With each mount goes its directory; a key's root may hold it a while. */
	EXPECT_TRUE(WAIT_FOR(stat_err(self->id) == ENOENT));
	free(self->id);
}

/* The id that mountinfo tells of what is mounted there, as a path in sysfs. */
static const char *mountinfo_door(const char *mnt)
{
	static char path[128];
	char line[1024], id[32], at[256];
	FILE *file = fopen("/proc/self/mountinfo", "r");

	path[0] = '\0';
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*d %*d %31s %*s %255s", id, at) == 2 &&
		    !strcmp(at, mnt))
			snprintf(path, sizeof(path), SYSFS "/%s", id);
	if (file)
		fclose(file);
	return path;
}

TEST_F(private, the_directory_has_the_name_of_mountinfo)
{
	char other[128];

	ASSERT_EQ(0, mount_at(MNT2, NULL));
	strcpy(other, mountinfo_door(MNT2));
	EXPECT_EQ(S_IFDIR | 0755, mode_of(mountinfo_door(MNT)));
	EXPECT_EQ(S_IFDIR | 0755, mode_of(other));
	EXPECT_NE(0, strcmp(other, mountinfo_door(MNT)));
	EXPECT_EQ(ino_of(door(MNT, "etfs")),
		  ino_of(strcat(strcpy(buf, mountinfo_door(MNT)), "/etfs")));
	EXPECT_EQ(6, count_names(other));
	EXPECT_EQ(S_IFREG | 0600, mode_of(door(MNT2, "etfs")));
	EXPECT_EQ(S_IFREG | 0400, mode_of(door(MNT2, "last_error")));
	EXPECT_EQ(S_IFREG | 0444, mode_of(door(MNT2, "nr_mappings")));
	EXPECT_EQ(S_IFREG | 0444, mode_of(door(MNT2, "bytes_used")));
	EXPECT_EQ(S_IFREG | 0444, mode_of(door(MNT2, "inodes_used")));
	EXPECT_EQ(S_IFREG | 0444, mode_of(door(MNT2, "table")));
	ASSERT_EQ(0, umount(MNT2));
	EXPECT_TRUE(WAIT_FOR(stat_err(other) == ENOENT));
}

TEST_F(private, figures_are_true)
{
	long long bytes, inodes;

	ASSERT_EQ(0, mount_at(MNT2, NULL));
	EXPECT_EQ(0, text_is(door(MNT, "table"), "private\n"));
	EXPECT_EQ(0, text_is(door(MNT2, "table"), "host\n"));
	EXPECT_EQ(0, figure(MNT, "nr_mappings"));
	ASSERT_EQ(0, tell(MNT, "/a " F " reg\n/b/c " F " reg\n"));
	EXPECT_EQ(2, figure(MNT, "nr_mappings"));
	EXPECT_EQ(0, figure(MNT2, "nr_mappings"));
	EXPECT_EQ(EEXIST, tell(MNT, "/d " F " reg\n/a " F " reg\n"));
	EXPECT_EQ(2, figure(MNT, "nr_mappings"));
	ASSERT_EQ(0, tell(MNT, "-/a\n"));
	EXPECT_EQ(1, figure(MNT, "nr_mappings"));

	bytes = figure(MNT2, "bytes_used");
	inodes = figure(MNT2, "inodes_used");
	ASSERT_LE(0, bytes);
	ASSERT_LE(1, inodes);
	ASSERT_EQ(0, fill(MNT2 "/file", 3 * PAGE, 1));
	EXPECT_EQ(bytes + 3 * PAGE, figure(MNT2, "bytes_used"));
	EXPECT_EQ(inodes + 1, figure(MNT2, "inodes_used"));
	ASSERT_EQ(0, unlink(MNT2 "/file"));
	EXPECT_EQ(bytes, figure(MNT2, "bytes_used"));
	EXPECT_EQ(inodes, figure(MNT2, "inodes_used"));
}

TEST_F(private, a_table_is_seen_by_its_mount_alone)
{
	ASSERT_EQ(0, mount_at(MNT2, "etfs=private"));
	ASSERT_EQ(0, table("/h " F " reg"));
	ASSERT_EQ(0, tell(MNT, "/k " F " reg\n/d/x " G " reg\n"));
	ASSERT_EQ(0, tell(MNT2, "/k " G " reg\n"));
	EXPECT_EQ(0, fill_is(KEY, 0, sizeof(buf), 0, 1));
	EXPECT_EQ(0, text_is(MNT "/d/x", "bytes"));
	EXPECT_EQ(0, text_is(MNT2 "/k", "bytes"));
	EXPECT_EQ(ENOENT, stat_err(MNT2 "/d"));
	EXPECT_EQ(ENOENT, stat_err(MNT "/h"));
	EXPECT_EQ(ENOENT, stat_err(MNT2 "/h"));
	EXPECT_EQ(2, count_names(MNT));
	EXPECT_EQ(1, count_names(MNT2));
	EXPECT_EQ(0, door_rows_are(MNT, "/d/x " G " reg rw\n/k " F " reg rw\n"));
	EXPECT_EQ(0, door_rows_are(MNT2, "/k " G " reg rw\n"));
	EXPECT_EQ(0, rows_are("/h " F " reg rw\n"));
	ASSERT_EQ(0, tell(MNT, "flush\n"));
	EXPECT_EQ(0, count_names(MNT));
	EXPECT_EQ(0, text_is(MNT2 "/k", "bytes"));
	EXPECT_EQ(0, rows_are("/h " F " reg rw\n"));
}

TEST_F(private, the_host_table_has_many_doors)
{
	char third[] = HOST "/third";

	ASSERT_EQ(0, mkdir(third, 0755));
	ASSERT_EQ(0, mount_at(MNT2, NULL));
	ASSERT_EQ(0, mount_at(third, "etfs=host"));
	ASSERT_EQ(0, tell(MNT2, "/k " G " reg\n"));
	EXPECT_EQ(0, text_is(MNT2 "/k", "bytes"));
	EXPECT_EQ(0, text_is(HOST "/third/k", "bytes"));
	EXPECT_EQ(0, rows_are("/k " G " reg rw\n"));
	EXPECT_EQ(0, door_rows_are(third, "/k " G " reg rw\n"));
	EXPECT_EQ(1, figure(third, "nr_mappings"));
	EXPECT_EQ(EEXIST, tell(third, "/k " F " reg\n"));
	ASSERT_EQ(0, umount(third));
	/* The table stays when a mount goes. */
	EXPECT_EQ(0, text_is(MNT2 "/k", "bytes"));
	ASSERT_EQ(0, table("-/k"));
	EXPECT_EQ(0, door_rows_are(MNT2, ""));
}

TEST_F(private, each_type_works)
{
	int fd;

	ASSERT_EQ(0, mkdir(HOST "/d", 0755));
	ASSERT_EQ(0, mkdir(HOST "/d/e", 0755));
	ASSERT_EQ(0, put_text(HOST "/d/e/f", "deep"));
	ASSERT_EQ(0, tell(MNT, "/a\\040b " F " reg ro,offset=4096,size=4096,tag=t\n"
			  "# comment\n\n"
			  "/d " HOST "/d subdirs\n/e " HOST "/d/e dir tag=t\n"
			  "/x " F " blk\n/y " F " chr\n"));
	EXPECT_EQ(0, fill_is(MNT "/a b", 0, PAGE, PAGE, 1));
	EXPECT_EQ(0, text_is(MNT "/d/e/f", "deep"));
	EXPECT_EQ(0, text_is(MNT "/e/f", "deep"));
	EXPECT_EQ(0, fill_is(MNT "/x", 0, PAGE, 0, 1));
	EXPECT_EQ(0, fill_is(MNT "/y", 0, PAGE, 0, 1));
	ASSERT_EQ(0, tell(MNT, "-@t\n=/d " HOST "/d/e dir\n"));
	EXPECT_EQ(0, text_is(MNT "/d/f", "deep"));
	EXPECT_EQ(0, door_rows_are(MNT, "/d " HOST "/d/e dir rw\n"
				   "/x " F " blk rw\n/y " F " chr rw\n"));
	fd = open(MNT "/y", O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EBUSY, tell(MNT, "-/y busy\n"));
	close(fd);
	EXPECT_EQ(0, tell(MNT, "-/y busy\n"));
}

TEST_F(private, each_door_has_its_own_last_error)
{
	ASSERT_EQ(0, mount_at(MNT2, "etfs=private"));
	ASSERT_EQ(EINVAL, table("rubbish-of-the-host"));
	EXPECT_EQ(0, strcmp(door_error(MNT), ""));
	ASSERT_EQ(0, tell(MNT, "/k " F " reg\n"));
	ASSERT_EQ(EEXIST, tell(MNT, "# one\n/k " F " reg\n"));
	EXPECT_EQ(0, strncmp(door_error(MNT), "2:1: /k: ", 9)) {
		TH_LOG("%s", door_error(MNT));
	}
	EXPECT_EQ(0, strcmp(door_error(MNT2), ""));
	EXPECT_EQ(NULL, strstr(last_error(), "/k"));
	ASSERT_EQ(ENOENT, tell(MNT2, "/secret /no/such/path reg\n"));
	EXPECT_NE(NULL, strstr(door_error(MNT2), "/secret"));
	EXPECT_EQ(NULL, strstr(door_error(MNT), "/secret"));
	EXPECT_EQ(NULL, strstr(last_error(), "/secret"));
}

TEST_F(private, opener_and_writer_must_have_the_right)
{
	int fd = open(door(MNT, "etfs"), O_RDWR);

	ASSERT_LE(0, fd);
	EXPECT_EQ(EPERM, AS_USER(USER, write_all(fd, "/k " F " reg\n")));
	EXPECT_EQ(EPERM, AS_USER(USER, write_all(fd, "rubbish\n")));
	EXPECT_EQ(EPERM, AS_USER(USER, write_all(fd, "flush\n")));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(door(MNT, "etfs"), O_RDONLY)));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(door(MNT, "last_error"),
						 O_RDONLY)));
	EXPECT_EQ(0, AS_USER(USER, open_err(door(MNT, "table"), O_RDONLY)));
	EXPECT_EQ(0, write_all(fd, "/k " F " reg\n"));
	close(fd);

	ASSERT_EQ(0, chmod(door(MNT, "etfs"), 0666));
	ASSERT_EQ(0, seteuid(USER));
	fd = open(door(MNT, "etfs"), O_WRONLY);
	ASSERT_EQ(0, seteuid(0));
	ASSERT_LE(0, fd);
	EXPECT_EQ(EPERM, write_all(fd, "flush\n"));
	close(fd);
	EXPECT_EQ(EPERM, AS_USER(USER, tell(MNT, "flush\n")));
	EXPECT_EQ(1, figure(MNT, "nr_mappings"));
}

/* The namespace that the writer had a mount in is gone, with that mount. */
FIXTURE(gone)
{
	int go[2];
	pid_t pid;
};

FIXTURE_VARIANT(gone)
{
	const char *options;
};

FIXTURE_VARIANT_ADD(gone, private) { "etfs=private" };
FIXTURE_VARIANT_ADD(gone, host) { "etfs=host" };

#define SUB HOST "/sub"

/* In a mount namespace of its own: hide what is on the host, map that. */
static int map_in_namespace(void)
{
	if (unshare(CLONE_NEWNS) || mount("none", SUB, "tmpfs", 0, NULL))
		return errno;
	return mkdir(SUB "/d", 0755) ?: put_text(SUB "/f", "inner") ?:
	       put_text(SUB "/d/f", "inner") ?:
	       tell(MNT, "/f " SUB "/f reg\n/p " SUB "/f reg pin\n"
		    "/d " SUB "/d dir\n/s " HOST " subdirs\n");
}

FIXTURE_SETUP(gone)
{
	char byte;

	ASSERT_EQ(0, setup_mount(variant->options));
	ASSERT_EQ(0, mkdir(SUB, 0755));
	ASSERT_EQ(0, mkdir(SUB "/d", 0755));
	ASSERT_EQ(0, put_text(SUB "/f", "outer"));
	ASSERT_EQ(0, put_text(SUB "/d/f", "outer"));
	ASSERT_EQ(0, pipe(self->go));
	self->pid = fork();
	if (!self->pid) {
		byte = map_in_namespace();
		if (write(self->go[1], &byte, 1) == 1)
			pause();
		_exit(0);
	}
	ASSERT_EQ(1, read(self->go[0], &byte, 1));
	ASSERT_EQ(0, byte);
}

FIXTURE_TEARDOWN(gone)
{
	if (self->pid > 0)
		kill(self->pid, SIGKILL);
	teardown_mount();
}

TEST_F(gone, other_files_are_not_seen_instead)
{
	int fd;

	EXPECT_EQ(0, text_is(MNT "/f", "inner"));
	EXPECT_EQ(0, text_is(MNT "/d/f", "inner"));
	EXPECT_EQ(0, text_is(MNT "/s/sub/f", "inner"));
	fd = open(MNT "/f", O_RDONLY);
	ASSERT_LE(0, fd);
	kill(self->pid, SIGKILL);
	wait_status(self->pid);
	self->pid = 0;

	EXPECT_TRUE(WAIT_FOR(open_err(MNT "/f", O_RDONLY) == ESTALE));
	EXPECT_EQ(ESTALE, stat_err(MNT "/f"));
	EXPECT_EQ(ESTALE, open_err(MNT "/d/f", O_RDONLY));
	EXPECT_EQ(ESTALE, open_err(MNT "/s/sub/f", O_RDONLY));
	EXPECT_EQ(1, listed(MNT, "f"));
	/* What was bound for good or opened is what it was. */
	EXPECT_EQ(0, text_is(MNT "/p", "inner"));
	EXPECT_EQ(5, read(fd, buf, 10));
	EXPECT_EQ(0, memcmp(buf, "inner", 5));
	close(fd);
}

/* The end of a table */

static sigjmp_buf on_bus;

static void bus(int sig)
{
	siglongjmp(on_bus, 1);
}

/* The byte, or -1 if touching it brings SIGBUS. */
static int peek(volatile char *at)
{
	if (sigsetjmp(on_bus, 1))
		return -1;
	return (unsigned char)*at;
}

/* A node of the same device outside of the mount, opened. */
static int open_device(const char *key, const char *node)
{
	struct stat st;

	if (stat(key, &st) || mknod(node, st.st_mode, st.st_rdev))
		return -1;
	return open(node, O_RDWR | O_CLOEXEC);
}

TEST_F(private, umount_revokes_devices_and_mappings)
{
	struct sigaction action = { .sa_handler = bus };
	volatile char *at;
	int fd, blk, chr;
	ssize_t got;

	sigaction(SIGBUS, &action, NULL);
	ASSERT_EQ(0, tell(MNT, "/k " F " reg\n/b " F " blk\n/c " F " chr\n"));
	blk = open_device(MNT "/b", HOST "/b");
	chr = open_device(MNT "/c", HOST "/c");
	ASSERT_LE(0, blk);
	ASSERT_LE(0, chr);
	fd = open(KEY, O_RDWR);
	at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_NE(MAP_FAILED, at);
	close(fd);
	ASSERT_EQ(fill_byte(0, 1), peek(at));
	ASSERT_EQ(1, pread(chr, buf, 1, 0));

	ASSERT_TRUE(WAIT_FOR(!umount(MNT)));
	EXPECT_EQ(-1, peek(at));
	EXPECT_EQ(EIO, ERR(pread(chr, buf, 1, 0)));
	EXPECT_EQ(EIO, ERR(pwrite(chr, buf, 1, 0)));
	/* A dead disk has errors, or an end. */
	got = pread(blk, buf, PAGE, PAGE);
	EXPECT_GE(0, got);
	close(blk);
	close(chr);
	munmap((void *)at, PAGE);
}

TEST_F(private, forced_umount_revokes_open_files)
{
	int fd, dir;

	ASSERT_EQ(0, mkdir(HOST "/d", 0755));
	ASSERT_EQ(0, put_text(HOST "/d/f", "below"));
	ASSERT_EQ(0, tell(MNT, "/k " F " reg\n/d " HOST "/d dir\n"));
	fd = open(KEY, O_RDWR);
	dir = open(MNT "/d/f", O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_LE(0, dir);
	ASSERT_EQ(1, read(fd, buf, 1));
	/* In use it stays, and so does the table. */
	EXPECT_EQ(EBUSY, ERR(umount(MNT)));
	EXPECT_EQ(0, fill_is(KEY, 0, PAGE, 0, 1));

	ASSERT_EQ(0, umount2(MNT, MNT_FORCE | MNT_DETACH));
	EXPECT_EQ(EIO, ERR(read(fd, buf, 1)));
	EXPECT_EQ(EIO, ERR(write(fd, buf, 1)));
	EXPECT_EQ(EIO, ERR(read(dir, buf, 1)));
	close(fd);
	close(dir);
	EXPECT_TRUE(WAIT_FOR(stat_err(self->id) == ENOENT));
}

TEST_F(private, force_is_nothing_to_the_host_table)
{
	int fd;

	ASSERT_EQ(0, mount_at(MNT2, NULL));
	ASSERT_EQ(0, table("/k " F " reg"));
	fd = open(MNT2 "/k", O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EBUSY, ERR(umount2(MNT2, MNT_FORCE)));
	EXPECT_EQ(1, read(fd, buf, 1));
	close(fd);
	EXPECT_EQ(0, rows_are("/k " F " reg rw\n"));
}

TEST_F(private, an_open_door_outlives_its_mount)
{
	int fd = open(door(MNT, "etfs"), O_RDWR), figures;

	figures = open(door(MNT, "nr_mappings"), O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_LE(0, figures);
	ASSERT_EQ(0, write_all(fd, "/k " F " reg\n"));
	ASSERT_TRUE(WAIT_FOR(!umount(MNT)));
	EXPECT_EQ(ENODEV, write_all(fd, "/l " F " reg\n"));
	EXPECT_EQ(ENODEV, ERR(read(fd, buf, 10)));
	EXPECT_EQ(ENODEV, ERR(pread(figures, buf, 10, 0)));
	close(fd);
	close(figures);
}

/* The mount that keeps itself: with a map made from a root in it. */
TEST_F(private, a_root_in_the_mount_is_refused)
{
	pid_t pid;

	ASSERT_EQ(0, mkdir(MNT "/sys", 0755));
	ASSERT_EQ(0, mkdir(MNT "/host", 0755));
	ASSERT_EQ(0, mount("/sys", MNT "/sys", NULL, MS_BIND | MS_REC, NULL));
	ASSERT_EQ(0, mount(HOST, MNT "/host", NULL, MS_BIND, NULL));
	pid = fork();
	if (!pid) {
		if (chroot(MNT))
			_exit(255);
		_exit(tell("/", "/k /host/g reg\n"));
	}
	EXPECT_EQ(ELOOP, wait_status(pid));
	EXPECT_NE(NULL, strstr(door_error(MNT), "root")) {
		TH_LOG("%s", door_error(MNT));
	}
	EXPECT_EQ(0, figure(MNT, "nr_mappings"));
	/* Not if the table is the host's. */
	ASSERT_EQ(0, mount_at(MNT2, NULL));
	pid = fork();
	if (!pid) {
		if (chroot(MNT))
			_exit(255);
		_exit(table("/k /host/g reg"));
	}
	EXPECT_EQ(0, wait_status(pid));
	EXPECT_EQ(0, text_is(MNT2 "/k", "bytes"));
	ASSERT_EQ(0, table("flush"));
	umount2(MNT "/sys", MNT_DETACH);
	umount2(MNT "/host", MNT_DETACH);
}

/* Mounts, and unmounts what may be written to. */
static void *mounter(void *arg)
{
	int i, err;

	for (i = 0; i < 150; i++) {
		err = mount_at(MNT2, "etfs=private");
		if (err)
			complain("mount: %d", err);
		tell(MNT2, "/x/y " F " reg\n");
		if (!WAIT_FOR(!umount(MNT2)))
			complain("umount: %d", errno);
	}
	return NULL;
}

static int nr_taken;

/* Write to a door for as long as it is there. */
static void write_on(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), err = 0;

	if (fd < 0)
		return;
	while (!err && going_on()) {
		err = write_all(fd, "/k " F " reg\n-/k revoke\n"
				"/l " F " reg\n-/l\n");
		if (!err)
			__atomic_add_fetch(&nr_taken, 1, __ATOMIC_RELAXED);
		else if (err != ENODEV)
			complain("write: %d", err);
	}
	close(fd);
}

static char own_id[32];

/* To whatever door there is but that of MNT. */
static void *writer(void *arg)
{
	char path[512];

	while (going_on()) {
		DIR *stream = opendir(SYSFS);
		struct dirent *entry;

		while (stream && (entry = readdir(stream))) {
			snprintf(path, sizeof(path), SYSFS "/%s/etfs",
				 entry->d_name);
			if (strchr(entry->d_name, ':') &&
			    strcmp(entry->d_name, own_id))
				write_on(path);
		}
		if (stream)
			closedir(stream);
	}
	return NULL;
}

TEST_F(private, writers_race_with_umount)
{
	void *(*workers[])(void *) = { mounter };
	void *(*watchers[])(void *) = { writer, writer };
	struct stat st;

	ASSERT_EQ(0, stat(MNT, &st));
	snprintf(own_id, sizeof(own_id), "%u:%u", major(st.st_dev),
		 minor(st.st_dev));
	together(workers, 1, watchers, 2);
	EXPECT_EQ(0, strlen(complaint)) {
		TH_LOG("%s", complaint);
	}
	EXPECT_LT(0, nr_taken);
}

TEST_F(private, the_module_goes_when_the_mounts_are_gone)
{
	ASSERT_EQ(0, tell(MNT, "/k " F " reg\n/b " F " blk\n/d " HOST " subdirs\n"));
	ASSERT_EQ(0, fill_is(KEY, 0, PAGE, 0, 1));
	EXPECT_NE(0, run("rmmod rumpfs"));
	ASSERT_TRUE(WAIT_FOR(!umount(MNT)));
	EXPECT_TRUE(WAIT_FOR(!run("rmmod rumpfs")));
	EXPECT_EQ(ENOENT, stat_err(SYSFS));
	EXPECT_EQ(0, load_module());
}

/* In a user namespace, by its root */

FIXTURE(inside)
{
	pid_t me;
};

FIXTURE_VARIANT(inside)
{
	struct id_map map;
};

FIXTURE_VARIANT_ADD(inside, one_id) { .map = { 0, 1000, 1 } };
FIXTURE_VARIANT_ADD(inside, range) { .map = { 0, 100000, 65536 } };

FIXTURE_SETUP(inside)
{
	int err;

	ASSERT_EQ(0, load_module());
	ASSERT_EQ(0, enter_sandbox());
	reset_table();
	ASSERT_EQ(0, fill(F, sizeof(buf), 1));
	ASSERT_EQ(0, put_text(G, "bytes"));
	ASSERT_EQ(0, mkdir(HOST "/d", 0755));
	ASSERT_EQ(0, put_text(HOST "/d/f", "below"));
	ASSERT_EQ(0, start_witness());
	err = enter_userns(&variant->map);
	if (err == EPERM || err == ENOSPC)
		SKIP(return, "requires user namespaces for everybody");
	ASSERT_EQ(0, err);
	ASSERT_EQ(0, mount_at(MNT, NULL));
	self->me = getpid();
}

FIXTURE_TEARDOWN(inside)
{
	umount2(MNT, MNT_DETACH);
}

TEST_F(inside, its_root_maps)
{
	struct stat st;

	ASSERT_EQ(0, stat(door(MNT, "etfs"), &st));
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(0, st.st_gid);
	EXPECT_EQ(0, text_is(door(MNT, "table"), "private\n"));
	ASSERT_EQ(0, tell(MNT, "/k " G " reg ro\n/d " HOST "/d dir ro\n"
			  "/s/s " HOST " subdirs ro\n"));
	EXPECT_EQ(0, text_is(KEY, "bytes"));
	EXPECT_EQ(0, text_is(MNT "/d/f", "below"));
	EXPECT_EQ(0, text_is(MNT "/s/s/d/f", "below"));
	EXPECT_EQ(3, figure(MNT, "nr_mappings"));
	EXPECT_EQ(0, door_rows_are(MNT, "/d " HOST "/d dir ro\n"
				   "/k " G " reg ro\n"
				   "/s/s " HOST " subdirs ro\n"));
	/* The directory that a key needs is of that namespace, too. */
	ASSERT_EQ(0, stat(MNT "/s", &st));
	EXPECT_EQ(0, st.st_uid);
	EXPECT_EQ(0, mkdir(MNT "/s/own", 0755));
	/* Root of the machine may, too. */
	EXPECT_EQ(0, outside("echo -/k >%s", door(MNT, "etfs")));
	EXPECT_EQ(ENOENT, stat_err(KEY));
	ASSERT_EQ(0, tell(MNT, "flush\n"));
	EXPECT_EQ(0, figure(MNT, "nr_mappings"));
	ASSERT_EQ(0, umount(MNT));
}

TEST_F(inside, it_gets_no_more_than_it_had)
{
	ASSERT_EQ(0, outside("echo x >/proc/%d/root" HOST "/secret && "
			     "chmod 600 /proc/%d/root" HOST "/secret",
			     self->me, self->me));
	EXPECT_EQ(EACCES, tell(MNT, "/k " HOST "/secret reg\n"));
	EXPECT_EQ(EACCES, tell(MNT, "/k " HOST "/secret reg ro\n"));
	EXPECT_EQ(EACCES, tell(MNT, "/k " F " reg\n"));
	EXPECT_EQ(EACCES, open_err(TABLE, O_WRONLY));
	EXPECT_EQ(EACCES, open_err(LAST_ERROR, O_RDONLY));
}

TEST_F(inside, devices_are_for_root_of_the_machine)
{
	EXPECT_EQ(EPERM, tell(MNT, "/b " F " blk ro\n"));
	EXPECT_EQ(0, strncmp(door_error(MNT), "1:1: /b: blk ", 13)) {
		TH_LOG("%s", door_error(MNT));
	}
	EXPECT_NE(NULL, strstr(door_error(MNT), "CAP_SYS_ADMIN"));
	EXPECT_EQ(EPERM, tell(MNT, "/c " F " chr ro\n"));
	EXPECT_EQ(EPERM, tell(MNT, "=/c " F " chr ro\n"));
	/* Before anything else is said of it. */
	ASSERT_EQ(0, tell(MNT, "/k " G " reg ro\n"));
	EXPECT_EQ(EPERM, tell(MNT, "/k " F " blk ro\n"));
	EXPECT_EQ(EPERM, tell(MNT, "/n /no/such blk\n"));
	EXPECT_EQ(EPERM, tell(MNT, "/n " F " blk pin\n"));
	/* But the first bad line is told. */
	EXPECT_EQ(EEXIST, tell(MNT, "/k " G " reg ro\n/b " F " blk ro\n"));
	EXPECT_EQ(EPERM, tell(MNT, "/l " G " reg ro\n/b " F " blk ro\n"
			      "rubbish\n"));
	EXPECT_EQ(0, strncmp(door_error(MNT), "2:", 2));
	EXPECT_EQ(EINVAL, tell(MNT, "rubbish\n/b " F " blk ro\n"));
	EXPECT_EQ(1, figure(MNT, "nr_mappings"));
}

TEST_F(inside, a_table_opened_outside_may_be_written_outside)
{
	ASSERT_EQ(0, outside("echo '/b /proc/%d/root" F " chr ro' >%s",
			     self->me, door(MNT, "etfs")));
	EXPECT_EQ(1, figure(MNT, "nr_mappings"));
	/* A node of such a mount opens no device. */
	EXPECT_EQ(EACCES, open_err(MNT "/b", O_RDONLY));
	EXPECT_EQ(0, tell(MNT, "-/b\n"));
}

/* Give up all capabilities. */
static int drop_caps(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct data[2] = {};

	return ERR(syscall(__NR_capset, &header, data));
}

TEST_F(inside, its_root_needs_the_capability)
{
	int fd = open(door(MNT, "etfs"), O_WRONLY);
	pid_t pid;

	ASSERT_LE(0, fd);
	pid = fork();
	if (!pid)
		_exit(drop_caps() ?: write_all(fd, "/k " G " reg ro\n"));
	EXPECT_EQ(EPERM, wait_status(pid));
	pid = fork();
	if (!pid)
		_exit(drop_caps() ?: tell(MNT, "/k " G " reg ro\n"));
	EXPECT_EQ(EPERM, wait_status(pid));
	EXPECT_EQ(0, write_all(fd, "/k " G " reg ro\n"));
	close(fd);
}

TEST_F(inside, another_user_is_refused)
{
	int fd = open(door(MNT, "etfs"), O_WRONLY);

	ASSERT_LE(0, fd);
	/* With one id there is nobody else. */
	if (variant->map.count == 1)
		return;
	EXPECT_EQ(EPERM, AS_USER(USER, write_all(fd, "/k " G " reg ro\n")));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(door(MNT, "etfs"), O_RDONLY)));
	EXPECT_EQ(EACCES, AS_USER(USER, open_err(door(MNT, "last_error"),
						 O_RDONLY)));
	close(fd);
}

TEST_F(inside, ids_are_of_the_namespace)
{
	struct stat st;

	if (variant->map.count == 1) {
		EXPECT_EQ(EINVAL, tell(MNT, "/k " G " reg ro,uid=5\n"));
		EXPECT_NE(NULL, strstr(door_error(MNT), "uid=5"));
		EXPECT_EQ(EINVAL, tell(MNT, "/k " G " reg ro,gid=5\n"));
		return;
	}
	ASSERT_EQ(0, tell(MNT, "/k " G " reg ro,uid=5,gid=6,mode=640\n"
			  "/d " HOST "/d dir ro,uid=5,gid=6,mode=750\n"));
	ASSERT_EQ(0, stat(KEY, &st));
	EXPECT_EQ(5, st.st_uid);
	EXPECT_EQ(6, st.st_gid);
	ASSERT_EQ(0, stat(MNT "/d", &st));
	EXPECT_EQ(5, st.st_uid);
	EXPECT_EQ(6, st.st_gid);
	EXPECT_EQ(0, door_rows_are(MNT, "/d " HOST "/d dir ro,mode=750,uid=5,gid=6\n"
				   "/k " G " reg ro,mode=640,uid=5,gid=6\n"));
	EXPECT_EQ(0, outside("test $(stat -c %%u:%%g /proc/%d/root" KEY
			     ") = 100005:100006", self->me));
}

TEST_HARNESS_MAIN
