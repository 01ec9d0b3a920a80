// SPDX-License-Identifier: GPL-2.0
// Does one call look a name up and lock its directory?
// needs: start_creating
// needs: lookup_noperm_unlocked
#include <linux/namei.h>
struct dentry *probe(struct mnt_idmap *idmap, struct dentry *dir,
		     struct qstr *name);
struct dentry *probe(struct mnt_idmap *idmap, struct dentry *dir,
		     struct qstr *name)
{
	end_creating(start_creating(idmap, dir, name));
	return lookup_noperm_unlocked(name, dir);
}
