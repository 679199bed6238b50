/*
 * test_machine_files.c
 *		The readers and parsers, and machines that are nothing but garbage.
 */
#include "machine/files.h"
#include "machine/machine_internal.h"
#include "machine/mounts.h"
#include "tap.h"
#include "fake_tree.h"

static void
test_numbers(void)
{
	static const struct
	{
		const char *text;
		bool		valid;
		uint64_t	number;
	}			cases[] = {
		{"0", true, 0}, {"42\n", true, 42}, {"  7 8", true, 7}, {"\t7\t", true, 7},
		{"18446744073709551615", true, UINT64_MAX}, {"00000000000000000000000000000012", true, 12},
		{"18446744073709551616", false, 0}, {"", false, 0}, {" ", false, 0}, {"\n5", false, 0},
		{"-1", false, 0}, {"+1", false, 0}, {"1.5", false, 0}, {"12a", false, 0}, {"0x10", false, 0},
		{"max 100000", false, 0}, {"\xff", false, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		const char *at = cases[i].text;
		uint64_t	number = 0;

		ok(padv_parse_number(&at, &number) == cases[i].valid && number == cases[i].number,
		   "number %d", (int) i);
		ok(cases[i].valid ? at > cases[i].text : at == cases[i].text, "and where it ends");
	}
}

static void
test_cpu_lists(void)
{
	static const struct
	{
		const char *text;
		int			count;		/* 0: not a list */
	}			cases[] = {
		{"0", 1}, {"0-3,8,10-11\n", 7}, {" \t4-7 ", 4}, {"3,1,2", 3}, {"0-3,2-5", 6},
		{"4095", 1}, {"4095-5000", 1}, {"0-4095", 4096}, {"1,99999999999999999999", 1},
		{"4096", 0}, {"", 0}, {"\n", 0}, {",", 0}, {"1,", 0}, {"1-", 0}, {"-1", 0}, {"3-1", 0}, {"0,3-1", 0},
		{"1 - 3", 1}, {"1;2", 0}, {"0-3:1/2", 0}, {"a", 0}, {"1-a", 0}, {"--", 0}, {"99999999999999999999-1", 0},
	};
	PadvCpuSet	cpus;
	char		many[65536] = "";
	size_t		length = 0;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		bool		valid = padv_parse_cpus(cases[i].text, &cpus);

		ok(valid == (cases[i].count > 0) && cpus.count == cases[i].count, "list %d", (int) i);
	}
	padv_parse_cpus("0-3,8,10-11", &cpus);
	ok(cpus.map[0] == 0x0f && cpus.map[1] == 0x0d && cpus.map[2] == 0, "bit map");
	ok(padv_cpu_in(&cpus, 10) && !padv_cpu_in(&cpus, 9), "in it, and not");

	/* endless lists end */
	while (length + 8 < sizeof(many))
		length += (size_t) snprintf(many + length, sizeof(many) - length, "0-4095,");
	many[length - 1] = '\0';
	ok(!padv_parse_cpus(many, &cpus) && cpus.count == 0, "more ranges than there can be");
}

static void
test_files(void)
{
	char		buffer[8];
	char		full[256];
	char	   *whole;
	uint64_t	number;
	size_t		size = 20 * 1024 * 1024;

	tree_begin();
	count_is(padv_read_file(tree_root, "/missing", buffer, sizeof(buffer)), -1, "missing");
	ok(buffer[0] == '\0', "leaves nothing");
	plant("/directory", NULL);
	count_is(padv_read_file(tree_root, "/directory", buffer, sizeof(buffer)), -1, "a directory");
	ok(padv_read_whole(tree_root, "/directory") == NULL, "is not read whole either");
	plant("/empty", "");
	count_is(padv_read_file(tree_root, "/empty", buffer, sizeof(buffer)), 0, "empty");
	ok(!padv_read_line(tree_root, "/empty", buffer, sizeof(buffer)), "has no line");
	whole = padv_read_whole(tree_root, "/empty");
	ok(whole != NULL && whole[0] == '\0', "empty, as a whole");
	free(whole);
	plant("/long", "123456789\n");
	count_is(padv_read_file(tree_root, "/long", buffer, sizeof(buffer)), 7, "as much as fits");
	ok(strcmp(buffer, "1234567") == 0, "ended with a NUL");
	plant("/lines", "one\ntwo\n");
	ok(padv_read_line(tree_root, "/lines", buffer, sizeof(buffer)) && strcmp(buffer, "one") == 0, "a line");
	plant("/number", "12\n");
	ok(padv_read_number(tree_root, "/number", &number) && number == 12, "a number");
	plant("/number", "12 13\n");
	ok(!padv_read_number(tree_root, "/number", &number), "two are not one");
	tree_write("/number", "1\0002", 3);
	ok(!padv_read_number(tree_root, "/number", &number), "binary is not one");

	/* nobody ever writes into it: reading must not wait for that */
	snprintf(full, sizeof(full), "%s/pipe", tree_root);
	if (mkfifo(full, 0666) != 0)
		fail("create", full);
	ok(padv_read_file(tree_root, "/pipe", buffer, sizeof(buffer)) <= 0, "a pipe");
	plant("/secret", "5\n");
	snprintf(full, sizeof(full), "%s/secret", tree_root);
	chmod(full, 0);
	ok(padv_read_number(tree_root, "/secret", &number) == (geteuid() == 0), "without permission");

	whole = malloc(size);
	memset(whole, 'x', size);
	tree_write("/huge", whole, size);
	free(whole);
	whole = padv_read_whole(tree_root, "/huge");
	ok(whole != NULL && strlen(whole) == 16 * 1024 * 1024, "huge, up to a bound");
	free(whole);
	tree_end();
}

static void
test_paths(void)
{
	char		path[PADV_PATH];
	char		longest[PADV_PATH + 8];
	char		text[16];

	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	ok(padv_join(path, "/a", "/", "b") && strcmp(path, "/a/b") == 0, "join");
	ok(!padv_join(path, longest, "", "") && path[0] == '\0', "join what does not fit");
	ok(!padv_exists("", longest), "nothing there");
	ok(padv_list_directory("", longest) == NULL, "and nothing in it");
	ok(padv_is_below("/a/b", "/a") && padv_is_below("/a", "/a") && padv_is_below("/a", "/"), "below");
	ok(!padv_is_below("/ab", "/a") && !padv_is_below("/", "/a"), "not below");
	ok(padv_in_list("cpu,cpuacct", "cpuacct") && padv_in_list("rw,cpu", "cpu"), "in a list");
	ok(!padv_in_list("cpuset,rw", "cpu") && !padv_in_list("", "cpu"), "not in a list");
	ok(strcmp(padv_base_name("/a/b"), "b") == 0 && strcmp(padv_base_name("b"), "b") == 0, "base name");
	padv_shorten(text, sizeof(text), "/0123456789/abc");
	ok(strcmp(text, "/0123456789/abc") == 0, "short enough");
	padv_shorten(text, sizeof(text), "/0123456789/abcd");
	ok(strcmp(text, "/012...789/abcd") == 0, "shortened: %s", text);
	ok(padv_find_line("a 1\nab 2\nb 3", "b ") != NULL &&
	   strcmp(padv_find_line("a 1\nab 2\nb 3", "b "), "3") == 0, "a line by its key");
	ok(padv_find_line("a 1\n", "c") == NULL && padv_find_line("", "c") == NULL, "no such line");
}

static void
test_directories(void)
{
	PadvNames  *names;
	char		resolved[PADV_PATH];
	char		long_name[80];

	tree_begin();
	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	plant("/d/sdaa", "");
	plant("/d/sdz", "");
	plant("/d/sda", NULL);
	plant("/d/.hidden", "");
	plant_at("", "/d/%s", long_name);
	names = padv_list_directory(tree_root, "/d");
	count_is(names ? names->count : -1, 3, "names");
	ok(names && strcmp(names->names[0], "sda") == 0 && strcmp(names->names[2], "sdaa") == 0, "in order");
	free(names);
	ok(padv_list_directory(tree_root, "/d/sdz") == NULL, "a file is no directory");
	names = padv_list_directory(tree_root, "/d/sda");
	count_is(names ? names->count : -1, 0, "an empty directory");
	free(names);

	plant("/d/in", "-> sda");
	plant("/d/out", "-> /usr");
	padv_resolve(tree_root, "/d/in", resolved);
	ok(strcmp(resolved, "/d/sda") == 0, "a link inside");
	padv_resolve(tree_root, "/d/out", resolved);
	ok(strcmp(resolved, "/d/out") == 0, "a link out of the root");
	padv_resolve(tree_root, "/nowhere", resolved);
	ok(strcmp(resolved, "/nowhere") == 0, "what is not there");
	padv_resolve("/nowhere", "/x", resolved);
	ok(strcmp(resolved, "/x") == 0, "a root that is not there");
	padv_resolve("/", "/usr/../usr", resolved);
	ok(strcmp(resolved, "/usr") == 0, "the root of everything");
	tree_end();
}

static void
test_mounts(void)
{
	static const char *const broken[] = {
		"", "22\n", "22 1 8:0 / /\n", "22 1 8:0 / / rw\n", "22 1 8:0 / / rw -\n", "22 1 8:0 / / rw - ext4\n",
		"22 1 8:0 / / rw - ext4 /dev/sda\n", "22 1 8 / / rw - ext4 /dev/sda rw\n", "22 1 8:0x / / rw - ext4 /dev/sda rw\n",
		"22 1 :0 / / rw - ext4 /dev/sda rw\n", "22 1 8: / / rw - ext4 /dev/sda rw\n",
		"22 1 99999999999:0 / / rw - ext4 /dev/sda rw\n", "22 1 8:0 / point rw - ext4 /dev/sda rw\n",
		"22 1 8:0 / /a\\000b rw - ext4 /dev/sda rw\n", "22 1 8:0 / / rw shared:1 ext4 /dev/sda rw\n",
	};
	const char *cursor;
	PadvMount	mount;

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++)
	{
		cursor = broken[i];
		ok(!padv_next_mount(&cursor, &mount) && *cursor == '\0', "broken line %d", (int) i);
	}
	cursor = "garbage\n\n22 1 8:1 /a\\134b /c\\040d rw shared:1 master:2 - ext4  rw,x\n23 1 0:5 / /\\9 rw - tmpfs none rw";
	ok(padv_next_mount(&cursor, &mount), "a line after garbage");
	ok(mount.major == 8 && mount.minor == 1 && strcmp(mount.root, "/a\\b") == 0 &&
	   strcmp(mount.point, "/c d") == 0 && strcmp(mount.type, "ext4") == 0 &&
	   mount.source[0] == '\0' && strcmp(mount.options, "rw,x") == 0, "its fields");
	ok(padv_next_mount(&cursor, &mount) && strcmp(mount.point, "/\\9") == 0, "a line without its end");
	ok(!padv_next_mount(&cursor, &mount), "no more");
}

/* A small generator, so that every run is the same (Marsaglia 2003). */
static uint32_t
next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/*
 * Write a file that is spoilt: cut off, filled with bytes, or with one to four
 * bytes changed.
 */
static void
spoil(const FakeFile *file, int round, uint32_t *state)
{
	static const char likely[] = "0123456789-:,/ \n\t\\.%x";
	size_t		length = strlen(file->content);
	char		spoilt[2048];

	memcpy(spoilt, file->content, length);
	if (round < 2)
		length = (size_t) round;
	else if (round < 10)
		length = next_random(state) % length;
	else if (round < 15)
	{
		length = sizeof(spoilt);
		for (size_t i = 0; i < length; i++)
			spoilt[i] = (char) next_random(state);
	}
	else
	{
		for (int changes = round % 4; changes >= 0; changes--)
			spoilt[next_random(state) % length] = likely[next_random(state) % sizeof(likely)];
	}
	tree_write(file->path, spoilt, length);
}

/*
 * Every file that is read, spoilt in turn.  The answer has to fit together
 * whatever is in it, and the sanitizers watch.
 */
static void
test_garbage(void)
{
	static const FakeFile files[] = {
		{"/sys/devices/system/cpu/online", "0-3\n"},
		{"/sys/devices/system/cpu/cpu0/topology/core_cpus_list", "0,2\n"},
		{"/sys/devices/system/cpu/cpu3/topology/core_cpus_list", "1,3\n"},
		{"/proc/cpuinfo", "processor\t: 0\nphysical id\t: 0\ncore id\t\t: 0\n\nprocessor\t: 1\ncore id\t\t: 1\n"},
		{"/proc/self/status", "Name:\tx\nCpus_allowed_list:\t0-3\n"},
		{"/proc/self/cgroup", "2:cpu,cpuacct:/pg/a\n1:cpuset:/\n0::/pg\n"},
		{"/proc/self/mountinfo",
			"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 0:5 / /pgdata/pg_wal rw - btrfs /dev/sda1 rw\n"
			"24 22 0:26 / /cg2 rw - cgroup2 cgroup2 rw\n25 22 0:27 / /cg1 rw - cgroup cgroup rw,cpu,cpuacct\n"
		"26 22 0:28 / /cg\\0403 rw - cgroup cgroup rw,cpuset\n"},
		{"/cg2/pg/cpu.max", "150000 100000\n"},
		{"/cg2/pg/cpu.stat", "usage_usec 5\n"},
		{"/cg2/pg/cpuset.cpus.effective", "0-3\n"},
		{"/cg1/pg/cpu.cfs_quota_us", "50000\n"},
		{"/cg1/pg/cpu.cfs_period_us", "100000\n"},
		{"/cg1/pg/cpuacct.usage", "5000000\n"},
		{"/cg 3/cpuset.cpus", "0-3\n"},
		{"/sys/block/sda/queue/rotational", "1\n"},
		{"/sys/block/sda/device/vendor", "QEMU\n"},
		{"/sys/block/sda/stat", "1 2 3 4 5 6 7 8 9 10 11\n"},
		{"/sys/class/block/sda1/dev", "8:1\n"},
		{"/sys/devices/virtual/block/md0/md/dev-sda/state", "in_sync\n"},
		{"/sys/devices/virtual/block/md0/md/level", "raid1\n"},
		{"/sys/devices/virtual/block/dm-0/dm/name", "vg-lv\n"},
		{"/proc/stat", "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\ncpu3 1 2 3 4 5 6 7 8\n"},
		{"/proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=5\n"},
		{NULL, NULL}
	};
	uint32_t	state = 20260101;
	PadvMachineCounters counters;

	tree_begin();
	plant_cpus(4);
	plant("/pgdata/pg_wal", NULL);
	plant("/mnt", NULL);
	plant("/pgdata/pg_tblspc/1", "-> /mnt");
	plant_disk("8:0", "sda", "1\n");
	plant_partition("8:1", "sda1", "sda");
	plant_stack("9:0", "md0", "sda");
	plant_stack("253:0", "dm-0", "md0");
	plant_all(files);
	read_machine("before it is spoilt", "/pgdata");
	near(machine.cores, 0.5, 0, "what it grants");

	for (const FakeFile *file = files; file->path != NULL; file++)
	{
		int			unsound = 0;

		for (int round = 0; round < 40; round++)
		{
			spoil(file, round, &state);
			memset(&machine, 0x5a, sizeof(machine));
			padv_machine_read(&machine, tree_root, "/pgdata");
			padv_machine_read_counters(&machine, &counters);
			unsound += !is_sound_machine(&machine);
		}
		plant(file->path, file->content);
		ok(unsound == 0, "%s spoilt", file->path);
	}
	tree_end();
}

int
main(void)
{
	test_numbers();
	test_cpu_lists();
	test_files();
	test_paths();
	test_directories();
	test_mounts();
	test_garbage();
	return tap_end();
}
