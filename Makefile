# SPDX-License-Identifier: BSD-3-Clause
# Makefile - plain GNU make, non-recursive.  `make help` lists the targets.
#
# Here stand the flags and how a file becomes an object, a library, a program; tools/targets.mk
# has what one can ask for.  MODE=release|debug|asan|tsan|fuzz|cov chooses the flags; V=1 shows commands.

CC      ?= cc
MODE    ?= release
PREFIX  ?= /usr/local
PYTHON  ?= python3

# --- flags ---------------------------------------------------------------------------------------
WARN    := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla
STD     := -std=c17 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64
INCLUDE := -Isrc -Iinclude
CFLAGS_release := -O3 -g -fno-plt -fstack-protector-strong -D_FORTIFY_SOURCE=2
CFLAGS_debug   := -O0 -g3
CFLAGS_asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -DSLAB_MALLOC
CFLAGS_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -DSLAB_MALLOC -DFUZZING
CFLAGS_tsan    := -O1 -g -fsanitize=thread -fno-omit-frame-pointer -DSLAB_MALLOC -Wno-tsan
CFLAGS_cov     := -O0 -g --coverage
CFLAGS  ?= $(CFLAGS_$(MODE))
WERROR  ?=

# --- libraries: zlib, libcrypto and xxHash are needed, the others are found ------------------------
have     = $(shell pkg-config --exists $(1) 2>/dev/null && echo 1)
PACKAGES := zlib libcrypto
OPTIONAL := libpcap:HAVE_PCAP libzstd:HAVE_ZSTD liblzma:HAVE_LZMA libbrotlidec:HAVE_BROTLI \
	libbpf:HAVE_LIBBPF libseccomp:HAVE_SECCOMP libmaxminddb:HAVE_MAXMINDDB
FOUND    := $(foreach o,$(OPTIONAL),$(if $(call have,$(firstword $(subst :, ,$(o)))),$(o)))
PACKAGES += $(foreach o,$(FOUND),$(firstword $(subst :, ,$(o))))
DEFINES  := $(foreach o,$(FOUND),-D$(lastword $(subst :, ,$(o))))
PKG_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
PKG_LIBS   := $(LDFLAGS) $(shell pkg-config --libs $(PACKAGES) 2>/dev/null) -lm

# Programs for the kernel (src/bpf) need clang, whatever compiles the rest, and libbpf 1.0; without
# them the sensor finds processes by sock_diag.
CLANG_BPF ?= clang
BPF     := $(shell pkg-config --atleast-version=1.0 libbpf 2>/dev/null && command -v $(CLANG_BPF))
DEFINES += $(if $(BPF),-DHAVE_PROCESS_BPF)
BPF_CFLAGS := -target bpf -O2 -g -ffile-prefix-map=$(CURDIR)=. -Wall -Isrc \
	$(addprefix -I,$(wildcard /usr/include/$(shell uname -m)-linux-gnu))

VERSION := $(shell cat VERSION)
ALL_CFLAGS := $(STD) $(WARN) $(WERROR) $(CFLAGS) $(INCLUDE) $(DEFINES) $(PKG_CFLAGS) -fPIC -fvisibility=hidden
ALL_CFLAGS += -DJOY_VERSION='"$(VERSION)"' -DXXH_INLINE_ALL

# Objects lie in a folder named by what made them, so release and sanitizer builds never mix.
KEY     := $(MODE)-$(shell printf '%s' '$(CC) $(ALL_CFLAGS)' | cksum | cut -d' ' -f1)
B       := build/$(KEY)

LIB_SRC := $(filter-out src/cmd/% src/bpf/%,$(sort $(wildcard src/*/*.c)))
CMD_SRC := $(sort $(wildcard src/cmd/*.c))
LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o)
CMD_OBJ := $(CMD_SRC:%.c=$(B)/%.o)
UNIT    := $(patsubst tests/unit/%.c,$(B)/unit/%,$(sort $(wildcard tests/unit/test_*.c)))
FUZZ    := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
HAVE_CMOCKA := $(call have,cmocka)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SECONDARY:
include tools/targets.mk

# A command; without V=1 a word and the file it makes; with make -s neither.
run = $(if $(V),,@$(if $(findstring s,$(firstword -$(MAKEFLAGS))),,printf '  %-3s %s\n' $(1) $@;))

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(ALL_CFLAGS) -include src/base/banned.h -MMD -MP -c -o $@ $<

$(B)/%.bpf.o: %.bpf.c
	@mkdir -p $(@D)
	$(call run,BPF)$(BPF) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<

ifneq ($(BPF),)
$(B)/src/host/process_bpf_object.o: ALL_CFLAGS += -DPROCESS_BPF_OBJECT='"$(B)/src/bpf/process.bpf.o"'
$(B)/src/host/process_bpf_object.o: $(B)/src/bpf/process.bpf.o
endif

$(B)/libjoy.a: $(LIB_OBJ)
	@rm -f $@
	$(call run,AR)ar rcs $@ $^

$(B)/libjoy.so: $(LIB_OBJ) src/api/libjoy.map
	$(call run,CC)$(CC) $(ALL_CFLAGS) -shared -Wl,-soname,libjoy.so.1 -Wl,--version-script=src/api/libjoy.map -o $@ $(LIB_OBJ) $(PKG_LIBS)

$(B)/pcap2flow: $(CMD_OBJ) $(B)/libjoy.a
	$(call run,CC)$(CC) $(ALL_CFLAGS) -o $@ $^ $(PKG_LIBS)

$(B)/unit/%: tests/unit/%.c $(B)/libjoy.a
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(ALL_CFLAGS) -Wno-missing-prototypes -Itests -MMD -MP -o $@ $< $(B)/libjoy.a -lcmocka $(PKG_LIBS)

# The Python extension has libjoy in it and shows nothing but its own entry; other libraries stay
# outside.  One binary serves Python 3.10 and later (limited API).
PY_OBJ  := $(patsubst %.c,$(B)/%.o,$(sort $(wildcard python/joy/_*.c)))
PY_INCLUDE = $(shell $(PYTHON) -c 'import sysconfig; print(sysconfig.get_path("include"))')
$(PY_OBJ): ALL_CFLAGS += -isystem $(PY_INCLUDE)
$(B)/_joy.abi3.so: $(PY_OBJ) $(B)/libjoy.a
	$(call run,CC)$(CC) $(ALL_CFLAGS) -shared -Wl,--exclude-libs,ALL -o $@ $^ $(PKG_LIBS)

# Programs that live tests drive a part of the library by.
$(B)/live/%: tests/live/%.c $(B)/libjoy.a
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(ALL_CFLAGS) -Itests -MMD -MP -o $@ $< $(B)/libjoy.a $(PKG_LIBS)

# A fuzz target is driven by libFuzzer (MODE=fuzz), else by a main that replays files.  Two sources in
# one command leave no list of headers, so all of the tests' own are named.
FUZZ_DRIVER := $(if $(filter fuzz,$(MODE)),-fsanitize=fuzzer,tests/fuzz/replay.c)
$(B)/fuzz/%: tests/fuzz/%.c tests/fuzz/replay.c $(wildcard tests/*.h tests/unit/*.h) $(B)/libjoy.a
	@mkdir -p $(@D)
	$(call run,CC)$(CC) $(ALL_CFLAGS) -Wno-missing-prototypes -Itests -MMD -MP -o $@ $< $(FUZZ_DRIVER) $(B)/libjoy.a $(PKG_LIBS)

-include $(wildcard $(B)/live/*.d $(B)/src/bpf/*.d) $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(PY_OBJ:.o=.d) $(UNIT:=.d) $(FUZZ:=.d)
