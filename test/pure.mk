# pure.mk: the pure core and src/machine, compiled once into an archive, and the programs
# that are linked with it. Used by run.sh and fuzz/run.sh, which give
#
#     OUT       the folder for what is made
#     CC        the compiler
#     SANITIZE  what the archive and the programs are compiled with
#     LINK      and what else the programs are linked with; LINK_NAME: one of them
#     PROGRAMS  names below OUT; unit/NAME and fuzz/NAME are made of test/PROGRAM.c

FLAGS = -std=gnu99 -D_GNU_SOURCE -g -O1 $(SANITIZE) -fno-sanitize-recover=all -Wall -Wextra -Werror -Isrc

SOURCES := $(wildcard src/core/*/*.c src/machine/*.c)
HEADERS := $(wildcard src/core/*/*.h src/machine/*.h test/unit/*.h test/fuzz/*.h)
OBJECTS := $(SOURCES:src/%.c=$(OUT)/%.o)
ARCHIVE := $(OUT)/libpadv_core.a

all: $(PROGRAMS:%=$(OUT)/%)

$(OUT)/%.o: src/%.c $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(FLAGS) -c -o $@ $<

$(ARCHIVE): $(OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(OUT)/unit/%: test/unit/%.c $(ARCHIVE) $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(LINK) -o $@ $< $(ARCHIVE) -lm

$(OUT)/fuzz/%: test/fuzz/%.c $(ARCHIVE) $(HEADERS)
	@mkdir -p $(@D)
	$(CC) $(FLAGS) $(LINK) $(LINK_$*) -o $@ $< $(ARCHIVE) -lm

.PHONY: all
.SECONDARY:
