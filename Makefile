# GNU make. Everything that is made goes to build/.

GO       ?= go
FUZZTIME ?= 10s
BENCH    ?= build/bench
PREFIX   ?= /usr/local
SEED     ?= 1
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# One way to compile for everything that is made or tested, so that nothing is
# compiled twice. The race detector alone needs C.
export CGO_ENABLED = 0
export GOFLAGS += -trimpath

PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
GOBUILD   := $(GO) build -ldflags "-s -w -X main.version=$(VERSION)"

# Packages whose tests know -update.
GOLDEN = $(shell grep -rl --include='*_test.go' '"update"' audit cmd report rules snapshot 2>/dev/null | xargs -r -n1 dirname | sort -u | sed 's|^|./|')

.PHONY: help build install demo test race lint vuln fuzz golden docs bench conformance cross ci pm2 netlify age restic debian year clean

help: ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## /\1\t/p' $(MAKEFILE_LIST)

build: ## build/audit, static and stripped
	$(GOBUILD) -o build/audit ./cmd/audit

install: ## the program built before, man pages and completion, below PREFIX (and DESTDIR)
	@test -x build/audit || { echo "install: make build comes first"; exit 1; }
	install -d $(DESTDIR)$(PREFIX)/bin $(addprefix $(DESTDIR)$(PREFIX)/share/,man/man1 man/man5 bash-completion/completions zsh/site-functions fish/vendor_completions.d)
	install -m 755 build/audit $(DESTDIR)$(PREFIX)/bin/audit
	install -m 644 docs/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 docs/man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	build/audit completion bash > $(DESTDIR)$(PREFIX)/share/bash-completion/completions/audit
	build/audit completion zsh > $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_audit
	build/audit completion fish > $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/audit.fish

demo: build ## a sample shop, a bad Friday, and one file brought back
	@sh testdata/demo/run.sh build/audit

test: pm2 netlify age debian ## all tests, in random order
# Three packages at a time on two cores: those with a real PM2 wait most of theirs.
	$(GO) test -p 3 -timeout 20m -shuffle=on ./...
# The goldens that this reads are outside of its module, where the cache does not look.
	cd tools && $(GO) test -count=1 ./...

# Packages that start goroutines, and those that are called from several at once.
# What they call runs with the race detector too.
RACING = $(shell grep -rlE --include='*.go' '\bgo func|\.Go\b' audit cmd report rules snapshot | xargs -r -n1 dirname | sort -u | sed 's|^|./|') \
    ./snapshot ./snapshot/collect/...

race: ## the tests of what runs side by side, but for the slow ones, with the race detector (needs a C compiler)
	@if command -v "$$($(GO) env CC)" >/dev/null; then \
	    set -x; CGO_ENABLED=1 $(GO) test -race -short -timeout 20m -shuffle=on $(RACING); \
	else \
	    echo "race: no C compiler, nothing checked"; \
	fi

lint: build/tools/staticcheck ## gofmt, vet (for every system), staticcheck, layers
	@bad=$$(gofmt -l $$(find . -name '*.go' -not -path './build/*' -not -path './.git/*')); \
	    if [ -n "$$bad" ]; then echo "not formatted:"; echo "$$bad"; exit 1; fi
	$(GO) vet ./...
	GOOS=windows $(GO) vet ./...
	GOOS=darwin $(GO) vet ./...
	cd tools && $(GO) vet ./...
	build/tools/staticcheck ./...
	cd tools && ../build/tools/staticcheck ./...
	$(GO) test -run 'TestLayers|TestPinned|TestDependencies' .

vuln: build/tools/govulncheck ## known vulnerabilities (asks the network, not part of ci)
	build/tools/govulncheck ./...

fuzz: ## every fuzz target for FUZZTIME each
	@GO=$(GO) sh tools/fuzz.sh $(FUZZTIME)

golden: ## write the golden files again
	@if [ -n "$(GOLDEN)" ]; then set -x; $(GO) test $(GOLDEN) -update; fi

docs: ## write the generated pages of docs/ again
	$(GO) test -count=1 -run TestDocs ./cmd/audit -update

conformance: netlify ## Netlify's own tools beside audit on our corpus, or on CORPUS=DIR
	$(GO) test -count=1 -v -timeout 30m -run 'TestConformance|TestCorpus$$' ./audit/check/function

bench: build pm2 netlify restic ## cold and warm runs on a generated project, stores of many snapshots; actionlint, Netlify's listing, PM2 and restic beside them
	@mkdir -p $(BENCH)
	$(GO) -C tools build -o ../build/tools/ ./genproject ./bench github.com/rhysd/actionlint/cmd/actionlint
	build/tools/genproject -seed $(SEED) $(BENCH)/project
	build/tools/genproject -seed $(SEED) -shape scripts $(BENCH)/scripts
	build/tools/genproject -seed $(SEED) -shape year $(BENCH)/year
	rm -f $(BENCH)/one.db && build/audit -q run --root $(BENCH)/year --store $(BENCH)/one.db --fail-on never
	for n in 100 1000 10000; do $(GO) test -count=1 -run 'TestGrow$$' ./audit/pipeline -grow.from $(CURDIR)/$(BENCH)/one.db -grow.to $(CURDIR)/$(BENCH)/many-$$n.db -grow.by $$n || exit 1; done
	build/tools/bench -audit build/audit -project $(BENCH)/project -scripts $(BENCH)/scripts -year $(BENCH)/year $(BENCHFLAGS)

year: build ## the growth of a store over a whole year of runs, none extrapolated (an hour)
	$(GO) -C tools build -o ../build/tools/ ./genproject ./bench
	build/tools/genproject -seed $(SEED) -shape year $(BENCH)/year
	build/tools/bench -only growth -audit build/audit -year $(BENCH)/year -daily 365 -hourly 8760

cross: ## the binary for every platform
	@for p in $(PLATFORMS); do \
	    echo "build $$p"; \
	    GOOS=$${p%/*} GOARCH=$${p#*/} $(GOBUILD) -o build/cross/audit-$${p%/*}-$${p#*/} ./cmd/audit || exit 1; \
	done

ci: lint race docs ## what must hold before a change goes in
	@if git rev-parse -q --verify HEAD >/dev/null 2>&1; then git diff --exit-code -- docs; fi
	$(MAKE) fuzz FUZZTIME=2s
	$(MAKE) cross

# Real PM2, for the tests that talk to a daemon. Without npm, or without a way
# to reach its packages, those tests skip themselves.
pm2: ## PM2 into build/pm2, for the tests
	@if ! command -v npm >/dev/null; then \
	    echo "pm2: no npm here; tests against a real PM2 will be skipped"; \
	elif cmp -s testdata/pm2/package-lock.json build/pm2/package-lock.json && [ -d build/pm2/node_modules/pm2 ]; then \
	    :; \
	else \
	    mkdir -p build/pm2 && cp testdata/pm2/package.json testdata/pm2/package-lock.json build/pm2/ \
	    && npm ci --prefix build/pm2 --ignore-scripts --no-audit --no-fund --loglevel=error \
	    || { rm -rf build/pm2; echo "pm2: could not be installed; tests against a real PM2 will be skipped"; }; \
	fi

# Netlify's own build tools and the Node that they need, for the tests that compare
# audit with them. Without npm, or without a way to reach its packages, those
# tests skip themselves.
netlify: ## Netlify's build tools into build/netlify, for the tests
	@if ! command -v npm >/dev/null; then \
	    echo "netlify: no npm here; tests against Netlify's tools will be skipped"; \
	elif cmp -s testdata/netlify/package-lock.json build/netlify/package-lock.json && [ -d build/netlify/node_modules/@netlify/config ]; then \
	    :; \
	else \
	    mkdir -p build/netlify && cp testdata/netlify/package.json testdata/netlify/package-lock.json build/netlify/ \
	    && npm ci --prefix build/netlify --ignore-scripts --no-audit --no-fund --loglevel=error \
	    || { rm -rf build/netlify; echo "netlify: could not be installed; tests against Netlify's tools will be skipped"; }; \
	fi

# age's own program opens what we encrypt, in the version of the library; without
# the module proxy that test skips itself.
age: build/tools/age ## age's program, for the tests

build/tools/age: go.mod
	@v=$$($(GO) list -m -f '{{.Version}}' filippo.io/age) && GOBIN=$(CURDIR)/build/tools $(GO) install filippo.io/age/cmd/age@$$v && touch $@ \
	    || echo "age: could not be built; the test that opens an archive by hand will be skipped"

# restic, which the benchmark and the tests of archives are held against: Debian's
# package, unpacked and not installed, or the program on PATH.
restic: ## restic into build/tools, for the benchmark
	@if [ -x build/tools/restic ]; then \
	    :; \
	elif command -v restic >/dev/null; then \
	    mkdir -p build/tools && ln -sf "$$(command -v restic)" build/tools/restic; \
	elif command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then \
	    dir=$$(mktemp -d) && mkdir -p build/tools \
	    && (cd "$$dir" && apt-get download restic >/dev/null 2>&1) && dpkg-deb -x "$$dir"/restic_*.deb "$$dir" \
	    && cp "$$dir/usr/bin/restic" build/tools/restic \
	    || echo "restic: could not be fetched; what is held against it will be skipped"; \
	    rm -rf "$$dir"; \
	else \
	    echo "restic: there is no way to fetch it here; what is held against it will be skipped"; \
	fi

# What Debian has and many machines do not: a real crontab, and the shells whose
# completion is tested. Unpacked and not installed; what is there already is used.
DEBIAN := cron zsh zsh-common fish fish-common libpcre2-32-0 mandoc
debian: ## crontab, zsh, fish and mandoc into build/debian, for the tests
	@if [ -e build/debian/done ]; then \
	    :; \
	elif command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null; then \
	    dir=$$(mktemp -d) && mkdir -p build/debian \
	    && (cd "$$dir" && apt-get download $(DEBIAN) >/dev/null 2>&1) \
	    && for p in "$$dir"/*.deb; do dpkg-deb -x "$$p" build/debian || exit 1; done && touch build/debian/done \
	    || echo "debian: could not be fetched; tests of crontab, zsh and fish will be skipped"; \
	    rm -rf "$$dir"; \
	else \
	    echo "debian: there is no apt-get here; tests of crontab, zsh and fish will be skipped"; \
	fi

clean: ## remove build/
	rm -rf build

# Tools are pinned in a module of their own, so that none of them is a
# dependency of audit.
build/tools/staticcheck: tools/go.mod tools/go.sum
	$(GO) -C tools build -o ../$@ honnef.co/go/tools/cmd/staticcheck

build/tools/govulncheck: tools/go.mod tools/go.sum
	$(GO) -C tools build -o ../$@ golang.org/x/vuln/cmd/govulncheck
