# targets.mk - what `make` can be asked for.

.PHONY: all build quick

all: build quick ## build, strip, copy pcap2flow to the main folder, quick tests

build: $(B)/pcap2flow $(B)/libjoy.a $(B)/libjoy.so
	@strip -o pcap2flow.new $(B)/pcap2flow && mv pcap2flow.new pcap2flow

quick: $(UNIT)
	@for t in $(UNIT); do $$t || exit 1; done
