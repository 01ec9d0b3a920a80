// SPDX-License-Identifier: GPL-2.0
/* A mount: options, limits, statfs, what /proc/mounts shows. */
#include "names.h"

#include <linux/cred.h>
#include <linux/fs_context.h>
#include <linux/fs_parser.h>
#include <linux/kdev_t.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/sched.h>
#include <linux/seq_file.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/statfs.h>
#include <linux/user_namespace.h>

#define RUMPFS_DEFAULT_MODE	0755

int rumpfs_charge_some(struct rumpfs_sb *sbi, u64 bytes)
{
	return rumpfs_take(&sbi->bytes_used, bytes, READ_ONCE(sbi->max_bytes));
}

static u64 rumpfs_default_bytes(void)
{
	return (u64)totalram_pages() / 2 << PAGE_SHIFT;
}

static u64 rumpfs_default_inodes(void)
{
	return totalram_pages() / 2;
}

/* Options */

enum rumpfs_param {
	RUMPFS_SIZE,
	RUMPFS_NR_INODES,
	RUMPFS_MODE,
	RUMPFS_UID,
	RUMPFS_GID,
	RUMPFS_ETFS,
	RUMPFS_WHITEOUT,
};

/* The value: is the table private? */
static const struct constant_table rumpfs_tables[] = {
	{ "host",	false },
	{ "private",	true },
	{ }
};

static const struct fs_parameter_spec rumpfs_parameters[] = {
	fsparam_string("size", RUMPFS_SIZE),
	fsparam_string("nr_inodes", RUMPFS_NR_INODES),
	fsparam_u32oct("mode", RUMPFS_MODE),
	fsparam_u32("uid", RUMPFS_UID),
	fsparam_u32("gid", RUMPFS_GID),
	fsparam_enum("etfs", RUMPFS_ETFS, rumpfs_tables),
	fsparam_string("whiteout", RUMPFS_WHITEOUT),
	{ }
};

/* What was asked for; seen has a bit for each word that was said. */
struct rumpfs_options {
	u32 seen;
	u64 max_bytes, max_inodes;
	umode_t mode;
	kuid_t uid;
	kgid_t gid;
	bool is_private;
	bool hides_whiteouts;
};

static bool rumpfs_options_has(const struct rumpfs_options *options,
			       enum rumpfs_param param)
{
	return options->seen & BIT(param);
}

/* A number with K, M, G or T behind it, or % of all. */
static bool rumpfs_parse_amount(const char *text, u64 all, u64 *amount)
{
	static const char suffixes[] = "KMGT";
	size_t len = strlen(text);
	const char *suffix = NULL;
	char number[24];
	bool percent;
	int shift = 0;

	if (!len || !isdigit(text[0]))
		return false;
	percent = text[len - 1] == '%';
	suffix = strchr(suffixes, toupper(text[len - 1]));
	if (suffix)
		shift = 10 * (suffix - suffixes + 1);
	if (percent || suffix)
		len--;
	if (len >= sizeof(number))
		return false;
	memcpy(number, text, len);
	number[len] = '\0';
	if (kstrtou64(number, 0, amount))
		return false;
	if (percent) {
		if (check_mul_overflow(*amount, all, amount))
			return false;
		*amount = div_u64(*amount, 100);
	}
	if (*amount > (u64)S64_MAX >> shift)
		return false;
	*amount <<= shift;
	return true;
}

/* The host table is for whoever may open any host file. */
static int rumpfs_parse_etfs(struct fs_context *fc, bool is_private)
{
	struct rumpfs_options *options = fc->fs_private;

	if (!is_private && fc->user_ns != &init_user_ns) {
		errorfc(fc, "etfs=host: not in a user namespace, where the table is private");
		return -EPERM;
	}
	options->is_private = is_private;
	return 0;
}

static int rumpfs_parse_param(struct fs_context *fc,
			      struct fs_parameter *param)
{
	struct rumpfs_options *options = fc->fs_private;
	struct fs_parse_result result;
	int opt;

	opt = fs_parse(fc, rumpfs_parameters, param, &result);
	if (opt < 0)
		return opt;
	options->seen |= BIT(opt);
	switch (opt) {
	case RUMPFS_SIZE:
		if (!rumpfs_parse_amount(param->string,
					 (u64)totalram_pages() << PAGE_SHIFT,
					 &options->max_bytes))
			return invalfc(fc, "size=%s: bytes with K, M, G, T or %% of the memory",
				       param->string);
		options->max_bytes = round_up(options->max_bytes, PAGE_SIZE);
		return 0;
	case RUMPFS_NR_INODES:
		if (!rumpfs_parse_amount(param->string, totalram_pages(),
					 &options->max_inodes))
			return invalfc(fc, "nr_inodes=%s: a count with K, M, G, T or %%",
				       param->string);
		return 0;
	case RUMPFS_MODE:
		if (result.uint_32 & ~07777)
			return invalfc(fc, "mode=%o: octal, at most 7777",
				       result.uint_32);
		options->mode = result.uint_32;
		return 0;
	case RUMPFS_UID:
		options->uid = make_kuid(current_user_ns(), result.uint_32);
		if (!uid_valid(options->uid) ||
		    !kuid_has_mapping(fc->user_ns, options->uid))
			return invalfc(fc, "uid=%u: no such user here",
				       result.uint_32);
		return 0;
	case RUMPFS_ETFS:
		return rumpfs_parse_etfs(fc, result.uint_32);
	case RUMPFS_WHITEOUT:
		options->hides_whiteouts = !strcmp(param->string, "hidden");
		if (!options->hides_whiteouts &&
		    strcmp(param->string, "visible"))
			return invalfc(fc, "whiteout=%s: visible or hidden",
				       param->string);
		return 0;
	default:
		options->gid = make_kgid(current_user_ns(), result.uint_32);
		if (!gid_valid(options->gid) ||
		    !kgid_has_mapping(fc->user_ns, options->gid))
			return invalfc(fc, "gid=%u: no such group here",
				       result.uint_32);
		return 0;
	}
}

static int rumpfs_check_limit(struct fs_context *fc, const char *word,
			      u64 max, u64 used)
{
	if (!max || max >= used)
		return 0;
	return invalfc(fc, "%s=%llu: below the %llu in use", word, max, used);
}

static int rumpfs_reconfigure(struct fs_context *fc)
{
	struct rumpfs_sb *sbi = RUMPFS_SB(fc->root->d_sb);
	struct rumpfs_options *options = fc->fs_private;
	bool size = rumpfs_options_has(options, RUMPFS_SIZE);
	bool inodes = rumpfs_options_has(options, RUMPFS_NR_INODES);
	int err = 0;

	if (rumpfs_options_has(options, RUMPFS_MODE) &&
	    options->mode != sbi->mode)
		return invalfc(fc, "mode=%o: only for a new mount",
			       options->mode);
	if (rumpfs_options_has(options, RUMPFS_UID) &&
	    !uid_eq(options->uid, sbi->uid))
		return invalfc(fc, "uid: only for a new mount");
	if (rumpfs_options_has(options, RUMPFS_GID) &&
	    !gid_eq(options->gid, sbi->gid))
		return invalfc(fc, "gid: only for a new mount");
	if (rumpfs_options_has(options, RUMPFS_ETFS) &&
	    options->is_private != rumpfs_is_private(sbi))
		return invalfc(fc, "etfs: only for a new mount");
	if (rumpfs_options_has(options, RUMPFS_WHITEOUT) &&
	    options->hides_whiteouts != sbi->hides_whiteouts)
		return invalfc(fc, "whiteout: only for a new mount");

	if (size)
		err = rumpfs_check_limit(fc, "size", options->max_bytes,
					 atomic64_read(&sbi->bytes_used));
	if (!err && inodes)
		err = rumpfs_check_limit(fc, "nr_inodes", options->max_inodes,
					 atomic64_read(&sbi->inodes_used));
	if (err)
		return err;
	/* mount(2) counts it among what a remount may take away. */
	fc->sb_flags |= SB_I_VERSION;
	if (size)
		WRITE_ONCE(sbi->max_bytes, options->max_bytes);
	if (inodes)
		WRITE_ONCE(sbi->max_inodes, options->max_inodes);
	return 0;
}

static int rumpfs_show_options(struct seq_file *m, struct dentry *root)
{
	const struct rumpfs_sb *sbi = RUMPFS_SB(root->d_sb);
	struct user_namespace *ns = root->d_sb->s_user_ns;

	if (sbi->max_bytes != rumpfs_default_bytes())
		seq_printf(m, ",size=%lluk", sbi->max_bytes >> 10);
	if (sbi->max_inodes != rumpfs_default_inodes())
		seq_printf(m, ",nr_inodes=%llu", sbi->max_inodes);
	if (sbi->mode != RUMPFS_DEFAULT_MODE)
		seq_printf(m, ",mode=%03o", sbi->mode);
	if (!uid_eq(sbi->uid, make_kuid(ns, 0)))
		seq_printf(m, ",uid=%u", from_kuid_munged(current_user_ns(),
							  sbi->uid));
	if (!gid_eq(sbi->gid, make_kgid(ns, 0)))
		seq_printf(m, ",gid=%u", from_kgid_munged(current_user_ns(),
							  sbi->gid));
	/* In a user namespace it is nothing else. */
	if (rumpfs_is_private(sbi) && ns == &init_user_ns)
		seq_puts(m, ",etfs=private");
	if (sbi->hides_whiteouts)
		seq_puts(m, ",whiteout=hidden");
	return 0;
}

static int rumpfs_statfs(struct dentry *dentry, struct kstatfs *stat)
{
	const struct rumpfs_sb *sbi = RUMPFS_SB(dentry->d_sb);
	u64 bytes = READ_ONCE(sbi->max_bytes);
	u64 inodes = READ_ONCE(sbi->max_inodes);
	u64 used;

	stat->f_type = RUMPFS_SUPER_MAGIC;
	stat->f_bsize = PAGE_SIZE;
	stat->f_namelen = NAME_MAX;
	stat->f_fsid = u64_to_fsid(huge_encode_dev(dentry->d_sb->s_dev));
	if (bytes) {
		used = min_t(u64, atomic64_read(&sbi->bytes_used), bytes);
		stat->f_blocks = bytes >> PAGE_SHIFT;
		stat->f_bfree = (bytes - used) >> PAGE_SHIFT;
		stat->f_bavail = stat->f_bfree;
	}
	if (inodes) {
		used = min_t(u64, atomic64_read(&sbi->inodes_used), inodes);
		stat->f_files = inodes;
		stat->f_ffree = inodes - used;
	}
	return 0;
}

/* Take the host from whoever has a key of a private table open or mapped. */
static void rumpfs_revoke_all(struct rumpfs_sb *sbi)
{
	while (etfs_table_flush(&sbi->private, ETFS_REVOKE) == -ENOMEM)
		schedule_timeout_uninterruptible(1);
}

/* umount -f: who has a key open or mapped is no reason to wait. */
static void rumpfs_umount_begin(struct super_block *sb)
{
	if (rumpfs_is_private(RUMPFS_SB(sb)))
		rumpfs_revoke_all(RUMPFS_SB(sb));
}

static const struct super_operations rumpfs_super_operations = {
	.alloc_inode	= rumpfs_alloc_inode,
	.free_inode	= rumpfs_free_inode,
	.evict_inode	= rumpfs_evict_inode,
	.drop_inode	= inode_just_drop,
	.statfs		= rumpfs_statfs,
	.show_options	= rumpfs_show_options,
	.umount_begin	= rumpfs_umount_begin,
};

/* Birth and death */

static struct rumpfs_sb *rumpfs_sb_new(struct super_block *sb,
				       const struct rumpfs_options *options)
{
	struct rumpfs_sb *sbi = kzalloc(sizeof(*sbi), GFP_KERNEL_ACCOUNT);
	int err;

	if (!sbi)
		return ERR_PTR(-ENOMEM);
	sbi->sb = sb;
	sbi->generation = get_random_u32();
	INIT_LIST_HEAD(&sbi->table_node);
	xa_init(&sbi->own);
	sbi->max_bytes = options->max_bytes;
	sbi->max_inodes = options->max_inodes;
	sbi->mode = options->mode;
	sbi->uid = options->uid;
	sbi->gid = options->gid;
	sbi->hides_whiteouts = options->hides_whiteouts;
	sbi->table = &etfs_host_table;
	if (!options->is_private)
		return sbi;
	err = etfs_table_init(&sbi->private);
	if (err) {
		kfree(sbi);
		return ERR_PTR(err);
	}
	sbi->private.sb = sb;
	sbi->table = &sbi->private;
	return sbi;
}

/* Nothing of the mount is left but what a walk under RCU may still look at. */
static void rumpfs_sb_free(struct rumpfs_sb *sbi)
{
	rumpfs_key_forget_all(sbi);
	if (rumpfs_is_private(sbi)) {
		rumpfs_revoke_all(sbi);
		etfs_table_exit(&sbi->private);
	}
	kfree_rcu(sbi, rcu);
}

static int rumpfs_fill_super(struct super_block *sb, struct fs_context *fc)
{
	const struct rumpfs_options *options = fc->fs_private;
	struct rumpfs_sb *sbi = rumpfs_sb_new(sb, options);
	struct inode *root;

	if (IS_ERR(sbi))
		return PTR_ERR(sbi);
	sb->s_fs_info = sbi;
	sb->s_magic = RUMPFS_SUPER_MAGIC;
	sb->s_flags |= SB_I_VERSION;
	sb->s_maxbytes = MAX_LFS_FILESIZE;
	sb->s_blocksize = PAGE_SIZE;
	sb->s_blocksize_bits = PAGE_SHIFT;
	sb->s_time_gran = 1;
	/* i_nlink has 32 bits, and names are bounded by memory alone. */
	sb->s_max_links = S32_MAX;
	sb->s_op = &rumpfs_super_operations;
	/* See host.c: one level, whatever the keys lead to. */
	sb->s_stack_depth = 1;
	rumpfs_names_use_ops(sb);
	rumpfs_xattr_use(sb);
	rumpfs_export_init(sb);

	root = rumpfs_node_new(&nop_mnt_idmap, sb, NULL,
			       S_IFDIR | options->mode, 0);
	if (IS_ERR(root))
		return PTR_ERR(root);
	root->i_uid = options->uid;
	root->i_gid = options->gid;
	sb->s_root = d_make_root(root);
	if (!sb->s_root)
		return -ENOMEM;

	mutex_lock(&sbi->table->lock);
	list_add_tail(&sbi->table_node, &sbi->table->mounts);
	mutex_unlock(&sbi->table->lock);
	return rumpfs_mountdir_add(sbi);
}

static int rumpfs_get_tree(struct fs_context *fc)
{
	return get_tree_nodev(fc, rumpfs_fill_super);
}

static void rumpfs_free_fc(struct fs_context *fc)
{
	kfree(fc->fs_private);
}

static const struct fs_context_operations rumpfs_context_operations = {
	.free		= rumpfs_free_fc,
	.parse_param	= rumpfs_parse_param,
	.get_tree	= rumpfs_get_tree,
	.reconfigure	= rumpfs_reconfigure,
};

/* The root of the user namespace; who mounts, if it has none. */
static void rumpfs_default_ids(const struct fs_context *fc,
			       struct rumpfs_options *options)
{
	options->uid = make_kuid(fc->user_ns, 0);
	if (!uid_valid(options->uid))
		options->uid = current_fsuid();
	options->gid = make_kgid(fc->user_ns, 0);
	if (!gid_valid(options->gid))
		options->gid = current_fsgid();
}

static int rumpfs_init_fs_context(struct fs_context *fc)
{
	struct rumpfs_options *options = kzalloc(sizeof(*options), GFP_KERNEL);

	if (!options)
		return -ENOMEM;
	options->max_bytes = rumpfs_default_bytes();
	options->max_inodes = rumpfs_default_inodes();
	options->mode = RUMPFS_DEFAULT_MODE;
	rumpfs_default_ids(fc, options);
	options->is_private = fc->user_ns != &init_user_ns;
	fc->fs_private = options;
	fc->ops = &rumpfs_context_operations;
	return 0;
}

static void rumpfs_kill_sb(struct super_block *sb)
{
	struct rumpfs_sb *sbi = RUMPFS_SB(sb);

	/* The door waits for its writers; then no batch comes to this mount. */
	if (sbi) {
		rumpfs_mountdir_remove(sbi);
		mutex_lock(&sbi->table->lock);
		list_del_init(&sbi->table_node);
		mutex_unlock(&sbi->table->lock);
	}
	if (sb->s_root)
		rumpfs_names_unpin_all(sb);
	kill_anon_super(sb);
	if (sbi)
		rumpfs_sb_free(sbi);
}

struct file_system_type rumpfs_fs_type = {
	.owner			= THIS_MODULE,
	.name			= "rumpfs",
	.init_fs_context	= rumpfs_init_fs_context,
	.parameters		= rumpfs_parameters,
	.kill_sb		= rumpfs_kill_sb,
	.fs_flags		= FS_USERNS_MOUNT | FS_ALLOW_IDMAP | FS_MGTIME,
};
MODULE_ALIAS_FS("rumpfs");
