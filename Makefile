# One build configuration everywhere, so that nothing is compiled twice: release, with the same
# flags for the program and its tests (no test needs a testable import).
release := -c release
swift_files := $$(git ls-files --cached --others --exclude-standard '*.swift' ':!Sources/EtcdWire')

# By product: --build-tests would build all that the dependencies have to offer, a protobuf
# compiler in C++ among it.
build_tests := swift build $(release) --product synod && \
    swift build $(release) --product synodPackageTests

# Tests that keep the processors busy; those that wait for sockets and processes run apart from them.
pure_tests := SynodBytesTests|SynodPaxosTests|SynodExplorerTests|SynodStorageTests|SynodKeyspaceTests|SynodNodeTests|SynodSimulationTests|SynodCheckTests

replicas ?= 3
SEEDS ?= 1..10000

.PHONY: help run build test test-long sim chaos explore explore-long planted check lint format clean

help: ## Show what there is to make.
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

run: build ## Start three replicas on this machine (replicas=5 for five) until Ctrl-C.
	@.build/release/synod cluster --replicas $(replicas)

build: ## Build the synod program, after installing what is missing.
	@scripts/bootstrap
	swift build $(release) --product synod

test: ## Build everything and run the tests that take minutes at most.
	@scripts/bootstrap --test
	$(build_tests)
	swift test $(release) --skip-build --disable-xctest --filter '$(pure_tests)'
	swift test $(release) --skip-build --disable-xctest --no-parallel \
	    --skip '$(pure_tests)|EndToEndTests'
	swift test $(release) --skip-build --disable-xctest --filter EndToEndTests

test-long: ## Run all tests in their long form: more seeds, more kills, more data.
	@scripts/bootstrap --test
	$(build_tests)
	SYNOD_LONG_TESTS=1 swift test $(release) --skip-build --disable-xctest

sim: build ## Break simulated clusters on purpose (SEEDS=1..10000).
	.build/release/synod sim --seeds $(SEEDS)

chaos: build ## Break clusters of real processes on purpose and check what clients saw (docs/chaos.md).
	.build/release/synod chaos

check: lint test explore ## What continuous integration does: check the format, build, test, explore.

granting := .build/release/synod explore --terse --proposers everyone

explore: build ## Visit every state of some small clusters, and crash at every point of a decision.
	.build/release/synod explore --crash-points
	.build/release/synod explore
	.build/release/synod explore --crashes 0,1
	.build/release/synod explore --campaigns 1,1 --commands 1,2 --terse
	.build/release/synod explore --slots 3 --commands 1,1 --prompt-disks --terse
	$(granting) --abandonments 1 --commands 2
	$(granting) --abandonments 1 --commands 2,2 --keys 1 --window 2 --slots 4 --campaigns 0

two_slots := .build/release/synod explore --slots 3 --commands 1,1 --terse

explore-long: build ## Visit every state of larger clusters; takes minutes and gigabytes (docs/explorer.md).
	$(two_slots) --crashes 0,1
	$(two_slots) --prompt-disks --crashes 0,0,1
	$(two_slots) --prompt-disks --crashes 1

planted: ## Plant known mistakes and see that each is found.
	@scripts/bootstrap
	@scripts/planted

lint: ## Check the format of the sources.
	swift format lint --strict --configuration .swift-format $(swift_files)

format: ## Bring the sources into their format.
	swift format --in-place --configuration .swift-format $(swift_files)

clean: ## Remove what was built.
	swift package clean
