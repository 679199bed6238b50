/*
 * fuzz_machine.c
 *		libFuzzer on all that is read of /proc and /sys.
 *
 * The input is a tree of files in text, see seeds/machine.  The calls by which
 * the machine room reads files are taken by the linker to those below (--wrap),
 * which know no file but the tree's, so nothing of this machine is read, and
 * nothing is written.
 *
 * Copyright (c) 2026, pool_advisor contributors
 */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "fuzz.h"
#include "machine/files.h"
#include "machine/machine.h"
#include "../unit/sound_machine.h"

/* The tree can be seen from here, and from "/". */
#define ROOT "/fuzz"

#define MOST_FILES 256
#define LONGEST 4096
#define MOST_LINKS 40
#define MOST_OPEN 8
#define FIRST_FD (1 << 20)

typedef enum Kind
{
	MISSING, FOLDER, FILE_OF_TEXT, LINK
} Kind;

typedef struct Node
{
	Kind		kind;
	const char *path;			/* with a slash in front, none behind */
	size_t		path_length;
	const char *content;		/* of a link: where it leads */
	size_t		length;
} Node;

typedef struct Handle
{
	const Node *node;			/* NULL: free */
	size_t		offset;
} Handle;

/* A folder that is being listed, one at a time for each level of recursion. */
typedef struct Listing
{
	bool		used;
	char		path[LONGEST];
	int			next;
	struct dirent entry;
} Listing;

static bool wrapped;			/* not while libFuzzer looks after itself */
static Node nodes[MOST_FILES];
static int	nnodes;
static Handle handles[MOST_OPEN];
static Listing listings[32];

/* --- the tree ------------------------------------------------------------- */

/* A line "@/path", "@/path/" or "@/path -> target", and what follows it. */
static void
add_node(const char *head, size_t head_length, const char *content, size_t length)
{
	Node	   *node = &nodes[nnodes];
	const char *arrow = memmem(head, head_length, " -> ", 4);

	if (nnodes == MOST_FILES || head_length < 2 || head[0] != '/' || head_length >= LONGEST)
		return;
	*node = (Node) {FILE_OF_TEXT, head, head_length, content, length};
	if (arrow != NULL)
	{
		node->kind = LINK;
		node->path_length = (size_t) (arrow - head);
		node->content = arrow + 4;
		node->length = head_length - node->path_length - 4;
	}
	while (node->path_length > 1 && head[node->path_length - 1] == '/')
	{
		node->kind = FOLDER;
		node->path_length--;
	}
	nnodes++;
}

static void
plant_tree(const char *text, size_t size)
{
	const char *end = text + size;

	nnodes = 0;
	while (text < end && *text == '@')
	{
		const char *line_end = memchr(text, '\n', (size_t) (end - text));
		const char *content = line_end ? line_end + 1 : end;
		const char *next = content;

		while (next < end && *next != '@')
		{
			const char *newline = memchr(next, '\n', (size_t) (end - next));

			next = newline ? newline + 1 : end;
		}
		add_node(text + 1, (size_t) ((line_end ? line_end : end) - text - 1),
				 content, (size_t) (next - content));
		text = next;
	}
}

/* What is at a path without links; a folder may be there for what is in it. */
static Kind
look_up(const char *path, const Node **found)
{
	size_t		length = strlen(path);
	Kind		kind = length == 0 ? FOLDER : MISSING;

	*found = NULL;
	for (int i = 0; i < nnodes; i++)
	{
		const Node *node = &nodes[i];

		if (node->path_length < length || memcmp(node->path, path, length) != 0)
			continue;
		if (node->path_length == length)
		{
			*found = node;
			return node->kind;
		}
		if (node->path[length] == '/')
			kind = FOLDER;
	}
	return kind;
}

/* Take the first name off *rest. */
static bool
next_name(char *rest, char name[LONGEST])
{
	size_t		skip = strspn(rest, "/");
	size_t		length = strcspn(rest + skip, "/");

	memcpy(name, rest + skip, length);
	name[length] = '\0';
	memmove(rest, rest + skip + length, strlen(rest + skip + length) + 1);
	return length > 0;
}

/*
 * Follow links; *real has no slash behind, and *below whether it is seen from
 * below ROOT.  A link with a slash in front leads out of there.
 */
static Kind
follow(const char *path, char real[LONGEST], bool *below, const Node **node, bool last_too)
{
	char		rest[2 * LONGEST];
	char		name[LONGEST];
	Kind		kind = FOLDER;
	int			links = 0;

	*node = NULL;
	*below = strncmp(path, ROOT, strlen(ROOT)) == 0 && strchr("/", path[strlen(ROOT)]) != NULL;
	if (strlen(path) >= LONGEST)
		return MISSING;
	strcpy(rest, path + (*below ? strlen(ROOT) : 0));
	real[0] = '\0';
	while (next_name(rest, name))
	{
		size_t		length = strlen(real);

		if (kind != FOLDER || strlen(real) + strlen(name) + 2 > LONGEST)
			return MISSING;
		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0)
		{
			*(length > 0 ? strrchr(real, '/') : real) = '\0';
			continue;
		}
		snprintf(real + length, LONGEST - length, "/%s", name);
		kind = look_up(real, node);
		if (kind == MISSING)
			return MISSING;
		if (kind == LINK && (last_too || rest[strspn(rest, "/")] != '\0'))
		{
			char		target[2 * LONGEST];

			if (++links > MOST_LINKS || (*node)->length + strlen(rest) + 2 > LONGEST ||
				(*node)->length == 0)
				return MISSING;
			snprintf(target, sizeof(target), "%.*s/%s", (int) (*node)->length,
					 (*node)->content, rest);
			strcpy(rest, target);
			real[rest[0] == '/' ? 0 : length] = '\0';
			if (rest[0] == '/')
				*below = false;
			kind = FOLDER;
		}
	}
	return kind;
}

/* --- the calls ------------------------------------------------------------ */

extern int	__real_open(const char *path, int flags, ...);
extern int	__wrap_open(const char *path, int flags, ...);
extern ssize_t __real_read(int fd, void *buffer, size_t size);
extern ssize_t __wrap_read(int fd, void *buffer, size_t size);
extern int	__real_close(int fd);
extern int	__wrap_close(int fd);
extern int	__real_stat(const char *path, struct stat *buffer);
extern int	__wrap_stat(const char *path, struct stat *buffer);
extern char *__real_realpath(const char *path, char *resolved);
extern char *__wrap_realpath(const char *path, char *resolved);
extern ssize_t __real_readlink(const char *path, char *buffer, size_t size);
extern ssize_t __wrap_readlink(const char *path, char *buffer, size_t size);
extern DIR *__real_opendir(const char *path);
extern DIR *__wrap_opendir(const char *path);
extern struct dirent *__real_readdir(DIR *directory);
extern struct dirent *__wrap_readdir(DIR *directory);
extern int	__real_closedir(DIR *directory);
extern int	__wrap_closedir(DIR *directory);

int
__wrap_open(const char *path, int flags, ...)
{
	char		real[LONGEST];
	const Node *node;
	bool		below;
	va_list		args;
	int			mode;

	va_start(args, flags);
	mode = va_arg(args, int);
	va_end(args);
	if (!wrapped)
		return __real_open(path, flags, mode);
	if (follow(path, real, &below, &node, true) == FILE_OF_TEXT)
	{
		for (int i = 0; i < MOST_OPEN; i++)
		{
			if (handles[i].node == NULL)
			{
				handles[i] = (Handle) {node, 0};
				return FIRST_FD + i;
			}
		}
	}
	errno = ENOENT;
	return -1;
}

ssize_t
__wrap_read(int fd, void *buffer, size_t size)
{
	Handle	   *handle;
	size_t		left;

	if (!wrapped)
		return __real_read(fd, buffer, size);
	must(fd >= FIRST_FD && fd < FIRST_FD + MOST_OPEN);
	handle = &handles[fd - FIRST_FD];
	must(handle->node != NULL);
	left = handle->node->length - handle->offset;

	/* the kernel gives no more than a page at a time of such files */
	if (size > 4096)
		size = 4096;
	if (size > left)
		size = left;
	memcpy(buffer, handle->node->content + handle->offset, size);
	handle->offset += size;
	return (ssize_t) size;
}

int
__wrap_close(int fd)
{
	if (!wrapped)
		return __real_close(fd);
	must(fd >= FIRST_FD && fd < FIRST_FD + MOST_OPEN && handles[fd - FIRST_FD].node != NULL);
	handles[fd - FIRST_FD].node = NULL;
	return 0;
}

int
__wrap_stat(const char *path, struct stat *buffer)
{
	char		real[LONGEST];
	const Node *node;
	bool		below;
	Kind		kind;

	if (!wrapped)
		return __real_stat(path, buffer);
	kind = follow(path, real, &below, &node, true);
	memset(buffer, 0, sizeof(*buffer));
	buffer->st_dev = makedev(8, 1);
	buffer->st_mode = kind == FOLDER ? S_IFDIR : S_IFREG;
	errno = ENOENT;
	return kind == MISSING ? -1 : 0;
}

char *
__wrap_realpath(const char *path, char *resolved)
{
	char		real[LONGEST];
	const Node *node;
	bool		below;
	char	   *copy;

	if (!wrapped)
		return __real_realpath(path, resolved);
	must(resolved == NULL);
	errno = ENOENT;
	if (follow(path, real, &below, &node, true) == MISSING)
		return NULL;
	copy = malloc(sizeof(ROOT) + strlen(real) + 1);
	if (copy != NULL)
		sprintf(copy, "%s%s", below ? ROOT : real[0] == '\0' ? "/" : "", real);
	return copy;
}

ssize_t
__wrap_readlink(const char *path, char *buffer, size_t size)
{
	char		real[LONGEST];
	const Node *node;
	bool		below;

	if (!wrapped)
		return __real_readlink(path, buffer, size);
	errno = EINVAL;
	if (follow(path, real, &below, &node, false) != LINK)
		return -1;
	if (size > node->length)
		size = node->length;
	memcpy(buffer, node->content, size);
	return (ssize_t) size;
}

DIR *
__wrap_opendir(const char *path)
{
	const Node *node;
	bool		below;

	if (!wrapped)
		return __real_opendir(path);
	errno = ENOENT;
	for (size_t i = 0; i < sizeof(listings) / sizeof(listings[0]); i++)
	{
		Listing    *listing = &listings[i];

		if (listing->used)
			continue;
		if (follow(path, listing->path, &below, &node, true) != FOLDER)
			return NULL;
		listing->used = true;
		listing->next = 0;
		return (DIR *) listing;
	}
	return NULL;
}

/* Names come as often as there are files below them, which does no harm. */
struct dirent *
__wrap_readdir(DIR *directory)
{
	Listing    *listing = (Listing *) directory;
	size_t		length;

	if (!wrapped)
		return __real_readdir(directory);
	length = strlen(listing->path);
	while (listing->next < nnodes)
	{
		const Node *node = &nodes[listing->next++];
		const char *name = node->path + length + 1;
		size_t		name_length = 0;

		if (node->path_length <= length + 1 || memcmp(node->path, listing->path, length) != 0 ||
			node->path[length] != '/')
			continue;
		while (name_length < node->path_length - length - 1 && name[name_length] != '/')
			name_length++;
		if (name_length == 0 || name_length >= sizeof(listing->entry.d_name))
			continue;
		memcpy(listing->entry.d_name, name, name_length);
		listing->entry.d_name[name_length] = '\0';
		return &listing->entry;
	}
	return NULL;
}

int
__wrap_closedir(DIR *directory)
{
	if (!wrapped)
		return __real_closedir(directory);
	must(((Listing *) directory)->used);
	((Listing *) directory)->used = false;
	return 0;
}

/* --- the test ------------------------------------------------------------- */

static bool
is_counter(double value)
{
	return value == -1.0 || (isfinite(value) && value >= 0.0);
}

static void
read_all(const char *root)
{
	static PadvMachine machine;
	PadvMachineCounters counters;
	uint64_t	run = 0;
	uint64_t	delay = 0;

	memset(&machine, 0x5a, sizeof(machine));
	padv_machine_read(&machine, root, "/data");
	must(is_sound_machine(&machine));
	must(padv_machine_same_counters(&machine, &machine));
	must(strnlen(machine.cgroup_usage_file, PADV_USAGE_FILE) < PADV_USAGE_FILE);

	padv_machine_read_counters(&machine, &counters);
	must(is_counter(counters.cpu_busy) && is_counter(counters.cpu_idle) &&
		 is_counter(counters.cpu_iowait) && is_counter(counters.cgroup_cpu) &&
		 is_counter(counters.disk_read) && is_counter(counters.disk_read_count) && is_counter(counters.pressure_cpu) &&
		 is_counter(counters.pressure_io));
	if (!padv_process_read_schedule(root, 1, &run, &delay))
		must(run == 0 && delay == 0);
	else
		must(run > 0);
	(void) padv_process_is_asleep(root, 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	plant_tree((const char *) data, size);
	wrapped = true;
	read_all(ROOT);
	read_all("");
	wrapped = false;

	/* nothing stays open */
	for (int i = 0; i < MOST_OPEN; i++)
		must(handles[i].node == NULL);
	for (size_t i = 0; i < sizeof(listings) / sizeof(listings[0]); i++)
		must(!listings[i].used);
	return 0;
}
