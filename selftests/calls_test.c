// SPDX-License-Identifier: GPL-2.0
/* Who may ask a directory for its table, of which one, and by what struct. */

#include <sys/mman.h>
#include <sys/sysmacros.h>

#include "lib/apply.h"
#include "lib/userns.h"

#define F HOST "/f"
#define G HOST "/g"
#define D HOST "/d"
#define USER 1000

FIXTURE(calls)
{
	int fd;
	char room[4096];
};

FIXTURE_SETUP(calls)
{
	ASSERT_EQ(0, setup_mount(NULL));
	ASSERT_EQ(0, fill(F, 65536, 1));
	ASSERT_EQ(0, put_text(G, "other"));
	ASSERT_EQ(0, mkdir(D, 0755));
	self->fd = open(MNT, O_RDONLY | O_DIRECTORY);
	ASSERT_LE(0, self->fd);
}

FIXTURE_TEARDOWN(calls)
{
	teardown_mount();
}

/* How structs grow. */

#define NR_APPLY _IOC_NR(RUMPFS_IOC_APPLY)
#define NR_LIST _IOC_NR(RUMPFS_IOC_LIST)
#define NR_STAT _IOC_NR(RUMPFS_IOC_STAT)

static int sized(int fd, unsigned int nr, unsigned int size, void *arg)
{
	return ERR(ioctl(fd, _IOC(_IOC_READ | _IOC_WRITE, 'r', nr, size), arg));
}

TEST_F(calls, structs_have_the_same_size_everywhere)
{
	EXPECT_EQ(88, sizeof(struct rumpfs_op));
	EXPECT_EQ(48, sizeof(struct rumpfs_apply));
	EXPECT_EQ(32, sizeof(struct rumpfs_list));
	EXPECT_EQ(48, sizeof(struct rumpfs_stat));
}

TEST_F(calls, the_struct_of_apply_may_grow)
{
	struct rumpfs_op op = SET("/k", G);
	struct {
		struct rumpfs_apply now;
		char later[80];
	} arg = { .now = { .ops = AT(&op), .nr_ops = 1,
			   .op_size = sizeof(op) } };
	const unsigned int size = sizeof(arg.now);

	EXPECT_EQ(0, sized(self->fd, NR_APPLY, size, &arg));
	EXPECT_EQ(0, sized(self->fd, NR_APPLY, size + 1, &arg));
	EXPECT_EQ(0, sized(self->fd, NR_APPLY, sizeof(arg), &arg));
	arg.later[70] = 1;
	EXPECT_EQ(0, sized(self->fd, NR_APPLY, size + 70, &arg));
	EXPECT_EQ(E2BIG, sized(self->fd, NR_APPLY, size + 71, &arg));
	EXPECT_EQ(E2BIG, sized(self->fd, NR_APPLY, sizeof(arg), &arg));
	EXPECT_EQ(1, arg.later[70]);
	EXPECT_EQ(EINVAL, sized(self->fd, NR_APPLY, 0, &arg));
	EXPECT_EQ(EINVAL, sized(self->fd, NR_APPLY, 8, &arg));
	EXPECT_EQ(EINVAL, sized(self->fd, NR_APPLY, 12, &arg));
	EXPECT_EQ(EINVAL, sized(self->fd, NR_APPLY, 15, &arg));
	arg.later[70] = 0;
	arg.now.reserved = 1;
	EXPECT_EQ(EINVAL, sized(self->fd, NR_APPLY, size, &arg));
	arg.now.reserved = 0;
	/* What is out is not looked at. */
	arg.now.failed_op = 99;
	EXPECT_EQ(0, sized(self->fd, NR_APPLY, size, &arg));
	EXPECT_EQ(1, arg.now.failed_op);
	EXPECT_EQ(EFAULT, sized(self->fd, NR_APPLY, size, NULL));
	EXPECT_EQ(EFAULT, sized(self->fd, NR_APPLY, size, (void *)-4096L));
	EXPECT_EQ(EFAULT, sized(self->fd, NR_APPLY, 16000, (void *)-4096L));
}

TEST_F(calls, the_struct_of_list_may_grow)
{
	struct {
		struct rumpfs_list now;
		char later[80];
	} arg = {};
	const unsigned int size = sizeof(arg.now);

#define LIST_SIZED(size) ({						\
	arg.now = list_begin(self->room, sizeof(self->room));		\
	sized(self->fd, NR_LIST, size, &arg); })
	EXPECT_EQ(0, LIST_SIZED(size));
	EXPECT_EQ(0, LIST_SIZED(sizeof(arg)));
	arg.later[0] = 1;
	EXPECT_EQ(0, LIST_SIZED(size));
	EXPECT_EQ(E2BIG, LIST_SIZED(size + 1));
	EXPECT_EQ(EINVAL, LIST_SIZED(0));
	EXPECT_EQ(EINVAL, LIST_SIZED(7));
	EXPECT_EQ(EINVAL, LIST_SIZED(24));
}

TEST_F(calls, the_struct_of_stat_may_grow)
{
	struct {
		struct rumpfs_stat now;
		char later[80];
	} arg = { .now = { .key = AT("/k") } };
	const unsigned int size = sizeof(arg.now);

	ASSERT_EQ(0, APPLY(self->fd, ADD("/k", G)));
	EXPECT_EQ(0, sized(self->fd, NR_STAT, size, &arg));
	EXPECT_EQ(RUMPFS_TYPE_REG, arg.now.type);
	EXPECT_EQ(0, sized(self->fd, NR_STAT, sizeof(arg), &arg));
	arg.later[79] = 1;
	EXPECT_EQ(E2BIG, sized(self->fd, NR_STAT, sizeof(arg), &arg));
	EXPECT_EQ(0, sized(self->fd, NR_STAT, sizeof(arg) - 1, &arg));
	EXPECT_EQ(EINVAL, sized(self->fd, NR_STAT, 0, &arg));
	EXPECT_EQ(EINVAL, sized(self->fd, NR_STAT, 7, &arg));
	/* A short one is answered as far as it goes. */
	memset(&arg.now.type, 0x55, sizeof(arg.now) - 8);
	arg.now.reserved = 0;
	if (!sized(self->fd, NR_STAT, 16, &arg)) {
		EXPECT_EQ(RUMPFS_TYPE_REG, arg.now.type);
		EXPECT_EQ(0x55555555, arg.now.maps);
		EXPECT_EQ(0x5555555555555555ULL, arg.now.bytes_read);
	}
}

TEST_F(calls, operations_may_grow)
{
	struct {
		struct rumpfs_op now;
		char later[40];
	} ops[3] = { { ADD("/a", G) }, { ADD("/b", G) }, { ADD("/c", G) } };
	struct rumpfs_apply arg = { .ops = AT(ops), .nr_ops = 3 };

#define OP_SIZE(size) ({						\
	arg.op_size = size;						\
	ERR(ioctl(self->fd, RUMPFS_IOC_APPLY, &arg)); })
	EXPECT_EQ(EINVAL, OP_SIZE(0));
	EXPECT_EQ(EINVAL, OP_SIZE(8));
	EXPECT_EQ(EINVAL, OP_SIZE(sizeof(struct rumpfs_op) - 1));
	EXPECT_EQ(EINVAL, OP_SIZE(sizeof(struct rumpfs_op) - 8));
	EXPECT_EQ(3, arg.failed_op);
	ops[1].later[39] = 1;
	EXPECT_EQ(E2BIG, OP_SIZE(sizeof(ops[0])));
	EXPECT_EQ(1, arg.failed_op);
	ops[1].later[39] = 0;
	ops[1].later[0] = 1;
	EXPECT_EQ(E2BIG, OP_SIZE(sizeof(ops[0])));
	EXPECT_EQ(0, rows_are(""));
	ops[1].later[0] = 0;
	EXPECT_EQ(0, OP_SIZE(sizeof(ops[0])));
	EXPECT_EQ(3, arg.failed_op);
	EXPECT_EQ(3, count_names(MNT));
	/* Sizes that nobody has do not overflow anything. */
	EXPECT_NE(0, OP_SIZE(~0U));
	EXPECT_NE(0, OP_SIZE(1U << 31));
	arg.nr_ops = ~0U;
	EXPECT_NE(0, OP_SIZE(~0U));
	EXPECT_NE(0, OP_SIZE(sizeof(struct rumpfs_op)));
	EXPECT_EQ(3, count_names(MNT));
}

TEST_F(calls, the_number_tells_the_call)
{
	struct rumpfs_op op = SET("/k", G);
	struct rumpfs_apply apply = { .ops = AT(&op), .nr_ops = 1,
				      .op_size = sizeof(op) };
	struct rumpfs_list list;
	struct rumpfs_stat st = { .key = AT("/k") };
	unsigned int dir;

	for (dir = 0; dir <= (_IOC_READ | _IOC_WRITE); dir++) {
		EXPECT_EQ(0, ERR(ioctl(self->fd,
				       _IOC(dir, 'r', NR_APPLY, sizeof(apply)),
				       &apply)));
		list = list_begin(self->room, sizeof(self->room));
		EXPECT_EQ(0, ERR(ioctl(self->fd,
				       _IOC(dir, 'r', NR_LIST, sizeof(list)),
				       &list)));
		EXPECT_EQ(strlen("/k " G " reg rw\n"), list.buf_len);
		st.type = 0;
		EXPECT_EQ(0, ERR(ioctl(self->fd,
				       _IOC(dir, 'r', NR_STAT, sizeof(st)),
				       &st)));
		EXPECT_EQ(RUMPFS_TYPE_REG, st.type);
	}
	EXPECT_EQ(ENOTTY, ERR(ioctl(self->fd, _IOWR('s', NR_STAT, st), &st)));
	EXPECT_EQ(ENOTTY, ERR(ioctl(self->fd, _IOWR('r', 0x3f, st), &st)));
	EXPECT_EQ(ENOTTY, ERR(ioctl(self->fd, _IOWR('r', 0x44, st), &st)));
}

TEST_F(calls, memory_must_be_the_caller_s)
{
	char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct rumpfs_op *ops = (void *)(pages + PAGE - 2 * sizeof(*ops));
	struct rumpfs_apply *arg, call = {
		.ops = AT(ops), .nr_ops = 3, .op_size = sizeof(*ops),
	};

	ASSERT_EQ(0, munmap(pages + PAGE, PAGE));
	ops[0] = ADD("/a", G);
	ops[1] = ADD("/b", G);
	EXPECT_EQ(EFAULT, ERR(ioctl(self->fd, RUMPFS_IOC_APPLY, &call)));
	EXPECT_EQ(0, rows_are(""));
	call.ops = 8;
	EXPECT_EQ(EFAULT, ERR(ioctl(self->fd, RUMPFS_IOC_APPLY, &call)));
	call.ops = -4096L;
	EXPECT_EQ(EFAULT, ERR(ioctl(self->fd, RUMPFS_IOC_APPLY, &call)));
	call.ops = 0;
	EXPECT_EQ(EFAULT, ERR(ioctl(self->fd, RUMPFS_IOC_APPLY, &call)));
	call.ops = AT(ops);
	call.nr_ops = 2;
	ASSERT_EQ(0, ERR(ioctl(self->fd, RUMPFS_IOC_APPLY, &call)));

	/* Without room for the answer nothing is done. */
	ops[0] = ADD("/c", G);
	ops[1] = ADD("/d", G);
	call.message = -4096L;
	call.message_len = 100;
	EXPECT_EQ(EFAULT, ERR(ioctl(self->fd, RUMPFS_IOC_APPLY, &call)));
	EXPECT_EQ(2, count_names(MNT));
	call.message_len = 0;
	call.nr_ops = 1;
	EXPECT_EQ(0, ERR(ioctl(self->fd, RUMPFS_IOC_APPLY, &call)));
	EXPECT_EQ(3, count_names(MNT));

	/* A struct that can only be read. */
	arg = (void *)(pages + 128);
	*arg = (struct rumpfs_apply){ .ops = AT(ops), .nr_ops = 2,
				      .op_size = sizeof(*ops) };
	ops[0] = ADD("/e", G);
	ASSERT_EQ(0, mprotect(pages, PAGE, PROT_READ));
	EXPECT_EQ(EFAULT, ERR(ioctl(self->fd, RUMPFS_IOC_APPLY, arg)));
	EXPECT_EQ(3, count_names(MNT));
}

/* Who may. */

static int ask_all(int fd, int *list_err, int *stat_err)
{
	struct rumpfs_op bad = { .op = 77 };
	struct rumpfs_stat st;
	static char room[4096];
	struct rumpfs_list list = list_begin(room, 0);
	int err;

	*list_err = list_next(fd, &list, sizeof(room));
	*stat_err = stat_key(fd, "/none", &st);
	/* Before anything else is looked at, and no operation is blamed. */
	err = apply_call(fd, &bad, 1, 1U << 30, 12345);
	if (applied.failed_op != 1 || applied.message_len || sentence[0])
		return 254;
	if (apply_call(fd, &bad, 1, 0, 0) != err ||
	    APPLY(fd, ADD("/new", G)) != err ||
	    APPLY(fd, REMOVE("/none")) != err ||
	    APPLY_FLAGS(fd, RUMPFS_APPLY_DRY_RUN, ADD("/new", G)) != err)
		return 255;
	return err;
}

static int all_answer(int fd, int expected)
{
	int list_err, stat_err, err = ask_all(fd, &list_err, &stat_err);

	if (err == expected && list_err == expected && stat_err == expected)
		return 0;
	printf("# apply %d, list %d, stat %d\n", err, list_err, stat_err);
	return 1;
}

TEST_F(calls, the_caller_must_have_the_right)
{
	EXPECT_EQ(0, AS_USER(USER, all_answer(self->fd, EPERM)));
	EXPECT_EQ(0, rows_are(""));
	EXPECT_EQ(0, APPLY(self->fd, ADD("/k", G)));
}

TEST_F(calls, the_opener_must_have_the_right)
{
	int fd;

	ASSERT_EQ(0, seteuid(USER));
	fd = open(MNT, O_RDONLY);
	ASSERT_EQ(0, seteuid(0));
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, all_answer(fd, EPERM));
	EXPECT_EQ(0, AS_USER(USER, all_answer(fd, EPERM)));
	EXPECT_EQ(0, rows_are(""));
	close(fd);
}

/* Private tables. */

static char *private_rows(const char *dir)
{
	char path[128];
	struct stat st;

	if (stat(dir, &st))
		return NULL;
	snprintf(path, sizeof(path), SYSFS "/%u:%u/etfs", major(st.st_dev),
		 minor(st.st_dev));
	return slurp(path, 65536, NULL);
}

TEST_F(calls, a_private_table_is_its_own)
{
	unsigned long long gen, own;
	struct rumpfs_stat st;
	char *text;
	int fd;

	ASSERT_EQ(0, mount_at(MNT2, "etfs=private"));
	fd = open(MNT2, O_RDONLY);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, APPLY(self->fd, ADD("/host", G)));
	gen = generation_at(self->fd);
	EXPECT_EQ(0, rows_at(fd, ""));
	ASSERT_EQ(0, APPLY(fd, ADD("/own", G),
			   ADD("/disk", F, .type = RUMPFS_TYPE_BLK)));
	EXPECT_EQ(gen, generation_at(self->fd));
	EXPECT_EQ(0, rows_at(self->fd, "/host " G " reg rw\n"));
	EXPECT_EQ(0, rows_are("/host " G " reg rw\n"));
	EXPECT_EQ(0, rows_at(fd, "/disk " F " blk rw\n/own " G " reg rw\n"));
	text = private_rows(MNT2);
	if (text)
		EXPECT_NE(NULL, strstr(text, "\n/disk " F " blk rw\n/own " G
					     " reg rw\n# end "));
	EXPECT_EQ(0, text_is(MNT2 "/own", "other"));
	EXPECT_EQ(ENOENT, stat_err(MNT "/own"));
	EXPECT_EQ(ENOENT, stat_err(MNT2 "/host"));
	EXPECT_EQ(0, stat_key(fd, "/own", &st));
	EXPECT_EQ(ENOENT, stat_key(fd, "/host", &st));
	EXPECT_EQ(ENOENT, stat_key(self->fd, "/own", &st));
	own = generation_at(fd);
	EXPECT_EQ(ENOENT, APPLY(fd, REMOVE("/host")));
	EXPECT_EQ(ENOENT, APPLY(self->fd, REMOVE("/own")));
	EXPECT_EQ(own, generation_at(fd));
	EXPECT_EQ(0, APPLY(fd, FLUSH()));
	EXPECT_EQ(0, rows_are("/host " G " reg rw\n"));
	close(fd);
	EXPECT_EQ(0, ERR(umount(MNT2)));
}

FIXTURE(inside)
{
	struct id_map map;
};

FIXTURE_SETUP(inside)
{
	self->map = (struct id_map){ 0, 100000, 1000 };
	ASSERT_EQ(0, load_module());
	ASSERT_EQ(0, enter_sandbox());
	reset_table();
	ASSERT_EQ(0, put_text(G, "other"));
	ASSERT_EQ(0, chmod(G, 0666));
	ASSERT_EQ(0, mount_at(MNT2, NULL));
	ASSERT_EQ(0, start_witness());
}

FIXTURE_TEARDOWN(inside)
{
	outside("echo flush >" TABLE);
}

TEST_F(inside, a_private_table_is_that_of_the_namespace_s_root)
{
	int early = open(MNT2, O_RDONLY), fd;

	ASSERT_EQ(0, enter_userns(&self->map));
	ASSERT_EQ(0, mount_at(MNT, NULL));
	fd = open(MNT, O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(0, APPLY(fd, ADD("/k", G))) {
		TH_LOG("%s", sentence);
	}
	EXPECT_EQ(0, rows_at(fd, "/k " G " reg rw\n"));
	EXPECT_EQ(0, text_is(MNT "/k", "other"));
	EXPECT_EQ(0, APPLY(fd, REMOVE("/k")));

	/* The host's table is not, whoever opened the directory. */
	EXPECT_EQ(0, all_answer(early, EPERM));
	fd = open(MNT2, O_RDONLY);
	EXPECT_EQ(0, all_answer(fd, EPERM));
}

TEST_F(inside, devices_and_other_owners_are_the_host_s)
{
	int fd;

	ASSERT_EQ(0, enter_userns(&self->map));
	ASSERT_EQ(0, mount_at(MNT, NULL));
	if (!private_rows(MNT))
		SKIP(return, "private tables are no more than that here");
	fd = open(MNT, O_RDONLY);
	ASSERT_LE(0, fd);
	EXPECT_EQ(EPERM, APPLY(fd, ADD("/b", G, .type = RUMPFS_TYPE_BLK)));
	EXPECT_EQ(EPERM, APPLY(fd, ADD("/c", G, .type = RUMPFS_TYPE_CHR)));
	EXPECT_EQ(0, APPLY(fd, ADD("/u", G, .uid = 5,
				   .flags = RUMPFS_MAP_UID)));
	EXPECT_EQ(EINVAL, APPLY(fd, ADD("/v", G, .uid = 5000,
					.flags = RUMPFS_MAP_UID)));
	EXPECT_EQ(0, rows_at(fd, "/u " G " reg rw,uid=5\n"));
}

/* Programs of 32 bits. */

#ifdef __x86_64__
TEST_F(calls, programs_of_32_bits_call_as_well)
{
	struct low {
		struct rumpfs_op ops[2];
		struct rumpfs_apply apply;
		struct rumpfs_list list;
		struct rumpfs_stat st;
		char key[16], host[64], tag[16], text[512];
	} *low = low_memory(sizeof(*low));
	struct rumpfs_op op = ADD("/k", F);
	int file;

	if (!runs_32bit())
		SKIP(return, "the kernel runs no such programs");
	ASSERT_NE(MAP_FAILED, (void *)low);
	strcpy(low->key, "/k");
	strcpy(low->host, F);
	strcpy(low->tag, "t");
	op.key = AT(low->key);
	op.host = AT(low->host);
	op.tag = AT(low->tag);
	op.offset = 0x1000;
	op.size = 0x2000;
	op.fail_seed = 0;
	low->ops[0] = op;
	low->ops[1] = op;
	low->apply = (struct rumpfs_apply){
		.ops = AT(low->ops), .nr_ops = 2, .op_size = sizeof(op),
		.message = AT(low->text), .message_len = sizeof(low->text),
	};
	EXPECT_EQ(-EEXIST, ioctl32(self->fd, RUMPFS_IOC_APPLY, &low->apply));
	EXPECT_EQ(1, low->apply.failed_op);
	EXPECT_EQ(strlen(low->text), low->apply.message_len);
	EXPECT_NE(NULL, strstr(low->text, "/k"));
	low->apply.nr_ops = 1;
	low->apply.message_len = sizeof(low->text);
	EXPECT_EQ(0, ioctl32(self->fd, RUMPFS_IOC_APPLY, &low->apply));
	low->list = list_begin(low->text, sizeof(low->text));
	EXPECT_EQ(0, ioctl32(self->fd, RUMPFS_IOC_LIST, &low->list));
	EXPECT_EQ(strlen("/k " F " reg rw,offset=4096,size=8192,tag=t\n"),
		  low->list.buf_len);
	EXPECT_EQ(0, memcmp("/k " F " reg rw,offset=4096,size=8192,tag=t\n",
			    low->text, low->list.buf_len));
	EXPECT_EQ(table_gen(), low->list.generation);
	file = open(MNT "/k", O_RDONLY);
	EXPECT_EQ(100, read(file, low->text, 100));
	low->st.key = AT(low->key);
	EXPECT_EQ(0, ioctl32(self->fd, RUMPFS_IOC_STAT, &low->st));
	EXPECT_EQ(RUMPFS_TYPE_REG, low->st.type);
	EXPECT_EQ(1, low->st.opens);
	EXPECT_EQ(100, low->st.bytes_read);
	/* Pointers beyond such a program's memory are not cut. */
	low->st.key = AT(low->key) | 1ULL << 32;
	EXPECT_EQ(-EFAULT, ioctl32(self->fd, RUMPFS_IOC_STAT, &low->st));
	close(file);
}
#endif

TEST_HARNESS_MAIN
