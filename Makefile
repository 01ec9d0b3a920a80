# SPDX-License-Identifier: GPL-2.0
# For people; kbuild reads Kbuild. `make help` lists the targets.

KDIR ?= /lib/modules/$(shell uname -r)/build
KERNELS ?= 6.1 6.12 7.3
KERNEL ?= 6.12
RUNS ?= 10000000
BENCH ?= names data reg tables memory disk fio scale
CLOCKS ?= icount wall
VM := selftests/vm
compat := module/compat

.PHONY: modules install modules_install clean setup demo check check-debug \
	check-kcsan check-here check-durability check-labels check-vm fuzz bench lint help FORCE

## modules: build rumpfs.ko for this kernel, or for the one of KDIR=
modules: $(compat)/probed.h
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

# What the compiler says about this kernel, asked again when either changes.
ifneq ($(shell sed -n '1s/.* for \(.*\) \*.*/\1/p' $(compat)/probed.h 2>/dev/null),$(KDIR))
$(compat)/probed.h: FORCE
endif
$(compat)/probed.h: $(compat)/probe.sh $(wildcard $(compat)/probe/*.c $(KDIR)/.config $(KDIR)/Module.symvers)
	sh $(compat)/probe.sh $(KDIR)
	touch $@

## install: build and install the module, so that modprobe finds it, and udev's rule
# (unsigned: nobody but the distribution has the key that goes with its kernel)
install modules_install: modules
	$(MAKE) -C $(KDIR) M=$(CURDIR) CONFIG_MODULE_SIG_ALL= modules_install
	install -D -m644 module/60-rumpfs.rules \
		$(INSTALL_MOD_PATH)/usr/lib/udev/rules.d/60-rumpfs.rules
	depmod -a $(if $(INSTALL_MOD_PATH),-b $(INSTALL_MOD_PATH)) \
		$$(modinfo -F vermagic rumpfs.ko | cut -d' ' -f1)

## clean: remove what was built here; build/ too
clean:
	-$(MAKE) -C $(KDIR) M=$(CURDIR) clean
	rm -rf build $(compat)/probed.h $(compat)/probing

## setup: get tools, kernels and headers of Debian (one apt line, and a cache)
setup:
	$(VM)/setup all

## demo: watch the module at work on a disk image, in a machine with KERNEL=6.12
demo:
	$(VM)/setup host
	$(VM)/build $(KERNEL)
	@RUMPFS_KO=$(CURDIR)/build/$(KERNEL)/rumpfs.ko KERNEL=$(KERNEL) \
		$(VM)/run -t 900 -- $(VM)/demo.sh

## check: the tests on KERNELS="6.1 6.12 7.3", each in a machine of its own
check:
	@$(VM)/setup host
	@$(VM)/check $(KERNELS)

## check-debug: the tests on a kernel full of sanitizers, then a search for leaks
check-debug:
	@$(VM)/setup host
	@$(VM)/check debug

# Where several meet; data races are looked for, nothing else.
kcsan_tests := race_test first_list_test spare_test trail_test paged_test \
	crowd_test filerace_test revoke_test remove_test mirror_test disk_test chardev_test table_test \
	window_test map_test

## check-kcsan: tests of concurrency on a kernel that watches for data races
check-kcsan:
	@$(VM)/setup host
	@$(VM)/check $(addprefix -t ,$(kcsan_tests)) kcsan

## check-here: the tests on the kernel that runs
check-here:
	@$(VM)/setup harness
	@$(VM)/check here

## check-durability: kill KERNEL=6.12 amid writes to a disk, look for what it had
check-durability:
	@$(VM)/setup host
	@$(VM)/durability $(KERNEL)

## check-labels: what SELinux says of new files, on kernels that have it on
check-labels:
	@$(VM)/setup host
	@$(VM)/setup labels
	@$(VM)/labels $(KERNELS)

## check-vm: the machine's own tests: no hang, crash or complaint is a success
check-vm:
	@$(VM)/setup host
	@$(VM)/selftest $(KERNELS)

## fuzz: text, tables and batches as a program under sanitizers, RUNS=10000000 times
fuzz:
	@$(VM)/setup fuzz
	@selftests/fuzz/run $(RUNS)

## bench: measure BENCH="names data reg tables memory disk fio scale" on KERNEL=6.12
bench:
	@$(VM)/setup host
	@$(VM)/setup bench
	@KERNEL=$(KERNEL) CLOCKS="$(CLOCKS)" selftests/bench/run $(BENCH)

## lint: gcc W=1, sparse, checkpatch, shellcheck, layers
lint:
	@$(VM)/setup host
	@$(VM)/setup checkpatch
	@$(VM)/lint

## help: this list
help:
	@sed -n 's/^## \([a-z-]*\): /\1\t/p' $(firstword $(MAKEFILE_LIST)) | \
		expand -t 14

FORCE:
