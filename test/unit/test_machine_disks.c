/*
 * test_machine_disks.c
 *		Which disks a made-up machine has under its data, and what they are.
 */
#include "tap.h"
#include "fake_tree.h"

#define ON_ROOT " is on / (ext4), /proc/self/mountinfo"
#define SPINDLES "rotational disks that hold data; what a hypervisor or a RAID controller " \
	"hides is not seen: pool_advisor.spindles overrides"
#define UNKNOWN "no disk under the data tells whether it rotates; pool_advisor.spindles can say how many there are"

static void
plant_data(void)
{
	plant("/pgdata/pg_wal", NULL);
	plant("/pgdata/pg_tblspc", NULL);
}

static void
read_disks(const char *name)
{
	read_machine(name, "/pgdata");
}

static const PadvDisk *
find_disk(const char *name)
{
	static const PadvDisk none;

	for (int i = 0; i < machine.ndisks; i++)
	{
		if (strcmp(machine.disks[i].name, name) == 0)
			return &machine.disks[i];
	}
	return &none;
}

static void
test_laptop(void)
{
	tree_begin();
	plant_data();
	plant_disk("259:0", "nvme0n1", "0\n");
	plant_partition("259:2", "nvme0n1p2", "nvme0n1");
	plant("/proc/self/mountinfo", "22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw\n");
	read_disks("laptop");
	count_is(machine.ndisks, 1, "disks");
	count_is(machine.spindles, 0, "spindles");
	ok(machine.disks_known, "known to be none");
	ok(find_disk("nvme0n1")->holds_data && !find_disk("nvme0n1")->rotational, "what the disk is");
	fact_is("data directory", "nvme0n1p2 on nvme0n1", "/pgdata" ON_ROOT);
	fact_is("WAL", "nvme0n1p2 on nvme0n1", "/pgdata/pg_wal" ON_ROOT);
	fact_is("disk nvme0n1", "not rotational", "/sys/block/nvme0n1/queue/rotational");
	fact_is("spindles", "0", "no disk that holds data is rotational");
	tree_end();
}

/* As Podman shows it: /sys/dev/block is there, but empty. */
static void
test_container(void)
{
	tree_begin();
	plant_data();
	plant_disk("8:0", "sda", "0\n");
	plant_disk("8:16", "sdb", "1\n");
	plant_partition("8:17", "sdb1", "sdb");
	plant("/proc/self/mountinfo",
		  "22 1 0:50 / / rw - overlay overlay rw\n"
		  "30 22 8:17 /volumes/pg /pgdata rw - ext4 /dev/sdb1 rw\n");
	uproot("/sys/dev/block");
	plant("/sys/dev/block", NULL);
	read_disks("container");
	count_is(machine.ndisks, 1, "disks");
	count_is(machine.spindles, 1, "spindles");
	fact_is("data directory", "sdb1 on sdb", "/pgdata is on /pgdata (ext4), /proc/self/mountinfo");
	tree_end();
}

/* LVM on an md RAID of 8 disks; WAL on an SSD, a tablespace on one more disk. */
static void
plant_server(void)
{
	static const FakeFile files[] = {
		{"/sys/devices/virtual/block/dm-0/dm/name", "vg0-data\n"},
		{"/sys/devices/virtual/block/dm-0/dm/uuid", "LVM-ySRkQX0QyH2fpRoJg7p\n"},
		{"/sys/devices/virtual/block/md127/md/level", "raid10\n"},
		{"/proc/self/mountinfo",
			"22 1 8:129 / / rw shared:1 - ext4 /dev/sdi1 rw\n"
			"30 22 253:0 / /srv/pg rw - xfs /dev/mapper/vg0-data rw\n"
			"31 22 8:129 /wal /srv/pg/wal rw - ext4 /dev/sdi1 rw\n"
		"32 22 8:144 / /mnt/ts rw - xfs /dev/sdj rw\n"},
		{"/pgdata", "-> srv/pg/main"},
		{"/srv/pg/main/pg_wal", "-> ../wal"},
		{"/srv/pg/wal", NULL},
		{"/srv/pg/main/pg_tblspc/16400", "-> /mnt/ts/more"},
		{"/srv/pg/main/pg_tblspc/9000", "-> ../../other"},
		{"/mnt/ts/more", NULL},
		{"/srv/pg/other", NULL},
		{NULL, NULL}
	};

	for (int i = 0; i < 8; i++)
	{
		char		number[16];
		char		disk[8];
		char		partition[8];

		snprintf(disk, sizeof(disk), "sd%c", 'a' + i);
		snprintf(partition, sizeof(partition), "sd%c1", 'a' + i);
		snprintf(number, sizeof(number), "8:%d", i * 16);
		plant_disk(number, disk, "1\n");
		snprintf(number, sizeof(number), "8:%d", i * 16 + 1);
		plant_partition(number, partition, disk);
		plant_at("in_sync\n", "/sys/devices/virtual/block/md127/md/dev-%s/state", partition);
	}
	plant_disk("8:128", "sdi", "0\n");
	plant_partition("8:129", "sdi1", "sdi");
	plant_disk("8:144", "sdj", "1\n");
	plant_stack("9:127", "md127", "sda1 sdb1 sdc1 sdd1 sde1 sdf1 sdg1 sdh1");
	plant_stack("253:0", "dm-0", "md127");
	plant_all(files);
}

static void
test_server(void)
{
	tree_begin();
	plant_server();
	read_disks("server");
	count_is(machine.ndisks, 10, "disks");
	count_is(machine.spindles, 9, "spindles");
	ok(!find_disk("sdi")->holds_data && find_disk("sdj")->holds_data, "who holds data");
	fact_is("data directory",
			"dm-0 (LVM vg0-data) on md127 (raid10) on sda, sdb, sdc, sdd, sde, sdf, sdg, sdh",
			"/srv/pg/main is on /srv/pg (xfs), /proc/self/mountinfo");
	fact_is("WAL", "sdi1 on sdi", "/srv/pg/wal is on /srv/pg/wal (ext4), /proc/self/mountinfo");
	fact_is("tablespace 16400", "sdj", "/mnt/ts/more is on /mnt/ts (xfs), /proc/self/mountinfo");
	ok(find_fact("tablespace 9000") < find_fact("tablespace 16400"), "tablespaces are in order");
	fact_is("disk sdh", "rotational", "/sys/block/sdh/queue/rotational");
	fact_is("disk sdi", "not rotational", "/sys/block/sdi/queue/rotational; holds WAL only");
	fact_is("spindles", "9", SPINDLES);

	/* one stands by, one is broken, one is being written anew */
	plant("/sys/devices/virtual/block/md127/md/dev-sdf1/state", "spare\n");
	plant("/sys/devices/virtual/block/md127/md/dev-sdg1/state", "faulty,blocked\n");
	plant("/sys/devices/virtual/block/md127/md/dev-sdh1/state", "write_mostly,spare\n");
	read_disks("members that hold nothing");
	count_is(machine.spindles, 6, "spindles");
	fact_is("data directory", "dm-0 (LVM vg0-data) on md127 (raid10) on sda, sdb, sdc, sdd, sde",
			"/srv/pg/main is on /srv/pg (xfs), /proc/self/mountinfo");

	/* a rotating disk for WAL alone is none that readers wait for */
	plant("/sys/devices/pci0000:00/host0/block/sdi/queue/rotational", "1\n");
	read_disks("rotating WAL");
	count_is(machine.spindles, 6, "spindles");
	tree_end();
}

/* Links as a test may lay them: absolute, with and without the root. */
static void
test_links(void)
{
	char		target[256];

	tree_begin();
	plant_disk("8:0", "sda", "1\n");
	plant_disk("8:16", "sdb", "1\n");
	plant("/proc/self/mountinfo", "22 1 8:0 / / rw - ext4 /dev/sda rw\n23 1 8:16 / /wal rw - ext4 /dev/sdb rw\n");
	plant("/wal/pg", NULL);
	plant("/pgdata/pg_tblspc", NULL);
	plant("/pgdata/pg_wal", "-> /wal/pg");
	read_disks("absolute link");
	fact_is("WAL", "sdb", "/wal/pg is on /wal (ext4), /proc/self/mountinfo");

	snprintf(target, sizeof(target), "-> %s/wal/pg", tree_root);
	plant("/pgdata/pg_wal", target);
	read_disks("absolute link with the root");
	fact_is("WAL", "sdb", "/wal/pg is on /wal (ext4), /proc/self/mountinfo");

	plant("/pgdata/pg_wal", "-> ../wal/nowhere");
	read_disks("dangling link");
	fact_is("WAL", "sda", "/pgdata/pg_wal" ON_ROOT);

	plant("/pgdata/pg_wal", "-> /pgdata/pg_wal");
	plant("/pgdata/pg_tblspc/1", "-> 1");
	read_disks("links in circles");
	fact_is("WAL", "sda", "/pgdata/pg_wal" ON_ROOT);
	fact_is("tablespace 1", "sda", "/pgdata/pg_tblspc/1" ON_ROOT);
	tree_end();
}

/* Only /proc and /sys are made up; the data is really there. */
static void
test_real_data(void)
{
	char		data[64];
	char		wal[128];
	char		mounts[256];

	tree_begin();
	plant("/data/pg_tblspc/77", NULL);
	plant("/elsewhere", NULL);
	plant("/data/pg_wal", "-> ../elsewhere");
	snprintf(data, sizeof(data), "%s", tree_root);
	tree_begin();
	snprintf(wal, sizeof(wal), "%s/elsewhere", data);
	snprintf(mounts, sizeof(mounts), "22 1 8:0 / / rw - ext4 /dev/sda rw\n"
			 "23 1 8:16 / %s rw - ext4 /dev/sdb rw\n", wal);
	plant("/proc/self/mountinfo", mounts);
	plant_disk("8:0", "sda", "1\n");
	plant_disk("8:16", "sdb", "1\n");
	snprintf(wal, sizeof(wal), "%s/data", data);
	read_machine("real data", wal);
	ok(strcmp(find_fact("data directory")->value, "sda") == 0, "data directory");
	ok(strcmp(find_fact("tablespace 77")->value, "sda") == 0, "tablespace");
	ok(strcmp(find_fact("WAL")->value, "sdb") == 0, "its link is followed");
	tree_end();
	snprintf(tree_root, sizeof(tree_root), "%s", data);
	tree_end();
}

/* File systems without a device number of their own. */
static void
test_no_number(void)
{
	tree_begin();
	plant_data();
	plant_disk("8:0", "sda", "1\n");
	plant_partition("8:2", "sda2", "sda");
	plant_disk("8:16", "sdb", "1\n");
	plant("/proc/self/mountinfo", "22 1 0:35 /@pg / rw - btrfs /dev/sda2 rw,subvol=/@pg\n");
	read_disks("btrfs");
	count_is(machine.spindles, 1, "spindles");
	fact_is("data directory", "sda2 on sda", "/pgdata is on / (btrfs), /proc/self/mountinfo");

	plant("/sys/fs/btrfs/features/raid1c34", "0\n");
	plant("/sys/fs/btrfs/0f-42/devices/sda2", "-> ../../../../class/block/sda2");
	read_disks("btrfs with a list of one device");
	fact_is("data directory", "sda2 on sda", "/pgdata is on / (btrfs), /proc/self/mountinfo");

	plant("/sys/fs/btrfs/0f-42/devices/sdb", "-> ../../../../class/block/sdb");
	read_disks("btrfs on two devices");
	count_is(machine.spindles, 2, "spindles");
	fact_is("data directory", "btrfs on sdb, sda", "/pgdata is on / (btrfs), /proc/self/mountinfo");

	plant("/dev/mapper/luks-1", "-> ../dm-3");
	plant("/dev/dm-3", "");
	plant_stack("253:3", "dm-3", "sdb");
	plant("/sys/devices/virtual/block/dm-3/dm/uuid", "CRYPT-LUKS2-9b\n");
	plant("/sys/devices/virtual/block/dm-3/dm/name", "luks-1\n");
	plant("/proc/self/mountinfo", "22 1 0:35 / / rw - btrfs /dev/mapper/luks-1 rw\n");
	read_disks("btrfs on an encrypted volume");
	fact_is("data directory", "dm-3 (encrypted luks-1) on sdb",
			"/pgdata is on / (btrfs), /proc/self/mountinfo");

	plant("/sys/class/block/dm-3/dev", "../block/8:0");
	read_disks("not a number");
	fact_is("data directory", "btrfs, no disk found", "/pgdata is on / (btrfs), /proc/self/mountinfo");
	ok(!machine.disks_known, "no disk is known");
	tree_end();
}

/* Where there is no disk. */
static void
test_no_disk(void)
{
	static const struct
	{
		const char *mount;
		const char *value;
		const char *type;
	}			cases[] = {
		{"22 1 0:50 / / rw - overlay overlay rw,lowerdir=/a:/b\n", "overlay, which does not tell its disks", "overlay"},
		{"22 1 0:51 / / rw - tmpfs  rw,size=4k\n", "tmpfs, in memory", "tmpfs"},
		{"22 1 0:52 / / rw - nfs4 10.0.0.1:/pg rw\n", "nfs4, over the network", "nfs4"},
		{"22 1 0:53 / / rw - zfs tank/pg rw\n", "zfs, which does not tell its disks", "zfs"},
		{"22 1 0:54 / / rw - fuse.sshfs host:/ rw\n", "fuse.sshfs, no disk found", "fuse.sshfs"},
		{"22 1 8:99 / / rw - ext4 /dev/sdz rw\n", "device 8:99, unknown to /sys", "ext4"},
	};

	tree_begin();
	plant_data();
	plant_disk("8:0", "sda", "1\n");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		char		source[128];

		plant("/proc/self/mountinfo", cases[i].mount);
		read_disks(cases[i].type);
		snprintf(source, sizeof(source), "/pgdata is on / (%s), /proc/self/mountinfo", cases[i].type);
		fact_is("data directory", cases[i].value, source);
		ok(!machine.disks_known && machine.spindles == 0 && machine.ndisks == 0, "no disk is known");
	}

	/* a disk for WAL does not make known what the data is on */
	plant("/proc/self/mountinfo",
		  "22 1 0:52 / / rw - nfs filer:/pg rw\n23 22 8:0 / /pgdata/pg_wal rw - ext4 /dev/sda rw\n");
	read_disks("local WAL, data on the network");
	count_is(machine.ndisks, 1, "disks");
	ok(!machine.disks_known && machine.spindles == 0, "spindles are not known");
	tree_end();
}

/* The layers of a container's image make a long line. */
static void
test_many_layers(void)
{
	char		mounts[9000];

	snprintf(mounts, sizeof(mounts), "22 1 0:50 / / rw - overlay overlay rw,lowerdir=%08192d\n", 0);
	tree_begin();
	plant_data();
	plant("/proc/self/mountinfo", mounts);
	read_disks("overlay with many layers");
	fact_is("data directory", "overlay, which does not tell its disks",
			"/pgdata is on / (overlay), /proc/self/mountinfo");
	tree_end();
}

/* Which mount a path is on. */
static void
test_mounts(void)
{
	tree_begin();
	plant_disk("8:0", "sda", "0\n");
	plant_disk("8:16", "sdb", "0\n");
	plant_disk("8:32", "sdc", "0\n");
	plant("/pg data/main/pg_wal", NULL);
	plant("/pg data/main/pg_tblspc", NULL);
	plant("/proc/self/mountinfo",
		  "22 1 8:0 / / rw - ext4 /dev/sda rw\n"
		  "23 22 8:16 / /pg\\040data rw shared:2 master:1 - ext4 /dev/sdb rw\n"
		  "24 22 8:32 / /pg\\040data/mai rw - ext4 /dev/sdc rw\n"
		  "25 22 8:32 / /pg\\040data/main/pg_wal/archive rw - ext4 /dev/sdc rw\n"
		  "26 22 8:32 / /pg\\040data/main rw - ext4\n");
	read_machine("mount points", "/pg data/main");
	fact_is("data directory", "sdb", "/pg data/main is on /pg data (ext4), /proc/self/mountinfo");

	plant("/proc/self/mountinfo",
		  "22 1 8:0 / / rw - ext4 /dev/sda rw\n"
		  "23 22 8:16 / /pg\\040data rw - ext4 /dev/sdb rw\n"
		  "24 22 8:32 / /pg\\040data rw - ext4 /dev/sdc rw\n");
	read_machine("one mount over another", "/pg data/main");
	fact_is("data directory", "sdc", "/pg data/main is on /pg data (ext4), /proc/self/mountinfo");

	plant("/proc/self/mountinfo",
		  "23 22 8:16 / /database rw - ext4 /dev/sdb rw\n"
		  "24 22 8:32 / /data rw - ext4 /dev/sdc rw\n"
		  "22 1 8:0 / / rw - ext4 /dev/sda rw\n");
	read_machine("the longest mount point comes first", "/database");
	fact_is("data directory", "sdb", "/database is on /database (ext4), /proc/self/mountinfo");
	read_machine("a path that only begins like it", "/databases");
	fact_is("data directory", "sda", "/databases" ON_ROOT);

	plant("/proc/self/mountinfo", "22 1 8:0 / /\\012\\033\\303\\251\\177 rw - ext4 /dev/sda rw\n");
	plant("/\n\033\303\251\177/pg_wal", NULL);
	read_machine("a path that cannot be printed", "/\n\033\303\251\177");
	fact_is("data directory", "sda", "/????? is on /????? (ext4), /proc/self/mountinfo");
	tree_end();
}

/* Stacks that are unusual, or broken. */
static void
test_stacks(void)
{
	tree_begin();
	plant_data();
	plant_disk("8:0", "sda", "1\n");
	plant_disk("8:16", "sdb", "1\n");
	plant_partition("8:1", "sda1", "sda");
	plant_partition("8:2", "sda2", "sda");
	plant("/proc/self/mountinfo", "22 1 253:0 / / rw - ext4 /dev/dm-0 rw\n");

	plant_stack("253:0", "dm-0", "sda1 sda2");
	read_disks("two partitions of one disk");
	count_is(machine.spindles, 1, "spindles");
	fact_is("data directory", "dm-0 on sda", "/pgdata" ON_ROOT);

	plant("/sys/devices/virtual/block/dm-0/slaves/sdb", "-> ../../../../../class/block/sdb");
	plant("/sys/devices/virtual/block/dm-0/dm/uuid", "mpath-3600508b400105e21\n");
	plant("/sys/devices/virtual/block/dm-0/dm/name", "mpatha\n");
	read_disks("multipath");
	count_is(machine.spindles, 1, "spindles");
	fact_is("data directory", "dm-0 (multipath mpatha) on sdb", "/pgdata" ON_ROOT);
	tree_end();

	tree_begin();
	plant_data();
	plant("/proc/self/mountinfo", "22 1 253:0 / / rw - ext4 /dev/dm-0 rw\n");
	plant_stack("253:0", "dm-0", "dm-1 dm-0");
	plant_stack("253:1", "dm-1", "dm-0 dm-1 dm-2");
	plant_stack("253:2", "dm-2", "dm-0 dm-1 gone");
	read_disks("a stack in circles");
	count_is(machine.ndisks, 0, "disks");
	fact_is("data directory", "device 253:0, with no disk under it", "/pgdata" ON_ROOT);
	plant_disk("8:0", "sda", "1\n");
	plant("/sys/devices/virtual/block/dm-2/slaves/sda", "-> ../../../../../class/block/sda");
	read_disks("a disk beside a circle");
	count_is(machine.spindles, 1, "spindles");
	ok(strncmp(find_fact("data directory")->value, "dm-0 on ", 8) == 0, "and is found");
	tree_end();

	tree_begin();
	plant_data();
	plant_disk("8:0", "sda", NULL);
	plant_disk("8:16", "sdb", "1\n");
	plant("/proc/self/mountinfo", "22 1 8:0 / / rw - ext4 /dev/sda rw\n");
	read_disks("a disk that does not tell");
	fact_is("disk sda", "unknown", "/sys/block/sda/queue/rotational; not readable, so not a spindle");
	ok(!machine.disks_known && machine.ndisks == 1, "known, but not what it is");
	fact_is("spindles", "unknown", UNKNOWN);

	plant_stack("9:0", "md0", "sda gone sdb");
	plant("/proc/self/mountinfo", "22 1 9:0 / / rw - ext4 /dev/md0 rw\n");
	read_disks("one that tells, one that does not, and one that is missing");
	fact_is("data directory", "md0 on sda, sdb", "/pgdata" ON_ROOT);
	count_is(machine.spindles, 1, "spindles");
	ok(machine.disks_known, "one is known");
	tree_end();
}

/* What a hypervisor says is counted, and doubted. */
static void
test_virtual(void)
{
#define DOUBT "; the hypervisor reports it, which may be untrue: pool_advisor.spindles overrides"

	tree_begin();
	plant_data();
	plant_disk("254:0", "vda", "1\n");
	plant_disk("8:0", "sda", "1\n");
	plant_disk("8:16", "sdb", "1\n");
	plant_disk("8:32", "sdc", "0\n");
	plant_stack("9:0", "md0", "vda sda sdb sdc");
	plant("/sys/block/sda/device/vendor", "ATA     \n");
	plant("/sys/block/sda/device/model", "QEMU HARDDISK   \n");
	plant("/sys/block/sdb/device/vendor", "SEAGATE \n");
	plant("/sys/block/sdc/device/vendor", "VMware  \n");
	plant("/proc/self/mountinfo", "22 1 9:0 / / rw - ext4 /dev/md0 rw\n");
	read_disks("virtual disks");
	count_is(machine.spindles, 3, "spindles");
	fact_is("disk vda", "rotational", "/sys/block/vda/queue/rotational" DOUBT);
	fact_is("disk sda", "rotational", "/sys/block/sda/queue/rotational" DOUBT);
	fact_is("disk sdb", "rotational", "/sys/block/sdb/queue/rotational");
	fact_is("disk sdc", "not rotational", "/sys/block/sdc/queue/rotational");
	tree_end();
#undef DOUBT
}

/* More of everything than there is room for. */
static void
test_too_many(void)
{
	char		members[4096] = "";
	size_t		length = 0;
	const PadvFact *last;

	tree_begin();
	plant_data();
	for (int i = 0; i < PADV_MAX_DISKS + 10; i++)
	{
		char		name[32];
		char		number[32];

		snprintf(name, sizeof(name), "nvme%dn1", i);
		snprintf(number, sizeof(number), "259:%d", i);
		plant_disk(number, name, "1\n");
		length += (size_t) snprintf(members + length, sizeof(members) - length, " %s", name);
	}
	plant_stack("9:0", "md0", members);
	plant("/proc/self/mountinfo", "22 1 9:0 / / rw - ext4 /dev/md0 rw\n");
	read_disks("many disks");
	count_is(machine.ndisks, PADV_MAX_DISKS, "disks");
	count_is(machine.spindles, PADV_MAX_DISKS, "spindles");
	fact_is("data directory", "md0 on nvme0n1, nvme1n1, nvme2n1, nvme3n1, nvme4n1, nvme5n1, nvme6n1, nvme7n1, "
			"nvme8n1, nvme9n1, nvme10n1, nvme11n1, ...", "/pgdata" ON_ROOT);

	for (int i = 0; i < 300; i++)
		plant_at(NULL, "/pgdata/pg_tblspc/%d", 16384 + i);
	read_disks("many tablespaces");
	last = &machine.facts[machine.nfacts - 1];
	count_is(machine.nfacts, PADV_MAX_FACTS, "facts");
	ok(strcmp(last->fact, "facts left out") == 0 && atoi(last->value) == machine.facts_left_out,
	   "the last one tells of those left out");

	/* 7 about cores, 2 + 300 directories, 128 disks, spindles */
	count_is(machine.facts_left_out, 7 + 302 + 128 + 1 - (PADV_MAX_FACTS - 1), "left out");
	tree_end();

	tree_begin();
	plant_data();
	plant_disk("8:0", "sda", "1\n");
	plant("/proc/self/mountinfo", "22 1 8:0 / / rw - ext4 /dev/sda rw\n");
	for (int i = 0; i < 300; i++)
		plant_at(NULL, "/pgdata/pg_tblspc/%d", 16384 + i);
	read_disks("many tablespaces on one disk");
	fact_is("disk sda", "rotational", "/sys/block/sda/queue/rotational");
	fact_is("spindles", "1", SPINDLES);
	fact_is("facts left out", "245", "there is no room to show them; what they say is counted");
	tree_end();
}

int
main(void)
{
	test_laptop();
	test_container();
	test_server();
	test_links();
	test_real_data();
	test_no_number();
	test_no_disk();
	test_many_layers();
	test_mounts();
	test_stacks();
	test_virtual();
	test_too_many();
	return tap_end();
}
