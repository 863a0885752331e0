# Targets by purpose; `make` alone lists them. Everything is built without cgo (one build of the net packages, static
# binaries), but for the race detector, which needs it.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS   += --no-print-directory

export CGO_ENABLED := 0

# Tools that only some targets need, pinned here and nowhere else.
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

GO      ?= go
PREFIX  ?= $(shell $(GO) env GOPATH)
VERSION ?= v0.1.0
PKG     ?= ./...
RUN     ?= .

##@ Everyday
help: ## show this list
	@awk -F ':.*## ' '/^##@/{print "\n" substr($$0,5)} /^[a-z]/&&NF>1{printf "  %-14s %s\n", $$1, $$2}' Makefile

build: ## bin/kubectl-mesh_split, bin/mesh-verify and bin/demoapp
	@mkdir -p bin
	$(GO) build -o bin/ ./cmd/kubectl-mesh_split ./cmd/mesh-verify ./demoapp

demo: build sandbox ## the whole story on a real API server, istiod and Envoy: needs no root, no Docker, no cluster
	@hack/demo

doctor: ## say what this machine lacks
	@hack/doctor

install: build ## both programs into PREFIX/bin (default: $(go env GOPATH)/bin)
	@mkdir -p "$(PREFIX)/bin"
	install -m 0755 bin/kubectl-mesh_split bin/mesh-verify "$(PREFIX)/bin/"
	@ln -sf kubectl-mesh_split "$(PREFIX)/bin/kubectl_complete-mesh_split"
	@case ":$$PATH:" in *":$(PREFIX)/bin:"*) echo "try: kubectl mesh-split version";; \
	  *) echo "note: $(PREFIX)/bin is not on PATH";; esac

##@ Test
test: fmt-check vet unit integration ## formatting, vet, unit tests, then the integration tests in a sandbox

fmt-check: ## fail if a Go file is not formatted
	@files=$$(gofmt -l .); if [ -n "$$files" ]; then printf 'not formatted (run: make fmt):\n%s\n' "$$files"; exit 1; fi

vet: ## go vet of both modules
	$(GO) vet ./...
	cd sandbox && $(GO) vet ./...

unit: ## everything that needs no sandbox: make unit PKG=./verify/... RUN=TestName
	$(GO) test -run '$(RUN)' $(PKG)

# What takes minutes beside the rest, and changes seldom: the corpus of routes, questions to Istio, many writers, hostile input; when
# a change shows in the traffic; how a sandbox starts and ends; the demo application's page in a browser.
PROOFS = ^Test(Corpus|Behaviour.*|Writers.*|Hostile.*|HugeObject|NoRoomForHistory|ThreeLives|InterruptedUp|PageInBrowser|TrafficTimesChanges)$$

integration: build sandbox ## the built programs against a real API server, istiod and Envoy, but for the proofs
	cd sandbox && $(GO) test -count=1 -timeout 20m -skip '$(PROOFS)' ./... # the cache of results does not see that bin/ has changed

proofs: build sandbox ## C01 to C42, what Istio does where nobody promises it, 200 runs by 8 writers, hostile input, sandboxes that end (3 minutes)
	cd sandbox && $(GO) test -count=1 -timeout 20m -run '$(PROOFS)' . ./plugintest

race: ## the core under the race detector; needs gcc
	CGO_ENABLED=1 $(GO) test -race ./verify/...

check: ## fail if a generated file is not what `make generate` writes
	@state() { git status --porcelain && git diff; }; before=$$(state); $(MAKE) generate >/dev/null; \
	if [ "$$before" != "$$(state)" ]; then \
	  echo "generated files differ; run: make generate, read the diff, commit it"; git status --short; exit 1; fi

oc: ## error rates as rates: simulated PASS under a wrong split stays under alpha (minutes)
	$(GO) run ./hack/oc

bench-load: build ## the load engine beside wrk, h2load, fortio, oha, hey, vegeta; writes docs/benchmarks (15 minutes, an idle machine)
	$(GO) run ./hack/benchload $(BENCH)

pgo: ## profile the load engines; `go build` optimises mesh-verify by cmd/mesh-verify/default.pgo (Linux, a minute, an idle machine)
	$(GO) run ./hack/profile

counts: build sandbox ## every count exact: 10^7 requests on each engine, 10^5 with each fault, 10^8 on one, a minute through Envoy (20 minutes)
	$(GO) run ./hack/benchload --only counts,long $(BENCH)
	$(GO) test -count=1 -timeout 30m -v ./verify/load -run TestEvery -faulty 100000
	cd sandbox && MESH_SPLIT_SECONDS=60 $(GO) test -count=1 -timeout 20m -v -run TestCountsAtFullSpeed .

lint: ## golangci-lint by .golangci.yaml (the first run builds it)
	$(GO) run $(GOLANGCI_LINT) run ./...
	cd sandbox && $(GO) run $(GOLANGCI_LINT) run ./...

##@ Sandbox
# A Kubernetes that is built as a module does not know its version; Helm asks for it, and people.
KUBERNETES = $(shell cd sandbox && $(GO) list -m -f '{{.Version}}' k8s.io/kubernetes)
KUBERNETES_VERSION = k8s.io/component-base/version
KUBERNETES_LDFLAGS = -s -w -X $(KUBERNETES_VERSION).gitVersion=$(KUBERNETES) -X $(KUBERNETES_VERSION).gitMajor=1 \
  -X $(KUBERNETES_VERSION).gitMinor=$(word 2,$(subst ., ,$(KUBERNETES))) -X $(KUBERNETES_VERSION).gitTreeState=clean

sandbox: bin/kubectl ## bin/sandbox (etcd, API server, istiod) and bin/kubectl; the first build takes minutes
	@mkdir -p bin
	@cd sandbox && ../hack/progress sandbox $(GO) build -v -ldflags "$(KUBERNETES_LDFLAGS)" -o ../bin/sandbox ./cmd/sandbox

# kubectl of the API server's own version, so that the plugin is tested as `kubectl mesh-split`.
bin/kubectl: sandbox/go.mod
	@mkdir -p bin
	@cd sandbox && ../hack/progress kubectl $(GO) build -v -ldflags "$(KUBERNETES_LDFLAGS)" -o ../bin/kubectl k8s.io/kubernetes/cmd/kubectl
	@touch bin/kubectl

##@ Playground (Docker and k3d, or any cluster: ON=CONTEXT; ISTIO_VERSION and others: hack/playground)
playground: build ## k3d, Istio, addons, both versions, gateway and virtual service; says each command
	@PATH="$(CURDIR)/bin:$$PATH" hack/playground up $(if $(ON),--on "$(ON)")

playground-down: ## take it down again
	@hack/playground down $(if $(ON),--on "$(ON)")

.PHONY: playground playground-down

##@ Write
fmt: ## format every Go file
	@gofmt -w .

generate: ## rewrite everything that is written by a program
	$(GO) run ./hack/docs

owner: ## rewrite the module path's owner: make owner OWNER=name
	@hack/owner "$(OWNER)"

##@ Release
dist: ## archives, checksums and krew manifest of VERSION into dist/, the same bytes on every machine
	$(GO) run ./hack/release --version "$(VERSION)" --out dist

krew: dist ## the manifest of dist/ becomes krew-manifest.yaml
	cp dist/krew/mesh-split.yaml krew-manifest.yaml

clean: ## remove bin/ and dist/
	rm -rf bin dist

.PHONY: help build demo doctor install test fmt-check vet unit integration proofs race check oc bench-load pgo counts lint sandbox fmt generate owner dist krew clean

##@ Real nodes (Linux, root; packages: docs/e2e.md)
nodes: build bin/kubectl ## bin/nodes and what its cluster runs (istioctl, helm, …); the first build takes minutes
	@cd sandbox && ../hack/progress nodes $(GO) build -v -ldflags "$(KUBERNETES_LDFLAGS)" -o ../bin/nodes ./cmd/nodes
	@cd sandbox && for program in helm.sh/helm/v3/cmd/helm istio.io/istio/istioctl/cmd/istioctl \
	  istio.io/istio/pilot/cmd/pilot-discovery istio.io/istio/pilot/cmd/pilot-agent ./nodes/pause; do \
	  ../hack/progress "$${program##*/}" $(GO) build -v -ldflags "-s -w" -o "../bin/$${program##*/}" "$$program"; done
	@cd sandbox/coredns && ../../hack/progress coredns $(GO) build -v -ldflags "-s -w" -o ../../bin/coredns .
	@install -m 0644 "$$(cd sandbox && $(GO) list -m -f '{{.Dir}}' istio.io/istio)/tools/packaging/common/envoy_bootstrap.json" bin/

e2e: nodes ## the playground on a real node with sidecars, mutual TLS and two gateways
	cd sandbox && MESH_SPLIT_E2E=1 $(GO) test -count=1 -timeout 30m -v ./nodes/e2e

.PHONY: nodes e2e
